"""Triggers can be told to be slow, or to fail in each way that they may."""

import pytest

from kit.pool_server import application_of, called, pool_with_ann
from kit.user_pool import CodeByMail
from watchword.errors import ConfigurationError
from watchword.testing.time import VirtualClock
from watchword_adapters.poolserver.fault_injection import FAULTS, Failure, InjectedError, failure_of, with_fault


def trigger(event, context):
    """A trigger that answers."""
    return {"answered": event}


def made(*failures, latency=0.0, clock=None):
    return with_fault("create", trigger, latency=latency, failures=failures, deadline=5, clock=clock or VirtualClock())


def test_nothing_to_rehearse_leaves_the_trigger_alone():
    """Not even a wrapper is put around it."""
    assert made() is trigger
    assert made(Failure("define", "raise")) is trigger


def test_latency_comes_before_the_answer():
    """A slow trigger does what it does."""
    clock = VirtualClock()
    assert made(latency=1.5, clock=clock)(7, None) == {"answered": 7}
    assert clock.slept == 1.5


def test_a_trigger_can_raise():
    """By default."""
    with pytest.raises(InjectedError):
        made(failure_of("create"))(7, None)


def test_a_late_trigger_has_done_its_work():
    """The mail is out when the pool gives up waiting: that is the point of it."""
    clock = VirtualClock()
    assert made(failure_of("create:late"), clock=clock)(7, None) == {"answered": 7}
    assert clock.slept > 5


def test_a_trigger_can_return_nothing_or_nonsense():
    """As handlers do that forget the return, or misread the contract."""
    assert made(failure_of("create:nothing"))(7, None) is None
    assert made(failure_of("create:malformed"))(7, None)["response"]


@pytest.mark.parametrize("text", ["", "creat", "create:sometimes", "define:raise:x", ":raise"])
def test_what_cannot_be_rehearsed_is_refused_with_what_can(text):
    """A typing error must not pass for a rehearsal."""
    with pytest.raises(ConfigurationError, match="define, create, verify and of raise, late, nothing, malformed"):
        failure_of(text)


EXPECTED = {
    "raise": "UserLambdaValidationException",
    "late": "UnexpectedLambdaException",
    "nothing": "InvalidLambdaResponseException",
    "malformed": "InvalidLambdaResponseException",
}


@pytest.mark.parametrize("name", ["define", "create", "verify"])
@pytest.mark.parametrize("kind", FAULTS)
def test_the_client_sees_cognito_s_error_for_each_failure(name, kind):
    """Whatever a trigger does, the client gets a 400 with the name that Cognito has for it."""
    handlers, clock = CodeByMail(), VirtualClock()
    failing = {
        each: with_fault(
            each, getattr(handlers, each), latency=0, failures=[Failure(name, kind)], deadline=5, clock=clock
        )
        for each in ("define", "create", "verify")
    }
    pool = pool_with_ann(
        type("Handlers", (), {each: staticmethod(call) for each, call in failing.items()}), clock=clock
    )
    application = application_of(pool)
    begun = called(
        application,
        "InitiateAuth",
        {"ClientId": pool.client_id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "ann"}},
    )
    if name == "verify":
        begun = called(
            application,
            "RespondToAuthChallenge",
            {
                "ClientId": pool.client_id,
                "ChallengeName": "CUSTOM_CHALLENGE",
                "Session": begun.json["Session"],
                "ChallengeResponses": {"USERNAME": "ann", "ANSWER": "271828"},
            },
        )
    assert (begun.status, begun.json["__type"]) == (400, EXPECTED[kind])
