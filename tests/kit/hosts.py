"""The hosts over ports that stay in this process, and the events that Cognito writes for the triggers."""

from copy import copy

from kit.engine_host import ANN, KEY, Post
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.functions import SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger

SOURCES = {
    "define": "DefineAuthChallenge_Authentication",
    "create": "CreateAuthChallenge_Authentication",
    "verify": "VerifyAuthChallengeResponse_Authentication",
    "pre_token": "TokenGeneration_Authentication",
}
UNANSWERED = {
    "define": {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    "create": {"publicChallengeParameters": None, "privateChallengeParameters": None, "challengeMetadata": None},
    "verify": {"answerCorrect": None},
    "pre_token": {"claimsOverrideDetails": None},
}


def ports(**settings):
    """Return what a host runs on, with *settings* in place of the fakes."""
    fakes = {
        "key": KEY,
        "courier": Post(),
        "ledger": MemoryLedger(),
        "clock": VirtualClock(),
        "random": SeededRandom(),
        "audit": MemoryAudit(),
        "environment": {},
    }
    return fakes | settings


def triggers_of(flow, **settings):
    """Return the triggers of *flow*."""
    return triggers(flow, **ports(**settings))


class Book:
    """A store of users in which everybody, or *name* alone, is there with the same *attributes*."""

    def __init__(self, attributes=ANN, *, name=None):
        self.attributes, self.name = dict(attributes), name

    def find(self, name):
        return UserRecord(self.attributes) if self.name in (None, name) else None


def sign_in_of(flow, users=None, **settings):
    """Return the plain functions of *flow*; everybody is ann unless *users* say otherwise."""
    return SignIn(flow, users=users or Book(), **ports(**settings))


def event(trigger="define", *, user=ANN, client="client", response=None, **request):
    """Return an event as Cognito writes it for *user*'s attributes in the app *client*."""
    return {
        "version": "1",
        "triggerSource": SOURCES[trigger],
        "region": "us-east-1",
        "userPoolId": "us-east-1_Abc123",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "request": {"userAttributes": copy(user), **request},
        "response": dict(UNANSWERED[trigger] if response is None else response),
    }
