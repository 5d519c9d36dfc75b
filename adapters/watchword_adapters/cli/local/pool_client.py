"""A client of a local pool: what a front end does to sign somebody in, with every call recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from watchword.algebra.derivative import CUSTOM
from watchword.contract.ports import Clock
from watchword.testing.code_tap import recorded_codes
from watchword_adapters.cli.local.call_recording import RecordedCall, Recorder
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.api.errors import ClientError


@define
class PoolClient:
    """One sign-in of *username* at *pool*; by SRP if there is a *password*.

    *challenge* is what the pool waits for, with its *parameters*; both are empty before the beginning and at the end. *drawn* is the
    answer that was drawn for it, empty if none was.
    """

    pool: LocalUserPool
    recorder: Recorder
    username: str = field(repr=False)
    srp: SrpClient | None = field(default=None, repr=False)
    challenge: str = field(default="", init=False)
    parameters: Mapping[str, str] = field(factory=dict[str, str], init=False, repr=False)
    drawn: str = field(default="", init=False, repr=False)
    _session: str = field(default="", init=False, repr=False)

    def open(self) -> RecordedCall:
        """Begin: InitiateAuth with CUSTOM_AUTH."""
        plain = {"USERNAME": self.username, "CHALLENGE_NAME": CUSTOM}
        parameters = plain if self.srp is None else self.srp.auth_parameters()
        call = {"ClientId": self.pool.client_id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": parameters}
        return self._exchange("InitiateAuth", parameters, call)

    def prove_password(self, clock: Clock) -> RecordedCall:
        """Answer PASSWORD_VERIFIER."""
        assert self.srp is not None
        return self.respond(self.srp.answer(self.parameters, clock.now()), {})

    def answer(self, text: str, **client_metadata: str) -> RecordedCall:
        """Answer CUSTOM_CHALLENGE with *text*."""
        return self.respond({"ANSWER": text}, client_metadata)

    def respond(self, responses: Mapping[str, str], client_metadata: Mapping[str, str]) -> RecordedCall:
        """Answer what the pool waits for: RespondToAuthChallenge."""
        call: dict[str, Any] = {
            "ClientId": self.pool.client_id,
            "ChallengeName": self.challenge,
            "Session": self._session,
            "ChallengeResponses": {"USERNAME": self.username, **responses},
        }
        if client_metadata:
            call["ClientMetadata"] = dict(client_metadata)
        return self._exchange("RespondToAuthChallenge", {**responses, **client_metadata}, call)

    def _exchange(self, operation: str, sent: Mapping[str, str], call: Mapping[str, Any]) -> RecordedCall:
        self.challenge, self.parameters, self.drawn = "", {}, ""
        begin = operation == "InitiateAuth"
        try:
            with recorded_codes() as codes:
                reply = (self.pool.initiate_auth if begin else self.pool.respond_to_auth_challenge)(**call)
        except ClientError as error:
            said = error.response["Error"]
            return RecordedCall(operation, sent, self.recorder.take(), {}, said["Code"], said["Message"])
        self.challenge = reply.get("ChallengeName", "")
        self.parameters = reply.get("ChallengeParameters", {})
        self.drawn = codes[-1].text if codes else ""
        self._session = reply.get("Session", "")
        return RecordedCall(operation, sent, self.recorder.take(), reply)
