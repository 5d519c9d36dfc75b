"""The passwordless client without a browser: its calls in its order, straight to the triggers."""

import json

from kit.engine_host import ANN
from kit.hosts import event

FIDO2 = {"signInMethod": "FIDO2"}
STEP_UP = {"signInMethod": "SMS_OTP_STEPUP"}
PAGE = "https://app.example/sign-in"


def link_metadata(have, page=PAGE):
    """What the client says with a request for a link (*have* is no), and with a link."""
    return {"signInMethod": "MAGIC_LINK", "redirectUri": page, "alreadyHaveMagicLink": have}


class Client:
    """A sign-in in the client's order of calls, with the session that Cognito keeps."""

    def __init__(self, triggers, user=ANN):
        self.triggers, self.user, self.session = triggers, user, []

    def begin(self):
        """The public parameters of InitiateAuth."""
        assert "CUSTOM_CHALLENGE" == self._call("define", session=[])["challengeName"]
        return self._created()

    def _created(self, **said):
        self.created = self._call("create", session=self.session, challengeName="CUSTOM_CHALLENGE", **said)
        return self.created["publicChallengeParameters"]

    def answer(self, text, metadata=FIDO2):
        """What RespondToAuthChallenge comes to: ``tokens``, ``failure``, or the public parameters of another round."""
        said = {"clientMetadata": metadata} if metadata is not None else {}
        private = self.created["privateChallengeParameters"]
        right = self._call("verify", privateChallengeParameters=private, challengeAnswer=text, **said)["answerCorrect"]
        done = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": right}
        self.session.append(done | {"challengeMetadata": self.created["challengeMetadata"]})
        decided = self._call("define", session=self.session, **said)
        if decided["issueTokens"] or decided["failAuthentication"]:
            return "tokens" if decided["issueTokens"] else "failure"
        return self._created(**said)

    def requests_link(self, page=PAGE):
        """The public parameters after `requestSignInLink`."""
        self.begin()
        return self.answer("__dummy__", link_metadata("no", page))

    def opens_link(self, ticket, page=PAGE):
        """What `signInWithLink` comes to: at the session of the request, or in one of its own."""
        if not self.session:
            self.begin()
        return self.answer(ticket, link_metadata("yes", page))

    def begins_step_up(self):
        """The public parameters after the first two calls of `stepUpAuthenticationWithSmsOtp`."""
        self.begin()
        return self.answer("__dummy__", STEP_UP)

    def types_code(self, token, code):
        """What a code comes to."""
        return self.answer(json.dumps({"jwt": token, "secretCode": code}), STEP_UP)

    def _call(self, trigger, **request):
        handler = getattr(self.triggers, trigger)
        return handler(event(trigger, user=self.user, **request), None)["response"]


def challenge_in(public):
    return json.loads(public["fido2options"])["challenge"]
