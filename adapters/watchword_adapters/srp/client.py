"""The client's half of a sign-in by SRP, for tests and demonstrations: no network, no clock of its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from attrs import Factory, field, frozen

from watchword.contract.ports import Random
from watchword_adapters.srp import srp6a
from watchword_adapters.srp.timestamps import format_timestamp

_SECRET_BYTES = 128  # as the clients in the field do


def _draw(client: SrpClient) -> int:
    return int.from_bytes(client.random.bytes(_SECRET_BYTES), "big") % srp6a.N


@frozen
class SrpClient:
    """One attempt to sign in with a password that never leaves this object.

    *username* is what the user types. Send `auth_parameters` with InitiateAuth, then `answer` to PASSWORD_VERIFIER.
    """

    pool_id: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    random: Random = field(repr=False)
    _private: int = field(default=Factory(_draw, takes_self=True), init=False, repr=False)

    def auth_parameters(self) -> dict[str, str]:
        """Return the AuthParameters of CUSTOM_AUTH (or USER_SRP_AUTH) that begin by SRP."""
        srp_a = srp6a.to_hex(srp6a.client_public(self._private))
        return {"USERNAME": self.username, "CHALLENGE_NAME": "SRP_A", "SRP_A": srp_a}

    def answer(self, challenge_parameters: Mapping[str, str], now: float) -> dict[str, str]:
        """Return the ChallengeResponses to PASSWORD_VERIFIER, stamped *now* (epoch seconds).

        Raises:
            ProtocolError: if the server's number is one that an honest server never sends.
        """
        user_id = challenge_parameters["USER_ID_FOR_SRP"]
        block = challenge_parameters["SECRET_BLOCK"]
        timestamp = format_timestamp(now)
        key = srp6a.client_key(
            private=self._private,
            server_public=srp6a.public_from_hex(challenge_parameters["SRP_B"], "SRP_B"),
            exponent=srp6a.secret_exponent(self.pool_id, user_id, self.password, challenge_parameters["SALT"]),
        )
        return {
            "USERNAME": user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": srp6a.signature(key, self.pool_id, user_id, base64.b64decode(block), timestamp),
            "TIMESTAMP": timestamp,
        }
