"""The app client: its id, its secret, and the sign-in flows that it allows."""

from __future__ import annotations

import base64
import hmac

from attrs import field, frozen

from watchword_adapters.userpool.api import errors

ALL_FLOWS = (
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
)
"""The sign-in flows that the pool plays, by the names of an app client's ``ExplicitAuthFlows``."""

_ALLOWED_BY = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
}


@frozen
class AppClient:
    """Who calls. *secret* is empty for a public client."""

    id: str
    secret: str = field(repr=False)
    flows: frozenset[str]

    def check_flow(self, flow: str) -> None:
        """Refuse a flow that the client does not allow.

        Raises:
            InvalidParameterException: if it does not.
        """
        if _ALLOWED_BY.get(flow, f"ALLOW_{flow}") not in self.flows:
            raise errors.InvalidParameterException(f"{flow} flow not enabled for this client")

    def check_hash(self, claimed: str | None, *names: str) -> None:
        """Check a SECRET_HASH, which must be made over one of *names*.

        Raises:
            NotAuthorizedException: if it is wrong, missing, or sent to a client without a secret.
        """
        if not self.secret:
            if claimed is not None:
                raise errors.NotAuthorizedException(f"Unable to verify secret hash for client {self.id}")
            return
        if claimed is None:
            raise errors.NotAuthorizedException(
                f"Client {self.id} is configured with secret but SECRET_HASH was not received"
            )
        right = [
            hmac.compare_digest(secret_hash(self.id, self.secret, name).encode(), claimed.encode()) for name in names
        ]
        if not any(right):
            raise errors.NotAuthorizedException(f"Unable to verify secret hash for client {self.id}")

    def check_secret(self, claimed: str | None) -> None:
        """Check a ClientSecret that was sent as it is.

        Raises:
            NotAuthorizedException: if it is wrong or missing.
        """
        if self.secret and not hmac.compare_digest(self.secret.encode(), (claimed or "").encode()):
            raise errors.NotAuthorizedException("Invalid client secret")


def secret_hash(client_id: str, client_secret: str, username: str) -> str:
    """Return the SECRET_HASH that goes with *username* as it is sent in the same call."""
    digest = hmac.digest(client_secret.encode(), f"{username}{client_id}".encode(), "sha256")
    return base64.b64encode(digest).decode()
