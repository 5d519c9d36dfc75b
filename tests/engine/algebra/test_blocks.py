"""Blocks refuse what makes no flow when it is written, and say what to write in its place."""

from typing import ClassVar

import pytest

from kit.fobs import Fob
from kit.random_flows import APP, TIER, Password, Quiz
from watchword import (
    ConfigurationError,
    Flow,
    all_of,
    ask_first,
    at_least,
    attribute,
    client,
    enrol,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.blocks import AtLeast, children, kinds_in, map_kinds
from watchword.algebra.lowering import lower

ONE, TWO, THREE = (named(f"s{number}", Quiz()) for number in (1, 2, 3))

VARIADIC = {"sequence": sequence, "one_of": one_of, "all_of": all_of, "fallback": fallback}


@pytest.mark.parametrize("word", VARIADIC)
def test_a_block_is_not_empty(word):
    """Nothing to do would pass at once."""
    with pytest.raises(ConfigurationError, match=rf"{word}\(\) is empty: give it a block"):
        VARIADIC[word]()
    with pytest.raises(ConfigurationError, match=r"at_least\(\) is empty"):
        at_least(1)


@pytest.mark.parametrize("word", VARIADIC)
def test_a_class_is_no_block(word):
    """The brackets are forgotten easily, and a class looks like a kind."""
    with pytest.raises(ConfigurationError, match=rf"{word}: Quiz is a class: write Quiz\(\)"):
        VARIADIC[word](ONE, Quiz)


@pytest.mark.parametrize("part", ["captcha", None, 3, [ONE], object()])
def test_what_is_no_block_is_named(part):
    """With what could stand there."""
    for build in (*VARIADIC.values(), lambda each: at_least(1, each), lambda each: when(TIER, each)):
        with pytest.raises(ConfigurationError, match="is no block: use a kind, or sequence, one_of"):
            build(part)
    with pytest.raises(ConfigurationError, match="is no block"):
        when(TIER, ONE, otherwise=[TWO])


@pytest.mark.parametrize("count", [0, 3, -1, True, "1", 1.0, None], ids=repr)
def test_at_least_counts_from_one_to_all(count):
    """None of two, or three of two, cannot be asked."""
    with pytest.raises(ConfigurationError, match=r"at_least: .* of 2 cannot be asked: the count is 1 to 2"):
        at_least(count, ONE, TWO)


def test_all_of_is_at_least_all():
    """Two spellings of one block."""
    assert all_of(ONE, TWO) == at_least(2, ONE, TWO) == AtLeast(2, (ONE, TWO))


@pytest.mark.parametrize("condition", ["gold", None, ("attribute", "a", "b"), True, lambda user: True])
def test_a_condition_is_an_attribute_or_a_client(condition):
    """Nothing that the client controls in this sign-in, and no code."""
    with pytest.raises(ConfigurationError, match=r"when: .* is no condition: use attribute\(name, value\), client"):
        when(condition, ONE, otherwise=TWO)


@pytest.mark.parametrize(
    "arguments", [("", "gold"), (None, "gold"), ("tier", None), ("tier", True), (1, "x")], ids=repr
)
def test_an_attribute_condition_takes_two_texts(arguments):
    """Attributes are texts in every event."""
    with pytest.raises(ConfigurationError, match=r"attribute\(name, value\) takes two texts"):
        attribute(*arguments)


@pytest.mark.parametrize("client_id", ["", None, 7, ["a"]], ids=repr)
def test_a_client_condition_takes_an_id(client_id):
    """An empty one would hold where the host tells none."""
    with pytest.raises(ConfigurationError, match=r"client\(id\) takes the id of an app client"):
        client(client_id)


@pytest.mark.parametrize("kind", [Password(), sequence(ONE), ONE, "captcha", None, Quiz], ids=repr)
def test_only_a_kind_can_be_named(kind):
    """Not the password, not a block, not a named step, not a class."""
    with pytest.raises(ConfigurationError, match=r"named\('step', …\): only a kind of challenge can be named"):
        named("step", kind)


WRITTEN = {
    "sequence(…)": sequence(ONE),
    "one_of(…)": one_of(ONE, TWO),
    "at_least(…)": all_of(ONE, TWO),
    "fallback(…)": fallback(ONE, TWO),
    "when(…)": when(TIER, ONE, otherwise=TWO),
    "named(…)": ONE,
    "ask_first(…)": ask_first(ONE),
    "enrol(Fob(…))": enrol(Fob()),
    "Quiz(…)": Quiz(),
    "Password(…)": Password(),
    "Quiz": Quiz,
    "None": None,
    f"'{'x' * 79}": "x" * 500,
}
TAKE_NO_BLOCK = {
    "named": (lambda each: named("step", each), {"enrol(Fob(…))", "Quiz(…)"}),
    "enrol": (enrol, {"Quiz", "None", f"'{'x' * 79}"}),
    "ask_first": (ask_first, {"named(…)", "Quiz(…)"}),
    "when": (lambda each: when(each, ONE), set()),
}


@pytest.mark.parametrize("called", WRITTEN)
@pytest.mark.parametrize("word", TAKE_NO_BLOCK)
def test_what_stands_in_the_wrong_place_is_called_as_it_is_written(word, called):
    """Not with all settings of all its parts: nobody finds the mistake in them."""
    build, right = TAKE_NO_BLOCK[word]
    if called in right:
        return
    with pytest.raises(ConfigurationError) as error:
        build(WRITTEN[called])
    assert word in str(error.value)
    assert called in str(error.value) or "the kind 'quiz' enrols nothing" in str(error.value)
    assert len(str(error.value)) < 200


NO_NAMES = ["", "a", "x" * 33, "Email", "1st", "_a", "a-b", "a b", "ümlaut", "step;x", "ab\n", "SRP_A", None, 7]


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_a_step_name_is_short_and_plain(name):
    """It stands in metadata, private parameters and TOML."""
    with pytest.raises(ConfigurationError, match=r"is no step name: write 2 to 32 of a-z, 0-9 and _"):
        Flow(named(name, Quiz()))


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_a_kinds_name_is_short_and_plain_also_where_the_step_has_another(name):
    """The kind's name stands in private parameters, too."""

    class Odd(Quiz):
        kind: ClassVar[object] = name

    with pytest.raises(ConfigurationError, match=r"is no (kind|step) name: write 2 to 32"):
        Flow(Odd())
    with pytest.raises(ConfigurationError, match=r"is no kind name: write 2 to 32"):
        Flow(named("step", Odd()))


@pytest.mark.parametrize("name", ["select", "unasked"])
def test_rounds_of_the_engine_are_no_steps(name):
    """Users choose in the one, and the other could not be asked."""
    with pytest.raises(ConfigurationError, match=f"'{name}' is reserved for rounds of the engine"):
        Flow(named(name, Quiz()))


@pytest.mark.parametrize("combine", [sequence, one_of, all_of, fallback, lambda a, b: when(TIER, a, otherwise=b)])
def test_step_names_are_unique_in_a_flow(combine):
    """Also where only one of the two can ever be asked."""
    with pytest.raises(ConfigurationError, match=r"two steps are named 'quiz': give one another name with named\("):
        Flow(combine(Quiz(), sequence(ONE, Quiz())))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("attempts", value) for value in (0, -1, 11, True, "3", 1.5, None)),
        *(("lifetime", value) for value in (0, 601, True, "180", 1e2, None)),
    ],
)
def test_tries_and_lifetime_are_whole_numbers_in_bounds(setting, value):
    """Ten tries and ten minutes at most (NIST SP 800-63B-4 3.1.3)."""
    with pytest.raises(ConfigurationError, match=rf"kind 'quiz': {setting} is .* whole number from 1 to (10|600)"):
        Flow(Quiz(**{setting: value}))


def test_the_bounds_themselves_are_allowed():
    """1 and 10 tries, 1 and 600 seconds."""
    for attempts, lifetime in ((1, 1), (10, 600)):
        step = Flow(Quiz(attempts=attempts, lifetime=lifetime)).steps["quiz"]
        assert (step.attempts, step.lifetime) == (attempts, lifetime)


def test_a_kind_without_settings_gets_the_defaults():
    """Three tries, three minutes."""

    class Bare:
        kind: ClassVar[str] = "bare"
        proves: ClassVar[frozenset[str]] = frozenset()
        create = verify = Quiz.create

    step = Flow(Bare()).steps["bare"]
    assert (step.attempts, step.lifetime) == (3, 180)


# --- nothing passes without a round -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        lambda block: block,
        lambda block: one_of(ONE, block),
        lambda block: all_of(ONE, block),
        lambda block: at_least(1, ONE, block),
        lambda block: fallback(ONE, block),
        lambda block: fallback(block, ONE),
        lambda block: when(APP, block, otherwise=ONE),
        lambda block: when(APP, ONE, otherwise=block),
        lambda block: sequence(ONE, when(APP, block)),
    ],
)
def test_a_when_without_otherwise_stands_directly_in_a_sequence_only(build):
    """Anywhere else an alternative could pass without a round."""
    with pytest.raises(ConfigurationError, match=r"when: without otherwise= it could pass without a round"):
        Flow(build(when(TIER, TWO)))
    with pytest.raises(ConfigurationError, match=r"sequence: every part may be skipped.*give one `when` an otherwise="):
        Flow(build(sequence(when(TIER, TWO), sequence(when(APP, THREE)))))


def test_a_sequence_in_a_sequence_may_vanish_if_something_stays():
    """The outer one still asks for a round."""
    flow = Flow(sequence(sequence(when(TIER, ONE), when(APP, TWO)), THREE))
    assert flow.given(False, False).decide() == Flow(THREE).decide()


# --- where the password may stand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        Password(),
        sequence(Password()),
        sequence(Password(), ONE),
        sequence(sequence(Password(), ONE), TWO),
        one_of(Password(), ONE),
        one_of(ONE, sequence(Password(), TWO)),
        one_of(one_of(ONE, Password()), TWO),
        sequence(one_of(Password(), ONE), TWO),
        when(TIER, Password(), otherwise=ONE),
        when(TIER, Password(), otherwise=sequence(Password(), ONE)),
        sequence(when(TIER, Password()), ONE),
        one_of(when(TIER, Password(), otherwise=ONE), TWO),
        sequence(one_of(sequence(when(TIER, sequence(Password(), ONE)), TWO), THREE)),
    ],
    ids=repr,
)
def test_the_password_stands_at_the_head_of_a_path(body):
    """The flow itself, the first of a sequence, an option of one_of or a branch of when that stands there."""
    flow = Flow(body)
    opened = derivative.after(
        derivative.begin(flow.program, [True] * len(flow.conditions)), "SRP_A", "", "answer", True
    )
    assert derivative.decide(opened) == ("host", "PASSWORD_VERIFIER")


@pytest.mark.parametrize(
    "body",
    [
        sequence(ONE, Password()),
        sequence(when(TIER, ONE), Password()),
        sequence(ONE, sequence(Password(), TWO)),
        sequence(ONE, one_of(Password(), TWO)),
        all_of(Password(), ONE),
        all_of(Password()),
        at_least(1, ONE, sequence(Password(), TWO)),
        fallback(Password(), ONE),
        fallback(ONE, Password()),
        sequence(ONE, when(TIER, Password(), otherwise=TWO)),
        one_of(all_of(ONE, Password()), TWO),
    ],
    ids=repr,
)
def test_the_password_stands_nowhere_else(body):
    """Cognito offers SRP before anything else only."""
    with pytest.raises(ConfigurationError, match=r"Srp\(\) stands where it cannot.*first of a sequence"):
        Flow(body)


@pytest.mark.parametrize(
    "body",
    [
        one_of(Password(), sequence(Password(), ONE)),
        one_of(one_of(Password(), ONE), sequence(Password(), TWO)),
        one_of(when(TIER, ONE, otherwise=Password()), Password()),
        one_of(when(TIER, Password(), otherwise=ONE), when(APP, Password(), otherwise=TWO)),
        one_of(sequence(when(TIER, Password()), ONE), Password()),
    ],
    ids=repr,
)
def test_one_option_at_most_begins_with_the_password(body):
    """The opening could not tell two apart."""
    with pytest.raises(ConfigurationError, match=r"two options begin with Srp\(\).*write sequence\(Srp\(\), one_of"):
        Flow(body)


def test_no_other_round_of_the_hosts_can_be_asked_for():
    """A kind that claims to be run by the host is the SRP prelude or nothing."""

    class Device(Password):
        host_rounds: ClassVar[tuple[str, ...]] = ("DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")

    with pytest.raises(ConfigurationError, match=r"host's own rounds .*DEVICE_SRP_AUTH.* cannot be asked for"):
        Flow(Device())


# --- lowering -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("combine", [sequence, one_of, all_of, fallback, lambda block: at_least(1, block)])
def test_a_block_of_one_is_that_one(combine):
    """No choice is asked where there is none."""
    assert lower(combine(ONE)).body == lower(ONE).body == ("step", "s1", 3, derivative.REQUESTS)


def test_the_same_condition_is_asked_once():
    """Conditions are listed in the order in which they are written, each once."""
    lowered = lower(sequence(when(TIER, ONE), when(APP, TWO), when(attribute("custom:tier", "gold"), THREE), Quiz()))
    assert lowered.conditions == (("attribute", "custom:tier", "gold"), ("client", "app-1"))
    assert [part[1] for part in (lowered.body[1], *lowered.body[2][:2])] == [0, 1, 0]


def test_lowering_is_nested_tuples_of_plain_values():
    """Two hundred bytes for any four of ten: the Lambda that only defines ships this and nothing else."""
    flow = Flow(at_least(4, *(named(f"s{number}", Quiz()) for number in range(10, 20))))
    assert len(repr(flow.program)) < 400

    def plain(value):
        return all(map(plain, value)) if isinstance(value, tuple) else value is None or type(value) in {str, int}

    assert plain(flow.program)


EVERY_BLOCK = sequence(
    Password(),
    one_of(Quiz(), named("second", Quiz())),
    at_least(1, named("third", Quiz()), named("fourth", Quiz())),
    fallback(named("fifth", Quiz()), named("sixth", Quiz())),
    when(APP, named("seventh", Quiz())),
    when(TIER, named("eighth", Quiz()), named("ninth", Quiz())),
)


def test_every_kind_in_a_block_is_found_in_the_order_in_which_it_is_written():
    """Those that the host runs too, those under another name, and those of either branch."""
    assert (Password(), *[Quiz()] * 10)[:10] == kinds_in(EVERY_BLOCK)
    assert [type(each).__name__ for each in children(EVERY_BLOCK)] == (
        ["Password", "OneOf", "AtLeast", "Fallback", "When", "When"]
    )
    assert () == children(Quiz()) == children(Password())


def test_every_kind_of_a_flow_can_be_replaced():
    """Names, order and conditions stay, and so does what the host runs."""
    seen = []

    def change(kind):
        seen.append(kind)
        return Quiz(attempts=len(seen))

    changed = map_kinds(EVERY_BLOCK, change)
    assert [Quiz()] * 9 == seen
    assert (Password(), *(Quiz(attempts=count) for count in range(1, 10))) == kinds_in(changed)
    assert Flow(EVERY_BLOCK).conditions == Flow(changed).conditions
    assert list(Flow(EVERY_BLOCK).steps) == list(Flow(changed).steps)
    assert EVERY_BLOCK == map_kinds(changed, lambda kind: Quiz())
