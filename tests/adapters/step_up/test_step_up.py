"""Whether a token tells enough, and RFC 9470's challenge where it does not. What is missing or odd proves nothing."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError
from watchword_adapters.aws.token_claims import AT, CLAIMS, METHODS
from watchword_adapters.step_up import StepUpRequirement, step_up_challenge, step_up_reply
from watchword_adapters.step_up.requirements import STEP_UP_SKEW

NOW = 1_800_000_000.0
WORDS = ["pwd", "otp", "email", "pop", "mfa"]
ODD = [None, 7, True, ["otp"], {"otp": 1}, "", " ", "OTP", "otp2", "otp,pwd", b"otp"]


def claims(methods="pwd otp mfa", at=NOW - 10, **more):
    """Return the claims of a token."""
    return {METHODS: methods, AT: str(int(at)) if isinstance(at, float) else at, "sub": "x", **more}


def enough(given_, *methods, **more):
    """Say whether the claims are enough."""
    return step_up_challenge(given_, StepUpRequirement(methods, **more), NOW) is None


@given(
    told=st.lists(st.sampled_from(WORDS), unique=True),
    wanted=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=3),
)
def test_one_of_the_methods_is_enough_if_all_of_its_words_are_told(told, wanted):
    """In whatever order, and whatever else is told."""
    expected = any(set(each.split()) <= set(told) for each in wanted)
    assert expected == enough(claims(" ".join(told)), *wanted)


@pytest.mark.parametrize("odd", ODD)
def test_methods_that_are_missing_or_odd_prove_nothing(odd):
    """A token of a refresh has none; a list is not what the trigger writes."""
    assert not enough(claims(odd), "otp")
    assert not enough({}, "otp")
    assert not enough({"amr": ["otp"], "acr": "otp"}, "otp")


@pytest.mark.parametrize(
    ("age", "expected"), [(300, True), (301, False), (0, True), (-STEP_UP_SKEW, True), (-6, False)]
)
def test_a_sign_in_is_recent_up_to_the_age(age, expected):
    """Of whole seconds, since the claim has those. One from the future is doubtful."""
    assert expected == enough(claims(at=NOW - age), max_age=300)


@pytest.mark.parametrize(
    "odd", [None, "", "x", "-1", "1e9", "1_800_000_000", "\u0661" * 10, "9" * 13, 1_800_000_000, True]
)
def test_a_time_that_is_missing_or_odd_is_never_recent(odd):
    """``auth_time`` is Cognito's, and tells nothing of a flow."""
    assert not enough({**claims(), AT: odd, "auth_time": int(NOW)}, max_age=10**9)
    assert not enough({METHODS: "otp", "auth_time": int(NOW)}, "otp", max_age=10**9)


def test_both_are_asked_for_where_both_are_given():
    """A method that was proved long ago is not enough."""
    assert enough(claims(), "otp", max_age=60)
    assert not enough(claims(at=NOW - 90), "otp", max_age=60)
    assert not enough(claims("pwd"), "otp", max_age=60)


def test_the_clock_is_asked_where_no_time_is_given():
    """A sign-in of long ago is old by any clock."""
    assert step_up_challenge(claims(at=1.0), StepUpRequirement(max_age=60)) is not None


@pytest.mark.parametrize(
    ("requirement", "parameters"),
    [
        (StepUpRequirement(("pop", "pwd otp")), 'acr_values="pop pwd+otp"'),
        (StepUpRequirement(max_age=0), 'max_age="0"'),
        (StepUpRequirement(("mfa",), max_age=300), 'acr_values="mfa", max_age="300"'),
    ],
)
def test_the_challenge_is_that_of_rfc_9470(requirement, parameters):
    """Quoted strings of ASCII, in one header."""
    challenge = step_up_challenge({}, requirement, NOW)
    start, _, rest = challenge.header.partition(" ")
    assert "Bearer" == start
    read = dict(re.findall(r'(\w+)="([^"\\]*)"(?:, |$)', rest))
    assert 'error="insufficient_user_authentication"' in rest
    assert challenge.description == read["error_description"]
    assert rest.endswith(f", {parameters}")
    assert rest == ", ".join(f'{name}="{value}"' for name, value in read.items())
    assert rest.isascii()


@pytest.mark.parametrize("methods", ["otp", ["otp"], ("",), ("a  b",), (" otp",), ('o"',), ("Otp",), (7,), ("ötp",)])
def test_methods_that_no_token_can_tell_are_refused(methods):
    """A requirement that never holds, or a text that would break the header, is a mistake."""
    with pytest.raises(ConfigurationError, match="methods"):
        StepUpRequirement(methods)


@pytest.mark.parametrize("age", [-1, 1.5, True, "300"])
def test_an_age_is_a_whole_number(age):
    """Of seconds."""
    with pytest.raises(ConfigurationError, match="max_age"):
        StepUpRequirement(max_age=age)


def test_a_requirement_that_asks_for_nothing_is_refused():
    """It would let everybody in."""
    with pytest.raises(ConfigurationError, match="nothing"):
        StepUpRequirement()


def event(**authorizer):
    """Return a proxy event with what an authorizer has put into it."""
    return {"headers": {"authorization": "Bearer e30.e30.x"}, "requestContext": {"authorizer": authorizer}}


PLACES = {
    "JWT authorizer, HTTP API": lambda told: event(jwt={"claims": told, "scopes": None}),
    "Cognito authorizer, REST API": lambda told: event(claims=told),
    "Lambda authorizer, HTTP API": lambda told: event(**{"lambda": told}),
    "Lambda authorizer, REST API": lambda told: event(principalId="x", **told),
}
REQUIREMENT = StepUpRequirement(("mfa",), max_age=300)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_claims_are_read_where_the_authorizer_puts_them(place):
    """The same by each sort of authorizer, as texts."""
    assert step_up_reply(place(claims()), REQUIREMENT, NOW) is None
    reply = step_up_reply(place(claims("pwd")), REQUIREMENT, NOW)
    assert 401 == reply["statusCode"]
    assert step_up_challenge(claims("pwd"), REQUIREMENT, NOW).header == reply["headers"]["WWW-Authenticate"]
    assert "no-store" == reply["headers"]["Cache-Control"]
    said = json.loads(reply["body"])
    assert "insufficient_user_authentication" == said["error"]
    assert said["error_description"] == said.pop("message")
    # A gateway may give the header another name: the body says the same, and a page may read either.
    assert (
        "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items())
        == reply["headers"]["WWW-Authenticate"]
    )
    exposed = reply["headers"]["Access-Control-Expose-Headers"].split(", ")
    assert ["WWW-Authenticate", "x-amzn-Remapped-WWW-Authenticate"] == exposed


@pytest.mark.parametrize(
    "odd",
    [None, 7, {}, {"requestContext": 7}, event(), {"requestContext": {"authorizer": None}}, event(jwt=7, claims=8)],
)
def test_an_event_without_an_authorizer_proves_nothing(odd):
    """Least of all a token in a header, or claims in the body, which nobody has verified."""
    assert 401 == step_up_reply(odd, REQUIREMENT, NOW)["statusCode"]
    given_ = {**odd, **claims(), "body": json.dumps(claims())} if isinstance(odd, dict) else odd
    assert 401 == step_up_reply(given_, REQUIREMENT, NOW)["statusCode"]


@pytest.mark.parametrize("odd", [None, [], "sign_in_methods", 7, [("sign_in_methods", "mfa")]])
def test_what_is_no_mapping_of_claims_proves_nothing(odd):
    """A caller without a token may have None."""
    assert step_up_challenge(odd, REQUIREMENT, NOW).header == step_up_challenge({}, REQUIREMENT, NOW).header


def test_an_authorizer_is_read_in_one_place():
    """Where a token was verified, nothing beside it counts."""
    beside = event(jwt={"claims": {}}, **claims())
    assert 401 == step_up_reply(beside, REQUIREMENT, NOW)["statusCode"]
    assert {*CLAIMS} >= {METHODS, AT}
