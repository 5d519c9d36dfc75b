"""Reads what is deployed through boto3. Every call describes, lists or gets: nothing is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from attrs import evolve, field, frozen

from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.deploy.reading.deployment import (
    DeployedFunction,
    Deployment,
    Facts,
    Table,
    called_by,
    not_for,
    of_ours,
    within,
)
from watchword_adapters.deploy.reading.values import Partial, TextValue, Unknown, get, joined, list_value, words
from watchword_adapters.deploy.stack.user_pool import CALLED, FLOWS
from watchword_adapters.extras import missing_extra

T = TypeVar("T")
Clients = Callable[[str], Any]
"""Gives boto3's client of a service, by its name."""

_MOST_CLIENTS = 200
_ARN = re.compile(
    r"arn:[a-z0-9-]{1,20}:lambda:[a-z0-9-]{1,30}:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128}|:\$LATEST)?"
)
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LOGS_ALONE = "service-role/AWSLambdaBasicExecutionRole"
"""How the ARN of the managed policy ends that allows a function its log and nothing else."""
_GONE = ("ResourceNotFoundException", "ResourceNotFound")


def clients(region: str, endpoint: str) -> Clients:
    """Return what makes boto3's clients; *region* and *endpoint* are boto3's own if empty.

    Raises:
        ConfigurationError: if *endpoint* is no URL of a host, or boto3 is missing.
    """
    if endpoint and not _is_address(endpoint):  # not shown: it may hold a password
        raise ConfigurationError(
            "--endpoint is no address: write http:// or https://, a host and its port, without a user"
        )
    try:
        import boto3  # noqa: PLC0415 - only where something is read
    except ImportError:
        raise missing_extra("reading a pool", "boto3") from None
    made: Any = boto3
    return lambda service: made.client(service, region_name=region or None, endpoint_url=endpoint or None)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:  # of the port, or of a bracket that has no end
        return False


def read_deployment(
    clients: Clients, pool_id: str, client_id: str, apis: Mapping[str, str] | None = None
) -> Deployment:
    """Return what is deployed around the pool *pool_id* and its app client *client_id*; *apis* are functions' names or ARNs, by API.

    What may not be read is named in `Deployment.unread`; only the pool itself must be readable.

    Raises:
        ConfigurationError: if there is no such pool or client, or no credentials.
        UnavailableError: if AWS cannot be reached.
    """
    reading = _Reading(clients)
    cognito = reading.client("cognito-idp")
    pool, mfa = reading.pool(pool_id)
    client = reading.needed(
        "the app client",
        lambda: cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"],
    )
    others = reading.optional("the other app clients", lambda: _others(cognito, pool_id, client_id)) or {}
    attached = {trigger: named for trigger in CALLED if isinstance(named := called_by(pool, trigger), str)}
    functions = of_ours({trigger: reading.function(trigger, named) for trigger, named in attached.items()})
    enrolling = {name: reading.function(name, named) for name, named in (apis or {}).items()}
    every = (*functions.values(), *enrolling.values())
    tables = [reading.table(name) for name in sorted(_tables(every, "WATCHWORD_LEDGER"))]
    stores = [reading.table(name, kept=True) for name in sorted(_tables(every, "WATCHWORD_CREDENTIALS"))]
    spending = dict(reading.spending(functions.values()))
    return Deployment(
        pool=pool,
        client=client,
        spending=spending,
        mfa=mfa,
        others=others,
        functions=functions,
        apis=enrolling,
        tables=tuple(each for each in tables if each is not None),
        stores=tuple(each for each in stores if each is not None),
        unread=tuple(reading.unread),
        live=True,
    )


def read_pool(clients: Clients, pool_id: str) -> Deployment:
    """Return the pool *pool_id* and its MFA, without its app clients and its functions.

    Raises:
        ConfigurationError: if there is no such pool, or no credentials.
        UnavailableError: if AWS cannot be reached.
    """
    reading = _Reading(clients)
    pool, mfa = reading.pool(pool_id)
    return Deployment(pool=pool, mfa=mfa, unread=tuple(reading.unread), live=True)


def attachable(clients: Clients, trigger: str, named: str) -> tuple[DeployedFunction, tuple[str, ...]]:
    """Return the function *named*, by name or ARN, which is to be attached as *trigger*, and what of it cannot be read.

    Raises:
        ConfigurationError: if it is neither, there is no such function, its ARN cannot be read, or it is another trigger's.
    """
    option = f"--{trigger.replace('_', '-')}"
    is_arn = bool(_ARN.fullmatch(named))
    if not is_arn and not _FUNCTION_NAME.fullmatch(named):
        raise ConfigurationError(f"{option} {named[:80]}: it is neither a function's ARN nor its name")
    reading = _Reading(clients)
    function = reading.function(trigger, named)
    if function.facts is None and (not is_arn or any(f"({gone})" in reading.unread[0] for gone in _GONE)):
        remedy = "see its ARN and --region" if is_arn else "give its ARN"
        raise ConfigurationError(f"{option} {named}: no such function can be read, {reading.unread[0]}: {remedy}")
    wrong = not_for(trigger, function)
    if wrong:
        raise ConfigurationError(
            f"{option} {named}: this is another trigger's function, {wrong}: give that of {trigger}"
        )
    name = named if is_arn or function.facts is None else str(function.facts["FunctionArn"])
    return evolve(function, name=name), tuple(reading.unread)


def _others(cognito: Any, pool_id: str, client_id: str) -> dict[str, tuple[str | Unknown, ...]]:
    found: dict[str, tuple[str | Unknown, ...]] = {}
    page: dict[str, Any] = {}
    while len(found) < _MOST_CLIENTS:
        reply = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60, **page)
        for each in reply.get("UserPoolClients", ()):
            if each["ClientId"] != client_id:
                told = cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=each["ClientId"])
                found[each["ClientId"]] = flows_of(told["UserPoolClient"])
        if not reply.get("NextToken"):
            break
        page = {"NextToken": reply["NextToken"]}
    return found


def flows_of(client: Facts) -> tuple[str | Unknown, ...]:
    """Return the flows that an app client allows; those that Cognito takes if none are said."""
    said = words(get(client, "ExplicitAuthFlows"))
    # The service model: without any, refresh tokens, SRP and custom authentication.
    return said or ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")


def flows_beside(allowed: Iterable[str | Unknown]) -> list[str]:
    """Return those of the flows *allowed* that go round the flow."""
    return [each for each in allowed if isinstance(each, str) and each not in {*FLOWS, "CUSTOM_AUTH_FLOW_ONLY"}]


def table_of(ledger: TextValue | None) -> TextValue | None:
    """Return the table that the setting of a ledger, or of a store, names; None if it names none."""
    first, *more = ledger.parts if isinstance(ledger, Partial) else (ledger,)
    if not isinstance(first, str) or not first.lower().startswith("dynamodb://"):
        return None
    named: list[str | Unknown] = []
    for part in (first[len("dynamodb://") :], *more):
        if isinstance(part, str) and "?" in part:
            named.append(part.partition("?")[0])
            break
        named.append(part)
    return joined(named) or None


def _tables(functions: Iterable[DeployedFunction], variable: str) -> set[str]:
    named = {table_of(each.setting(variable)) for each in functions}
    return {each for each in named if isinstance(each, str)}


def _words(setting: TextValue | None) -> list[str]:
    return setting.split() if isinstance(setting, str) else []


def _region(url: str) -> str:
    return next(iter(parse_qs(urlsplit(url).query).get("region", ())), "")


class _Elsewhere(Exception):  # noqa: N818 - a reason why something is not read
    """Raised if something is kept where it is not read, with words that say so."""


@frozen
class _Reading:
    clients: Clients
    unread: list[str] = field(factory=list[str])
    _made: dict[str, Any] = field(factory=dict[str, Any])

    def client(self, service: str) -> Any:
        if service not in self._made:
            try:
                self._made[service] = self.clients(service)
            except Exception as error:  # noqa: BLE001 - botocore has a class for each reason
                raise ConfigurationError(
                    f"boto3 can make no client of {service} ({type(error).__name__}): give --region, and see your credentials"
                ) from None
        return self._made[service]

    def needed(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - told apart by its code
            code = _code(error)
            if code in _GONE or code == "InvalidParameterException":
                raise ConfigurationError(f"{what} is not there: see --pool-id, --client-id and --region") from None
            if _answered(error) or "Credentials" in code:
                raise ConfigurationError(
                    f"{what} may not be read ({code}): see your credentials and their policy"
                ) from None
            raise UnavailableError(f"{what} cannot be read: AWS is not reached ({code})") from None

    def optional(self, what: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - told apart by its code
            self.unread.append(f"{what} ({_code(error)})")
            return None

    def pool(self, pool_id: str) -> tuple[Facts, Facts | None]:
        """Return the pool *pool_id* and its MFA; None if that cannot be read."""
        cognito = self.client("cognito-idp")
        pool: Facts = self.needed("the pool", lambda: cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"])
        mfa: Facts | None = self.optional(
            "the pool's MFA", lambda: cognito.get_user_pool_mfa_config(UserPoolId=pool_id)
        )
        return pool, None if mfa is None else {name: each for name, each in mfa.items() if name != "ResponseMetadata"}

    def function(self, trigger: str, arn: str) -> DeployedFunction:
        functions = self.client("lambda")
        facts: Facts | None = self.optional(
            f"the function of {trigger}", lambda: functions.get_function_configuration(FunctionName=arn)
        )
        statements = self.optional(f"who may call {trigger}", lambda: _statements(functions, arn))
        retention = None
        if facts is not None:
            group = within(facts, "LoggingConfig").get("LogGroup") or f"/aws/lambda/{facts.get('FunctionName', '')}"
            retention = self.optional(f"the log of {trigger}", lambda: _retention(self.client("logs"), group))
        rights = None if trigger == "define" else self.rights(trigger, str((facts or {}).get("Role", "")))
        return DeployedFunction(arn, facts, statements, retention, rights=rights)

    def rights(self, trigger: str, role: str) -> tuple[Facts, ...] | None:
        """Return the statements of the policies in *role*, the ARN of one; None if it has others beside."""
        name = role.rpartition("/")[2]
        if not name:
            return None

        def read() -> tuple[Facts, ...]:
            iam = self.client("iam")
            attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            if not all(str(each["PolicyArn"]).endswith(LOGS_ALONE) for each in attached):
                raise _Elsewhere("its role has managed policies")
            listed = iam.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in listed]
            return tuple(statement for each in documents for statement in list_value(get(each, "Statement")))

        return self.optional(f"what {trigger} may do", read)

    def spending(self, functions: Iterable[DeployedFunction]) -> Iterator[tuple[str, str]]:
        """Give what the operator lets SMS cost in a month, by the scheme of each courier of *functions* that is paid for; nothing if no limit is set."""
        urls = {url for each in functions for url in _words(each.setting("WATCHWORD_COURIER"))}
        for scheme, read in (("sns", self._limit_of_sns), ("sms-voice", self._limit_of_sms_voice)):
            regions = {_region(url) for url in urls if url.lower().startswith(f"{scheme}:")}
            what = f"the spending limit of {scheme}"
            for region in sorted(regions):
                limit = self.optional(what, partial(self._in_region, read, scheme, region))
                if limit is not None:
                    yield scheme, limit

    def _in_region(self, read: Callable[[Any], str], scheme: str, region: str) -> str:
        client = self.client("pinpoint-sms-voice-v2" if scheme == "sms-voice" else scheme)
        if region not in {"", str(client.meta.region_name)}:
            raise _Elsewhere(f"it is in {region[:30]}, ask with --region")
        return read(client)

    @staticmethod
    def _limit_of_sns(sns: Any) -> str:
        told = sns.get_sms_attributes(attributes=["MonthlySpendLimit"])
        return str(within(told, "attributes").get("MonthlySpendLimit", ""))

    @staticmethod
    def _limit_of_sms_voice(voice: Any) -> str:
        limits = voice.describe_spend_limits()["SpendLimits"]
        own = (each for each in limits if each["Name"] == "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT" and each["Overridden"])
        return next((str(each["EnforcedLimit"]) for each in own), "")

    def table(self, name: str, *, kept: bool = False) -> Table | None:
        """Return the table *name*; if it is *kept* for years, with how it is protected."""
        dynamodb = self.client("dynamodb")

        def described() -> Table:
            try:
                told = dynamodb.describe_table(TableName=name)["Table"]
            except Exception as error:
                if _code(error) in _GONE:
                    return Table(name, "", "")
                raise
            key = ",".join(each["AttributeName"] for each in told["KeySchema"])
            ends = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            alive = ends.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
            table = Table(name, key, ends.get("AttributeName", "") if alive else "")
            if not kept:
                return table
            backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            recovery = within(backups, "PointInTimeRecoveryDescription").get("PointInTimeRecoveryStatus")
            protected = told.get("DeletionProtectionEnabled") is True
            return evolve(table, restorable=recovery == "ENABLED", protected=protected)

        return self.optional(f"the table {name}", described)


def _statements(functions: Any, arn: str) -> tuple[Facts, ...]:
    try:
        policy = json.loads(functions.get_policy(FunctionName=arn)["Policy"])
    except Exception as error:
        if _code(error) in _GONE:
            return ()
        raise
    return tuple(policy.get("Statement", ()))


def _retention(logs: Any, group: str) -> int:
    groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return next((int(each.get("retentionInDays") or 0) for each in groups if each["logGroupName"] == group), 0)


def _code(error: Exception) -> str:
    """Return the code of an error of botocore's; its own words may hold anything."""
    if isinstance(error, _Elsewhere):
        return str(error)
    response: Any = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return str(code or type(error).__name__)  # pyright: ignore[reportUnknownArgumentType]


def _answered(error: Exception) -> bool:
    return isinstance(getattr(error, "response", None), Mapping)
