"""Who holds an access token that still counts: its app client and its user, as the user pool knows them now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import field, frozen

from watchword.contract.kinds import User
from watchword.errors import UnavailableError
from watchword_adapters.aws.aws_client import KeptClient, aws_client
from watchword_adapters.rest.exchange import HttpRequest, RefusedRequest, as_mapping
from watchword_adapters.rest.pool_tokens import PoolTokens

GetUser = Callable[[str], Mapping[str, Any]]
"""Cognito's GetUser: takes an access token and returns its user's name and attributes, or raises what boto3 raises."""

_CONNECT, _READ = 1.0, 2.0  # seconds
_UNAUTHORIZED = frozenset(
    {"NotAuthorizedException", "PasswordResetRequiredException", "UserNotConfirmedException", "UserNotFoundException"}
)


@frozen
class Caller:
    """Whoever calls: the app *client* and the *user* of the access token; *fresh* if the sign-in was just now."""

    client: str
    user: User = field(repr=False)
    fresh: bool


@frozen
class Callers:
    """Tells who calls, by *tokens* and by what the pool says of them now, in *get_user*.

    The signature and the claims of a token say for whom it was made. Only the pool knows whether it was revoked since, and
    whether the user is enabled: GetUser refuses then (Cognito, "Revoking tokens").
    """

    tokens: PoolTokens = field(repr=False)
    get_user: GetUser = field(repr=False)

    def caller_of(self, request: HttpRequest) -> Caller:
        """Return who sent *request*.

        Raises:
            RefusedRequest: if there is no access token of a client on the list, or it counts no more.
            UnavailableError: if the pool cannot be asked.
        """
        header = request.headers.get("authorization", "")
        claims = self.tokens.claims(header, "access")
        user = self._user(header.partition(" ")[2].strip())
        if user.attributes.get("sub") != claims.get("sub"):
            raise RefusedRequest(401, "Unauthorized")
        return Caller(str(claims["client_id"]), user, self.tokens.is_fresh(claims))

    def _user(self, token: str) -> User:
        try:
            reply: object = self.get_user(token)
        except Exception as error:  # noqa: BLE001 - boto3 makes its errors as it goes
            code = _code_of(error)
            if code in _UNAUTHORIZED:
                raise RefusedRequest(401, "Unauthorized") from None
            raise UnavailableError("the user pool cannot be asked for a user", reason="unknown", code=code) from None
        found = _user_in(reply)
        if found is None:
            raise UnavailableError("GetUser returned no user", reason="internal")
        return found


def _code_of(error: Exception) -> str:
    """Return the code of an error of boto3's, or the name of its type."""
    code = as_mapping(as_mapping(getattr(error, "response", None)).get("Error")).get("Code")
    return code if isinstance(code, str) else type(error).__name__


def _user_in(reply: object) -> User | None:
    fields = as_mapping(reply)
    name, listed = fields.get("Username"), fields.get("UserAttributes")
    if not isinstance(name, str) or not isinstance(listed, list):
        return None
    pairs = map(as_mapping, cast("list[object]", listed))
    return User(name, {str(each.get("Name")): str(each.get("Value")) for each in pairs})


def get_user_of(pool: str) -> GetUser:
    """Return what calls GetUser of the user pool *pool*: the token is the permission, so the function needs none."""

    def make() -> Any:
        region = pool.partition("_")[0]
        return aws_client("GetUser", "cognito-idp", region=region, endpoint=None, connect=_CONNECT, read=_READ)

    client = KeptClient[Any](make)
    return lambda token: cast("Mapping[str, Any]", client.ready().get_user(AccessToken=token))
