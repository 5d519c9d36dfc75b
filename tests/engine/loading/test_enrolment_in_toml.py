"""`enrol` and `enrolled` in TOML: the same values as in Python, and mistakes that are told with their place."""

import pytest

from watchword import ConfigurationError, Flow, enrol, enrolled, load_flow, named, one_of, sequence, when
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.totp import Totp

MAIL = '[[steps]]\nkind = "email_otp"\n'

SAME = {
    'enrol = { kind = "totp" }': enrol(Totp()),
    'enrol = { kind = "totp", digits = 8 }\nname = "sets_up"': named("sets_up", enrol(Totp(digits=8))),
    'one_of = [{ enrol = { kind = "totp" } }, { kind = "totp" }]': one_of(enrol(Totp()), Totp()),
    'when = { enrolled = "totp" }\nthen = { kind = "totp" }': when(enrolled("totp"), Totp()),
    'when = { enrolled = "totp" }\nthen = { kind = "totp" }\notherwise = { enrol = { kind = "totp" } }': when(
        enrolled("totp"), Totp(), enrol(Totp())
    ),
}

MISTAKES = {
    'enrol = "totp"': 'line 4: steps[1].enrol: is a text; write the kind as a table, such as { kind = "totp" }',
    "enrol = {}": 'line 4: steps[1].enrol: says no kind; write { enrol = { kind = "totp" } }',
    'enrol = { kind = "totp", name = "sets_up" }': "line 4: steps[1].enrol.name: belongs to the step: write it beside enrol",
    'enrol = { kind = "totp", colour = "red" }': "line 4: steps[1].enrol.colour: totp has no 'colour'",
    'enrol = { kind = "topt" }': "line 4: steps[1].enrol.kind: ",
    'enrol = { kind = "email_otp" }': "line 4: steps[1].enrol: the kind 'email_otp' enrols nothing",
    'enrol = { kind = "srp" }': "line 4: steps[1].enrol: only a kind of challenge can be enrolled",
    'enrol = { kind = "totp" }\ndigits = 8': "line 5: steps[1].digits: enrol has no 'digits'; there is name",
    'enrol = { kind = "totp" }\nkind = "totp"': "line 5: steps[1].kind: enrol and kind are two blocks",
    'enrol = { kind = "totp" }\nname = "A"': "line 5: steps[1].name: 'A' is no name of a step",
    'enrol = { kind = "totp" }\nname = "email_otp"': 'line 5: steps[1].name: steps[0] is named "email_otp" too',
    'enrol = { kind = "totp" }\n[[steps]]\nenrol = { kind = "totp" }': 'steps[2]: steps[1] is named "enrol_totp" too',
    'enroll = { kind = "totp" }': "line 4: steps[1].enroll: there is no 'enroll'; did you mean enrol?",
    'when = { enrolled = "A" }\nthen = { kind = "totp" }': "line 4: steps[1].when: enrolled('A') takes the name of a kind",
    'when = { enrolled = true }\nthen = { kind = "totp" }': "line 4: steps[1].when.enrolled: is true or false",
    'when = { enrolled = "totp", client = "x" }\nthen = { kind = "totp" }': "line 4: steps[1].when: is no condition",
    'when = { enroled = "totp" }\nthen = { kind = "totp" }': "line 4: steps[1].when.enroled: when has no 'enroled'; did you",
}

UNSOUND = {
    '[[steps]]\nenrol = { kind = "totp" }': "strangers would enrol for a user",
    '[[steps]]\nwhen = { enrolled = "totp" }\nthen = { kind = "totp" }\notherwise = { kind = "email_otp" }': (
        "strangers would learn who has enrolled it"
    ),
    '[[steps]]\nkind = "srp"\n[[steps]]\nwhen = { enrolled = "totp" }\nthen = { kind = "totp" }': "give it an otherwise=",
}


@pytest.fixture
def path(tmp_path):
    """Where the flow is."""
    return tmp_path / "flow.toml"


@pytest.mark.parametrize("text", SAME)
def test_toml_and_python_give_the_same_flow(path, text):
    """To the last setting."""
    path.write_text(f"{MAIL}[[steps]]\n{text}\n", encoding="utf-8")
    assert Flow(sequence(EmailOtp(), SAME[text])) == load_flow(path)


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place(path, text):
    """And the remedy."""
    path.write_text(f"{MAIL}[[steps]]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_flow(path)
    assert MISTAKES[text] in str(error.value)


@pytest.mark.parametrize("text", UNSOUND)
def test_what_python_refuses_toml_does(path, text):
    """Enrolment stands behind a factor, and no flow is passed before the store was read."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="put a step") as error:
        load_flow(path)
    assert UNSOUND[text] in str(error.value)
