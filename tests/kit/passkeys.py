"""A stand-in for the kind `passkey`: its shape without its cryptography. The answer is right if it signs the challenge for the user."""

import base64
import json
from typing import ClassVar

from attrs import frozen

from watchword import Challenge, Verdict


def base64url(octets):
    """Bytes as clients write them."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def assertion(challenge, *, signed_by="ann", **client_data):
    """An answer of the passwordless client to *challenge*."""
    said = {"type": "webauthn.get", "challenge": challenge, "origin": "http://localhost", **client_data}
    return json.dumps(
        {
            "credentialIdB64": base64url(b"id"),
            "authenticatorDataB64": base64url(b"data"),
            "clientDataJSON_B64": base64url(json.dumps(said).encode()),
            "signatureB64": base64url(signed_by.encode()),
            "userHandleB64": None,
        }
    )


def signed_in(answer):
    """The challenge that was signed in *answer*, and by whom."""
    read = json.loads(answer)
    data = json.loads(base64.urlsafe_b64decode(read["clientDataJSON_B64"] + "=="))
    return data["challenge"], base64.urlsafe_b64decode(read["signatureB64"] + "==").decode()


@frozen
class StandIn:
    """A passkey that anybody has whose name is the signature."""

    kind: ClassVar[str] = "passkey"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})

    attempts: int = 3
    lifetime: int = 180

    def create(self, request):
        challenge = request.code("abcdefghijklmnop", 32)
        options = {"challenge": challenge, "rpId": "localhost", "timeout": 180_000, "userVerification": "required"}
        return Challenge(public={"options": json.dumps(options)}, private={"challenge": challenge})

    offer = create

    def verify(self, request):
        challenge, name = signed_in(request.answer)
        return Verdict(challenge in {request.private["challenge"], *request.issued} and name == request.user.name)

    def guess_probability(self):
        return 2.0**-128  # so nothing is charged, as for the kind itself
