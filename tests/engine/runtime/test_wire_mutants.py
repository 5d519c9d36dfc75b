"""Rules of what travels, of budgets and of keys, each of which a small change to the source once broke without a test that noticed."""

import pytest
from attrs import evolve

from kit.engine_host import KEY
from watchword.algebra import derivative
from watchword.contract.kinds import Challenge, CreateRequest, Email, RequestMethods, User, VerifyRequest
from watchword.runtime.keyring import Keyring
from watchword.runtime.wire import (
    MAX_CARRY,
    MAX_PRIVATE,
    MAX_PUBLIC,
    RESERVED_PRIVATE,
    Metadata,
    PrivateParameters,
    read_private_parameters,
    reference,
)

PARAMETERS = PrivateParameters(
    "f" * 16,
    "riddle",
    "step",
    "signin",
    "round",
    "claim",
    1_800_000_000,
    1_800_000_180,
    proven=False,
    has_own_try=False,
)
BINDING = ("pool_1", "client", "user")


def written(parameters=PARAMETERS, **own):
    """Return *parameters* as Create writes it, with a kind's *own* parameters."""
    return parameters.write(Keyring.of(KEY).current, BINDING, own)


@pytest.mark.parametrize("proven", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_a_slip_is_read_as_it_is_written(proven, own):
    """Both flags, the times and the kind's own parameters; a kind need not have any."""
    parameters = evolve(PARAMETERS, proven=proven, has_own_try=own)
    assert (parameters, {}) == read_private_parameters(written(parameters))
    assert (parameters, {"digest": "d"}) == read_private_parameters(written(parameters, digest="d"))


@pytest.mark.parametrize("passed", [(), ("one",), ("PASSWORD_VERIFIER", "one")])
@pytest.mark.parametrize("ends", [(), ("two",), ("two", "three")])
def test_lists_are_read_as_they_are_written(passed, ends):
    """What was passed before, in order, and which steps pass the flow; nothing is no name."""
    parameters = evolve(PARAMETERS, passed=passed, ends=ends)
    assert (parameters, {}) == read_private_parameters(written(parameters))


@pytest.mark.parametrize("name", sorted(RESERVED_PRIVATE))
def test_a_slip_without_one_of_its_parameters_is_none(name):
    """Each of the engine's own has to be there."""
    assert read_private_parameters({key: value for key, value in written().items() if key != name}) is None


@pytest.mark.parametrize(
    "version", ["0", str(int(derivative.FORMAT) - 1), str(int(derivative.FORMAT) + 1), "", derivative.FORMAT * 2]
)
def test_a_slip_of_another_format_is_none(version):
    """Older or newer; one that is equal counts, whichever object it is."""
    assert read_private_parameters({**written(), "v": version}) is None
    assert read_private_parameters({**written(), "v": str(int(derivative.FORMAT))}) is not None


@pytest.mark.parametrize("flag", ["proven", "own", "enrols"])
@pytest.mark.parametrize("value", ["", "2", "true", "01"])
def test_a_flag_is_0_or_1(flag, value):
    """Nothing else is a yes or a no."""
    assert read_private_parameters({**written(), flag: value}) is None


@pytest.mark.parametrize("name", ["issued", "expires"])
@pytest.mark.parametrize(
    ("text", "read"), [("9" * 11, True), ("9" * 12, True), ("9" * 13, False), ("", False), ("-1", False), ("²", False)]
)
def test_a_time_has_at_most_twelve_digits(name, text, read):
    """ASCII digits alone, and no more than a number of seconds can need."""
    assert read == (read_private_parameters({**written(), name: text}) is not None)


@pytest.mark.parametrize(("more", "read"), [(0, True), (1, False)])
def test_private_parameters_have_a_longest_length(more, read):
    """131,072 characters of values in all are read, one more is not."""
    private = written(filler="")
    filler = "x" * (MAX_PUBLIC - sum(map(len, private.values())) + more)
    assert read == (read_private_parameters({**private, "filler": filler}) is not None)


def test_the_limits_are_those_that_are_documented():
    """The figures of docs/reference/bounds.md, by value."""
    assert (256, 4096, 131_072) == (MAX_CARRY, MAX_PRIVATE, MAX_PUBLIC)


def test_a_slip_is_of_another_sign_in_unless_it_says_otherwise():
    """The message's own try belongs to one sign-in: to none by default."""
    assert PrivateParameters("f", "k", "s", "i", "r", "c", 1, 2, proven=True).has_own_try is False


def test_what_a_kind_carries_is_in_no_repr():
    """Metadata may be logged as a value; what the kind handed on may not."""
    assert "secret" not in repr(Metadata("f", "", "s", "-", "i", "c", 1, {"place": "secret"}))


def test_a_reference_has_eight_letters():
    """As many as the mail, the screen and the audit are laid out for."""
    assert 8 == len(reference("claim"))


class Loud:
    """A function that shows itself."""

    def __repr__(self):
        return "canary"

    def __call__(self, *given):
        return "canary"


LOUD = RequestMethods(*[Loud()] * 6, root_key="canary")


def test_no_value_shows_what_is_secret():
    """Neither a message nor a request, a challenge or a user: whatever logs one of them logs no code, address, name or digest."""
    user = User("canary", {"email": "canary"}, key="key")
    shown = [
        user,
        Email("canary", "canary", "canary", "canary"),
        CreateRequest("step", user, 0.0, 1, "ref", carry={"c": "canary"}, methods=LOUD),
        Challenge(private={"p": "canary"}, carry={"c": "canary"}, messages=(Email("canary", "canary", "canary"),)),
        VerifyRequest("step", user, 0.0, "canary", {"p": "canary"}, methods=LOUD),
    ]
    assert [] == [type(each).__name__ for each in shown if "canary" in repr(each)]


def test_requests_are_equal_by_what_they_say():
    """Not by the functions that the engine hands along, of which each call has its own."""
    user = User("ann", {})
    made = [
        (
            CreateRequest("step", user, 0.0, 1, "ref", methods=LOUD),
            VerifyRequest("step", user, 0.0, "answer", {}, methods=LOUD),
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
