"""What the tests of the local pool share: a virtual clock, counted randomness, and hand-written handlers.

The handlers are those that people write for the three flows of the Amplify guide, with its mistakes put right.
"""

import hashlib
import hmac
import itertools

from watchword.testing.time import VirtualClock
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool import LocalUserPool

PASSWORD = "Passw0rd!x"
EMAIL = {"email": "ann@example.com", "email_verified": "true"}
START = 1_640_995_200.0  # Sat Jan 1 00:00:00 UTC 2022


class CountedRandom:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self.counter = itertools.count()

    def bytes(self, count: int) -> bytes:
        number = next(self.counter)
        blocks = (hashlib.sha512(f"{number}:{i}".encode()).digest() for i in itertools.count())
        return b"".join(itertools.islice(blocks, count // 64 + 1))[:count]


class Recorder:
    """Wraps a trigger and keeps a copy of each event."""

    def __init__(self, trigger):
        self.trigger = trigger
        self.events = []

    def __call__(self, event, context):
        self.events.append({**event, "request": dict(event["request"]), "response": dict(event["response"])})
        return self.trigger(event, context)

    @property
    def requests(self):
        return [event["request"] for event in self.events]


def _custom(session):
    return [entry for entry in session if entry["challengeName"] == "CUSTOM_CHALLENGE"]


class CodeByMail:
    """The guide's first flow: a code by mail, three tries."""

    def __init__(self, code="271828"):
        self.code = code
        self.mails = []

    def define(self, event, context):
        custom = _custom(event["request"].get("session") or [])
        response = event["response"]
        if any(entry["challengeResult"] is True for entry in custom) and not event["request"].get("userNotFound"):
            response.update(issueTokens=True, failAuthentication=False)
        elif len(custom) >= 3:
            response.update(issueTokens=False, failAuthentication=True)
        else:
            response.update(issueTokens=False, failAuthentication=False, challengeName="CUSTOM_CHALLENGE")
        return event

    def create(self, event, context):
        if not event["request"]["session"] and not event["request"].get("userNotFound"):
            self.mails.append((event["request"]["userAttributes"]["email"], self.code))
        event["response"]["publicChallengeParameters"] = {"kind": "email_otp"}
        event["response"]["privateChallengeParameters"] = {"answer": self.code}
        event["response"]["challengeMetadata"] = "code-1"
        return event

    def verify(self, event, context):
        expected = event["request"]["privateChallengeParameters"]["answer"]
        event["response"]["answerCorrect"] = hmac.compare_digest(
            expected.encode(), event["request"]["challengeAnswer"].encode()
        )
        return event


class PasswordThenCode(CodeByMail):
    """The guide's second flow: SRP first, then a custom challenge."""

    def define(self, event, context):
        session = event["request"]["session"]
        names = [(entry["challengeName"], entry["challengeResult"]) for entry in session]
        response = event["response"]
        response.update(issueTokens=False, failAuthentication=False)
        if names == [("SRP_A", True)]:
            response["challengeName"] = "PASSWORD_VERIFIER"
        elif names == [("SRP_A", True), ("PASSWORD_VERIFIER", True)]:
            response["challengeName"] = "CUSTOM_CHALLENGE"
        elif names[2:] == [("CUSTOM_CHALLENGE", True)]:
            response["issueTokens"] = True
        else:
            response["failAuthentication"] = True
        return event


class Picture(CodeByMail):
    """The guide's third flow: a CAPTCHA, new after each wrong answer."""

    def create(self, event, context):
        text = f"text{len(event['request']['session'])}"
        event["response"]["publicChallengeParameters"] = {"captchaUrl": f"https://pictures.example/{text}"}
        event["response"]["privateChallengeParameters"] = {"answer": text}
        return event


class World:
    """A pool with Ann in it, its clock, and the events that its triggers saw."""

    def __init__(self, handlers=None, *, user=True, clock=None, **settings):
        self.handlers = handlers or CodeByMail()
        self.define = Recorder(self.handlers.define)
        self.create = Recorder(self.handlers.create)
        self.verify = Recorder(self.handlers.verify)
        self.clock = clock or VirtualClock(START)
        self.random = CountedRandom()
        settings = {"clock": self.clock, "random": self.random, **settings}
        self.pool = LocalUserPool(self.define, self.create, self.verify, **settings)
        if user:
            self.pool.add_user("ann", password=PASSWORD, attributes=EMAIL)

    def begin(self, name="ann", flow="CUSTOM_AUTH", **parameters):
        return self.pool.initiate_auth(
            ClientId=self.pool.client_id, AuthFlow=flow, AuthParameters={"USERNAME": name, **parameters}
        )

    def answer(self, reply, text, name="ann", **more):
        return self.pool.respond_to_auth_challenge(
            ClientId=self.pool.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=reply["Session"],
            ChallengeResponses={"USERNAME": name, "ANSWER": text},
            **more,
        )

    def srp(self, name="ann", password=PASSWORD):
        return SrpClient(self.pool.pool_id, name, password, self.random)

    def begin_srp(self, client, flow="CUSTOM_AUTH"):
        return self.pool.initiate_auth(
            ClientId=self.pool.client_id, AuthFlow=flow, AuthParameters=client.auth_parameters()
        )

    def prove(self, client, reply, **changes):
        responses = {**client.answer(reply["ChallengeParameters"], self.clock.now()), **changes}
        session = {"Session": reply["Session"]} if "Session" in reply else {}
        return self.pool.respond_to_auth_challenge(
            ClientId=self.pool.client_id, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=responses, **session
        )

    def tokens(self):
        return self.answer(self.begin(), "271828")["AuthenticationResult"]


def code_of(error):
    """The code of a boto3-shaped error."""
    return error.value.response["Error"]["Code"]


def text_of(error):
    """The text of a boto3-shaped error."""
    return error.value.response["Error"]["Message"]
