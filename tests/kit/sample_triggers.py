"""Triggers as they are written by hand, in if and else: each with one of the faults that such samples are known for."""

import secrets

from watchword_adapters.aws_lambda import TriggerError


class Sample:
    """One step, a code by mail, state in the session. *fault* names what is wrong with it."""

    def __init__(self, arena, fault):
        self.arena = arena
        self.fault = fault

    def define(self, event, context=None):
        """Count the rounds; tokens for the last one that is true."""
        session = event["request"].get("session") or []
        said = event["request"].get("clientMetadata") or {}
        last = session[-1] if session else {}
        custom = [each for each in session if each.get("challengeName") == "CUSTOM_CHALLENGE"]
        if last.get("challengeResult") is True and (custom or self.fault == "the last true result"):
            answer = {"issueTokens": True, "failAuthentication": False}
        elif len(custom) >= 3 or said.get("challenge") == "none":
            answer = {"issueTokens": False, "failAuthentication": True}
        else:
            answer = {"issueTokens": False, "failAuthentication": False, "challengeName": "CUSTOM_CHALLENGE"}
        return self.answered(event, answer)

    def create(self, event, context=None):
        """Draw a code and mail it."""
        said = event["request"].get("clientMetadata") or {}
        attributes = event["request"]["userAttributes"]
        if self.fault == "a text of one's own" and not attributes.get("email"):
            raise TriggerError(f"User not found: {event['userName']}")
        if self.fault == "an exception gets out" and event["request"].get("userNotFound"):
            raise KeyError("email")
        code = f"{secrets.randbelow(10**8):08}"
        to = said.get("email") if self.fault == "the client names the address" else None
        self.mail(to or attributes.get("email", ""), code)
        attempts = said.get("attempts") if self.fault == "the client sets the attempts" else None
        answer = {
            "publicChallengeParameters": {"kind": "code", "step": "email_otp", "attempts_left": attempts or "3"},
            "privateChallengeParameters": {
                "round": secrets.token_hex(16),
                "answer": code,
                "expires": "9" * 10,
                "claim": code,
            },
            "challengeMetadata": "CODE",
        }
        return self.answered(event, answer)

    def verify(self, event, context=None):
        """Compare."""
        request = event["request"]
        private = request.get("privateChallengeParameters") or {}
        said = request.get("clientMetadata") or {}
        right = "answer" in private and private["answer"] == request.get("challengeAnswer")
        if self.fault == "missing equals missing":
            right = private.get("answer") == request.get("challengeAnswer")
        elif self.fault == "a flag skips the step":
            right = right or said.get("alreadyHaveMagicLink") == "yes"
        return self.answered(event, {"answerCorrect": right})

    def answered(self, event, answer):
        """Return the event with the response."""
        kept = event.get("response") or {}
        return {**event, "response": {**answer, **kept} if self.fault == "the response is kept" else answer}

    def mail(self, to, code):
        """Send the code."""
        from watchword.contract.kinds import Email

        if to:
            self.arena.mail.send(Email(to, "Your code", code, id=code), 1.0)
