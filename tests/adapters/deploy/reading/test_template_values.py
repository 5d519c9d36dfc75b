"""The values of a template: what each term stands for, and that no term takes long or raises."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchword_adapters.deploy.reading.template_values import TemplateValues
from watchword_adapters.deploy.reading.values import (
    OTHER_CALLERS,
    Partial,
    Unknown,
    boolean_value,
    get,
    joined,
    number_value,
    text_value,
    word,
    words,
)

DOCUMENT = {
    "Parameters": {
        "Five": {"Type": "Number", "Default": 5},
        "Text": {"Type": "String", "Default": "ab"},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b ,c"},
        "Numbers": {"Type": "List<Number>", "Default": "1,2"},
        "None": {"Type": "String"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
        "Long": {"Type": "String", "Default": "x" * 5000},
        "Odd": {"Type": "String", "Default": {"a": 1}},
        "Odder": "String",
        "Wide": {"Type": "String", "Default": "x" * 4000},
    },
    "Mappings": {"Map": {"key": {"one": 1, "text": "t", "list": ["a", "b"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Text"}, "ab"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Perhaps": {"Fn::Equals": [{"Ref": "None"}, "x"]},
        "Same": {"Fn::Equals": [{"Ref": "None"}, {"Ref": "None"}]},
        "Itself": {"Fn::Not": [{"Condition": "Itself"}]},
        "One": {"Fn::And": [{"Condition": "Other"}, {"Condition": "Yes"}]},
        "Other": {"Fn::Or": [{"Condition": "One"}, {"Condition": "No"}]},
        "Settled": {"Fn::Or": [{"Condition": "Perhaps"}, {"Condition": "Yes"}]},
        "Refused": {"Fn::And": [{"Condition": "Perhaps"}, {"Condition": "No"}]},
    },
    "Resources": {"Pool": {"Type": "AWS::Cognito::UserPool"}},
}
VALUES = TemplateValues(DOCUMENT)


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("plain", "plain"),
        (True, True),
        (None, None),
        ({"a": [1, {"Ref": "Five"}]}, {"a": [1, "5"]}),
        ({"Ref": "Five"}, "5"),
        ({"Ref": "List"}, ["a", "b", "c"]),
        ({"Ref": "Numbers"}, ["1", "2"]),
        ({"Ref": "AWS::NoValue"}, None),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Fn::Sub": "${Text}-${Five}-${!Text}"}, "ab-5-${Text}"),
        ({"Fn::Sub": ["${Text}-${x}", {"x": {"Ref": "Five"}}]}, "ab-5"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Five"}, True]]}, "a-5-true"),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, "a-b-c"),
        ({"Fn::FindInMap": ["Map", "key", "one"]}, 1),
        ({"Fn::FindInMap": ["Map", "key", "list"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Map", "nothing", "one", {"DefaultValue": 7}]}, 7),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, 2]}, 2),
        ({"Fn::If": ["Perhaps", 1, 1]}, 1),
        ({"Fn::If": ["Same", 1, 2]}, 1),
        ({"Fn::If": ["Settled", 1, 2]}, 1),
        ({"Fn::If": ["Refused", 1, 2]}, 2),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}}, {}),
        ({"Fn::Select": [1, {"Ref": "List"}]}, "b"),
        ({"Fn::Split": ["b", "abc"]}, ["a", "c"]),
    ],
)
def test_what_the_template_tells_is_resolved(term, value):
    """Parameters by their defaults, and each function whose arguments are known."""
    assert value == VALUES.value(term)


@pytest.mark.parametrize(
    "term",
    [
        *({"Ref": name} for name in ("None", "Stored", "Long", "Odd", "Odder", "Nowhere", "AWS::Region", "Pool", "")),
        *({"Fn::If": [name, 1, 2]} for name in ("Perhaps", "Itself", "One", "Nowhere")),
        *(
            {name: value}
            for name in ("Fn::If", "Fn::Sub", "Fn::Join", "Fn::Select")
            for value in (None, 1, [], {}, "x" * 0)
        ),
        *({name: []} for name in ("Fn::GetAtt", "Fn::Split", "Fn::FindInMap", "Fn::ImportValue", "Fn::Base64")),
        {"Fn::GetAtt": [{"Ref": "Text"}, "Arn"]},
        {"Fn::Select": [3, {"Ref": "List"}]},
        {"Fn::Select": ["²", {"Ref": "List"}]},
        {"Fn::Split": ["", "abc"]},
        {"Ref": ["x"]},
        "{{resolve:ssm:/a}}",
    ],
    ids=repr,
)
def test_what_it_does_not_tell_is_not_known(term):
    """And says why."""
    found = VALUES.value(term)
    assert isinstance(found, Unknown) or found == ""
    assert found == "" or found.why


def test_two_of_one_source_are_the_same_value_and_others_are_not():
    """That is how what is not known is compared."""
    same = [{"Ref": "None"}, {"Fn::Sub": "${None}"}, {"Fn::Join": ["", ["", {"Ref": "None"}]]}]
    assert 1 == len({VALUES.value(each) for each in same})
    others = [
        {"Fn::ImportValue": "a"},
        {"Fn::ImportValue": "b"},
        {"Fn::If": ["Perhaps", "a", "b"]},
        {"Fn::If": ["Perhaps", "a", "c"]},
        {"Fn::GetAtt": "Pool.Arn"},
        {"Fn::GetAtt": ["Pool", "ProviderName"]},
        {"Ref": "Pool"},
        "{{resolve:ssm:/a}}",
        "{{resolve:ssm:/b}}",
    ]
    assert len(others) == len({VALUES.value(each) for each in others})


def test_a_text_is_known_in_part():
    """The scheme of a URL is enough for most questions."""
    found = VALUES.value({"Fn::Sub": "dynamodb://${None}?region=${AWS::Region}"})
    assert isinstance(found, Partial)
    assert ("dynamodb://", "?region=") == tuple(each for each in found.parts if isinstance(each, str))
    assert "the parameter None has no default" == found.unknown.why
    assert found == joined(found.parts)


def test_what_a_macro_may_say_is_not_known():
    """What is said beside it is."""
    found = VALUES.value({"Fn::Transform": {"Name": "X"}, "Timeout": 5})
    assert 5 == get(found, "Timeout")
    assert isinstance(get(found, "MemorySize"), Unknown)
    assert {"Timeout", OTHER_CALLERS} == set(found)


def test_no_text_grows_without_bound():
    """A parameter of 4,000 signs, a thousand times, is no text that anybody means."""
    assert isinstance(VALUES.value({"Fn::Sub": "${Wide}" * 1000}), Unknown)
    assert isinstance(VALUES.value({"Fn::Join": ["", [{"Ref": "Wide"}] * 1000]}), Unknown)


def test_conditions_on_conditions_are_worked_out_once():
    """Two to the power of forty otherwise."""
    conditions = {"C0": {"Fn::Equals": ["a", "a"]}}
    for place in range(1, 40):
        conditions[f"C{place}"] = {"Fn::And": [{"Condition": f"C{place - 1}"}] * 2}
    assert TemplateValues({"Conditions": conditions}).holds("C39") is True


def test_a_long_chain_of_conditions_is_not_known():
    """Nobody writes one, and the interpreter's stack has an end."""
    conditions = {f"C{place}": {"Fn::Not": [{"Condition": f"C{place + 1}"}]} for place in range(10_000)}
    assert TemplateValues({"Conditions": conditions}).holds("C0") is None


def test_a_mapping_holds_no_functions():
    """One that held itself would never end."""
    term = {"Fn::FindInMap": ["Map", "a", "b"]}
    for inner in (term, [term], ["x", {"Ref": "None"}]):
        assert isinstance(TemplateValues({"Mappings": {"Map": {"a": {"b": inner}}}}).value(term), Unknown)


@pytest.mark.parametrize(
    ("value", "as_number", "as_flag"),
    [
        (5, 5, Unknown),
        ("5", 5, Unknown),
        (" 5 ", 5, Unknown),
        (5.0, 5, Unknown),
        (True, Unknown, True),
        ("True", Unknown, True),
        ("false", Unknown, False),
        ("yes", Unknown, Unknown),
        ("1e3", Unknown, Unknown),
        ("9" * 5000, Unknown, Unknown),
        (float("nan"), Unknown, Unknown),
        (float("inf"), Unknown, Unknown),
        ([5], Unknown, Unknown),
        ({}, Unknown, Unknown),
        (None, None, None),
        (Unknown("x"), Unknown, Unknown),
        (Partial(("a", Unknown("x"))), Unknown, Unknown),
    ],
    ids=repr,
)
def test_numbers_and_booleans_are_texts_too(value, as_number, as_flag):
    """As CloudFormation takes them; what is neither is not known."""
    for found, expected in ((number_value(value), as_number), (boolean_value(value), as_flag)):
        assert isinstance(found, Unknown) if expected is Unknown else (type(expected), expected) == (type(found), found)


TERMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(sorted(DOCUMENT["Parameters"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Condition", *(f"Fn::{each}" for each in ("Sub", "Join", "If", "GetAtt", "Select", "Split"))]
            )
            | st.sampled_from(
                [f"Fn::{each}" for each in ("FindInMap", "Equals", "And", "Or", "Not", "ImportValue", "Transform")]
            )
            | st.text(max_size=3),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(TERMS, TERMS)
def test_no_term_raises(term, condition):
    """And whatever it is taken for, the answer is known, absent, or not known."""
    values = TemplateValues({**DOCUMENT, "Conditions": {"x": condition, **DOCUMENT["Conditions"]}})
    assert values.holds("x") in {True, False, None}
    found = values.value(term)
    for read in (text_value, word, number_value, boolean_value):
        assert isinstance(read(found), str | int | Unknown | Partial | None)
    assert all(isinstance(each, str | Unknown) for each in words(found))
    assert get(found, "a", "b") is None or get(found, "a", "b") is not NotImplemented
