"""What Pre Token Generation answers: our claims and no others of their names, beside whatever else is said."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY
from kit.hosts import triggers_of
from kit.offering_flows import OFFERING
from watchword import ConfigurationError, Flow
from watchword.runtime.sign_ins.evidence import Evidence
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws.token_claims import CLAIMS, token_claims_of, with_claims
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_plugins.email_otp import EmailOtp

TOLD = {"sign_in_methods": "otp email", "sign_in_flow": "acme", "sign_in_at": "1800000000"}
NAMES = st.sampled_from([*CLAIMS, "tenant", "acr"])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "claimsToAddOrOverride": st.none() | st.dictionaries(NAMES, st.text(max_size=3)),
        "claimsToSuppress": st.none() | st.lists(NAMES),
        "groupOverrideDetails": st.just({"groupsToOverride": ["g"]}),
        "scopesToAdd": st.just(["s"]),
    },
)


def event(version="1", response=None, source="TokenGeneration_Authentication", **request):
    """Return an event of Pre Token Generation."""
    return {
        "version": version,
        "triggerSource": source,
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"clientId": "client"},
        "request": {"userAttributes": ANN, **request},
        "response": response,
    }


def change_of(answer, token="idTokenGeneration"):
    """Return what *answer* says of one token."""
    first = answer["response"].get("claimsOverrideDetails")
    return first or answer["response"]["claimsAndScopeOverrideDetails"][token]


def test_evidence_is_three_texts():
    """An event of version 1 takes no other values; a claim without a value is absent."""
    assert TOLD == token_claims_of(Evidence(("otp", "email"), "acme", "f" * 16, 1_800_000_000))
    assert {"sign_in_flow", "sign_in_at"} == token_claims_of(Evidence((), "acme", "f" * 16, 1)).keys()


@given(
    version=st.sampled_from(["1", "2", "3"]),
    change=st.none() | CHANGES,
    claims=st.sampled_from([TOLD, {}, {"sign_in_flow": "acme"}]),
)
def test_claims_of_our_names_are_ours_and_all_others_stay(version, change, claims):
    """Whoever put one there: it is overwritten, or suppressed. None is both added and suppressed."""
    first = version == "1"
    inner = change if first else {"idTokenGeneration": change, "accessTokenGeneration": change}
    details = "claimsOverrideDetails" if first else "claimsAndScopeOverrideDetails"
    said = event(version, {details: inner})
    before = copy.deepcopy(said)
    answer = with_claims(said, claims)
    assert before == said
    for token in ("idTokenGeneration",) if first else ("idTokenGeneration", "accessTokenGeneration"):
        made, given_ = change_of(answer, token), change or {}
        added, suppressed = made["claimsToAddOrOverride"], made["claimsToSuppress"]
        assert claims == {name: value for name, value in added.items() if name in CLAIMS}
        assert {*CLAIMS} - claims.keys() == {*suppressed} & {*CLAIMS}
        others = given_.get("claimsToAddOrOverride") or {}
        assert {name: value for name, value in others.items() if name not in CLAIMS} == {
            name: value for name, value in added.items() if name not in CLAIMS
        }
        assert [each for each in given_.get("claimsToSuppress") or [] if each not in CLAIMS] == [
            each for each in suppressed if each not in CLAIMS
        ]
        untouched = given_.keys() - {"claimsToAddOrOverride", "claimsToSuppress"}
        assert all(given_[name] == made[name] for name in untouched)
        # An empty or null object of groups would take the user's groups out.
        assert untouched == made.keys() - {"claimsToAddOrOverride", "claimsToSuppress"}
    assert answer == with_claims(answer, claims)


@pytest.mark.parametrize("response", [None, {}, "odd", {"claimsOverrideDetails": "odd"}])
@pytest.mark.parametrize("version", ["1", None])
def test_an_odd_response_is_replaced(response, version):
    """An event without a version is one of the first."""
    assert TOLD == change_of(with_claims(event(version, response), TOLD))["claimsToAddOrOverride"]


@pytest.mark.parametrize("version", ["4", 1, "x"])
def test_an_event_of_another_version_is_left_as_it_is(version):
    """Nobody knows which form its answer has: nothing is claimed, and nobody is locked out."""
    given_ = event(version, {"claimsOverrideDetails": None})
    assert given_ == with_claims(given_, TOLD)


@pytest.mark.parametrize(
    "source",
    [
        "TokenGeneration_RefreshTokens",
        "TokenGeneration_NewPasswordChallenge",
        "TokenGeneration_AuthenticateDevice",
        "TokenGeneration_HostedAuth",
        "TokenGeneration_ClientCredentials",
    ],
)
def test_other_tokens_than_those_of_a_sign_in_tell_nothing(source):
    """Nothing is read, and what somebody else put there is taken out."""
    made = triggers_of(OFFERING)
    put = {"claimsOverrideDetails": {"claimsToAddOrOverride": {**TOLD, "tenant": "a"}}}
    answer = made.pre_token(event("1", put, source, clientMetadata={"watchword_signin": "0" * 32}))
    assert {"claimsToAddOrOverride": {"tenant": "a"}, "claimsToSuppress": list(CLAIMS)} == change_of(answer)


@pytest.mark.parametrize(
    "odd",
    [
        {"userName": 7},
        {"callerContext": 7},
        {"request": 7},
        {"request": None},
        {"userPoolId": ["x"]},
        {"request": {"userAttributes": None}},
    ],
)
def test_an_odd_event_is_no_error_for_the_user(odd):
    """Tokens are issued, and tell nothing."""
    answer = triggers_of(OFFERING).pre_token({**event(), **odd})
    assert {} == change_of(answer)["claimsToAddOrOverride"]


def test_an_event_of_another_trigger_is_refused():
    """The operator has attached the function to the wrong one; one handler takes all four."""
    made = triggers_of(OFFERING)
    with pytest.raises(TriggerError):
        made.pre_token({**event(), "triggerSource": "DefineAuthChallenge_Authentication"})
    assert {*CLAIMS} == {*change_of(made.handler(event()))["claimsToSuppress"]}


def test_the_function_of_tokens_alone_needs_neither_courier_nor_store():
    """By the name of its handler, as for the other functions; the key and the ledger it reads."""
    lambda_ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "handlers.pre_token"}
    with pytest.raises(ConfigurationError, match="WATCHWORD_KEY"):
        triggers(Flow(EmailOtp()), environment=lambda_)
    with pytest.raises(ConfigurationError, match="WATCHWORD_LEDGER"):
        triggers(Flow(EmailOtp()), key=KEY, environment=lambda_)
    made = triggers(Flow(EmailOtp()), key=KEY, ledger="process-only", environment=lambda_, audit=MemoryAudit())
    assert {*CLAIMS} == {*change_of(made.pre_token(event()))["claimsToSuppress"]}


def test_a_function_that_defines_only_tells_nothing():
    """It has no key."""
    lambda_ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "handlers.define"}
    with pytest.raises(TriggerError):
        triggers(Flow(EmailOtp()), environment=lambda_).pre_token(event())
