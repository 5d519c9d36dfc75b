"""The doctor's findings: what in a deployment lets people past the flow, breaks it, or keeps more than it should."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs
from attrs import frozen

from watchword.blocks import Block
from watchword.challenge import HostRun
from watchword.errors import ConfigurationError
from watchword.flow import Flow
from watchword.keyring import Keyring
from watchword_adapters.deploy.deployment import DeployedFunction, Deployment, Facts, texts, within
from watchword_adapters.deploy.read_aws import flows_of
from watchword_adapters.deploy.template import FLOWS, TIMEOUT, TRIGGERS, conditions_on_attributes, session_minutes
from watchword_adapters.ledgers.dynamodb_items import KEY, TTL

Severity = Literal["error", "warning", "note"]

SEVERITIES: Mapping[str, Severity] = {
    "WD01": "error",
    "WD02": "error",
    "WD03": "error",
    "WD04": "error",
    "WD05": "error",
    "WD06": "error",
    "WD07": "error",
    "WD08": "warning",
    "WD09": "error",
    "WD10": "error",
    "WD11": "warning",
    "WD12": "warning",
    "WD13": "warning",
    "WD14": "warning",
    "WD15": "error",
    "WD16": "warning",
    "WD17": "error",
    "WD18": "warning",
    "WD19": "error",
    "WD20": "warning",
    "WD21": "note",
    "WD22": "warning",
    "WD23": "warning",
    "WD24": "error",
    "WD25": "note",
}
"""Every code, and how serious it is."""

_LEAST_MEMORY = 256
_DEBUG = {"DEBUG", "TRACE"}
_WRITABLE_AT_FIRST = "custom:"


@frozen
class Finding:
    """One thing that is wrong, and what to do."""

    code: str
    message: str
    remedy: str

    @property
    def severity(self) -> Severity:
        """How serious it is."""
        return SEVERITIES[self.code]


def diagnose(deployment: Deployment, flow: Flow | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with *deployment*, worst first; what depends on the flow only if *flow* is given."""
    found = [
        *_client(deployment),
        *_pool(deployment),
        *_functions(deployment),
        *_settings(deployment),
        *_tables(deployment),
        *(_by_flow(deployment, flow) if flow is not None else ()),
        *(
            Finding("WD25", f"not checked: {each}", "let your credentials read it, and ask again")
            for each in deployment.unread
        ),
    ]
    order = ("error", "warning", "note")
    return tuple(sorted(found, key=lambda each: (order.index(each.severity), each.code)))


def _client(deployment: Deployment) -> Iterator[Finding]:
    client = deployment.client
    if client is None:
        return
    allowed = flows_of(client)
    beside = [each for each in allowed if each not in {*FLOWS, "CUSTOM_AUTH_FLOW_ONLY"}]
    exactly = f"allow exactly {' and '.join(FLOWS)}"
    if beside:
        yield Finding(
            "WD01", f"the app client allows {', '.join(beside)}: whoever takes that way meets no challenge", exactly
        )
    if not {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"} & set(allowed):
        yield Finding(
            "WD02", "the app client does not allow custom authentication: nobody can sign in by the flow", exactly
        )
    if client.get("PreventUserExistenceErrors") != "ENABLED":
        yield Finding(
            "WD03",
            "the app client tells who has an account: existence errors are LEGACY",
            "set PreventUserExistenceErrors=ENABLED",
        )
    if client.get("AllowedOAuthFlowsUserPoolClient") is True and "COGNITO" in (
        client.get("SupportedIdentityProviders") or ["COGNITO"]
    ):
        yield Finding(
            "WD17",
            "managed login may be used with the app client: it asks for the password alone and never for the flow",
            "turn off AllowedOAuthFlowsUserPoolClient, or take COGNITO out of SupportedIdentityProviders",
        )
    if client.get("EnableTokenRevocation") is False:
        yield Finding("WD23", "refresh tokens cannot be revoked", "set EnableTokenRevocation=true")


def _pool(deployment: Deployment) -> Iterator[Finding]:
    pool = deployment.pool
    if pool is None:
        return
    missing = [named for trigger, named in TRIGGERS.items() if trigger not in deployment.functions]
    if missing:
        yield Finding("WD04", f"no function is attached to {', '.join(missing)}", "attach it; the command stands below")
    if within(pool, "UsernameConfiguration").get("CaseSensitive", True) is True:
        yield Finding(
            "WD16",
            "user names are case sensitive: Ann and ann are two accounts, with a budget each",
            "it is fixed when a pool is made: fold names in your client, or move to a new pool",
        )
    for name, flows in sorted(deployment.others.items()):
        beside = [each for each in flows if each not in {*FLOWS, "CUSTOM_AUTH_FLOW_ONLY"}]
        if beside:
            yield Finding(
                "WD20",
                f"another app client of the pool, {name}, allows {', '.join(beside)}: its tokens need no challenge",
                "have your services accept the tokens of this client alone (aud, client_id), or allow the same flows there",
            )


def _functions(deployment: Deployment) -> Iterator[Finding]:
    for trigger, function in deployment.functions.items():
        yield from _permissions(trigger, function, deployment.pool)
        facts = function.facts
        if facts is None:
            continue
        seconds = facts.get("Timeout", 3)
        if seconds != TIMEOUT:
            then = (
                "ends calls that could still be answered"
                if seconds < TIMEOUT
                else "works on when Cognito has called again"
            )
            yield Finding(
                "WD13", f"{trigger} has a timeout of {seconds} s: it {then}", f"set its timeout to {TIMEOUT} s"
            )
        memory = facts.get("MemorySize", 128)
        if trigger != "define" and memory < _LEAST_MEMORY:
            yield Finding(
                "WD22",
                f"{trigger} has {memory} MB, and as little processor: boto3 alone may take the five seconds when it starts",
                "give it 512 MB or more",
            )
        if function.retention == 0:
            yield Finding("WD18", f"the log of {trigger} is kept for ever", "set a retention for its log group")


def _permissions(trigger: str, function: DeployedFunction, pool: Facts | None) -> Iterator[Finding]:
    if function.statements is None:
        return
    arn = str((pool or {}).get("Arn", ""))
    allowing = [each for each in function.statements if each.get("Effect") == "Allow" and _invokes(each)]
    wide = [each for each in allowing if _is_wide(each)]
    if wide:
        yield Finding(
            "WD06",
            f"{trigger} may be called by others than the pool: a permission has no SourceArn, or one with a star",
            "replace it by one whose SourceArn is the pool's ARN",
        )
    if pool is not None and not any(_lets(each, arn) for each in allowing):
        yield Finding(
            "WD05",
            f"the pool may not call {trigger}: every sign-in ends",
            "add the permission; the command stands below",
        )


def _invokes(statement: Facts) -> bool:
    return any(
        each.lower() in {"lambda:invokefunction", "lambda:*", "*"} for each in texts(statement.get("Action", ""))
    )


def _sources(statement: Facts) -> list[str]:
    found: list[str] = []
    conditions = within(statement, "Condition")
    for test in conditions:
        for name, value in within(conditions, test).items():
            if name.lower() == "aws:sourcearn":
                found += texts(value)
    return found


def _principals(statement: Facts) -> list[str]:
    named = within(statement, "Principal")
    return [each for value in named.values() for each in texts(value)] or texts(statement.get("Principal", ""))


def _is_wide(statement: Facts) -> bool:
    principals = _principals(statement)
    if "cognito-idp.amazonaws.com" not in principals and "*" not in principals:
        return False  # the operator's own accounts and roles
    sources = _sources(statement)
    return not sources or any("*" in each or "?" in each for each in sources)


def _lets(statement: Facts, arn: str) -> bool:
    if not {"cognito-idp.amazonaws.com", "*"} & set(_principals(statement)):
        return False
    sources = _sources(statement)
    return not sources or any(each == arn or _covers(each, arn) for each in sources)


def _covers(pattern: str, arn: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only for patterns

    return fnmatchcase(arn, pattern.replace("[", "[[]"))


def _settings(deployment: Deployment) -> Iterator[Finding]:
    settings = {
        trigger: each.settings
        for trigger, each in deployment.functions.items()
        if each.facts is not None and trigger != "define"
    }
    for trigger, own in settings.items():
        yield from _key(trigger, own.get("WATCHWORD_KEY", ""))
        scheme = own.get("WATCHWORD_LEDGER", "").partition(":")[0].lower()
        if scheme in {"", "process-only", "memory", "sqlite"}:
            yield Finding(
                "WD19",
                f"{trigger} has no ledger that all containers share: each has budgets of its own, and a code works once in each",
                "set WATCHWORD_LEDGER=dynamodb://TABLE",
            )
    for trigger, function in deployment.functions.items():
        loud = _loud(function)
        if loud:
            yield Finding(
                "WD12",
                f"{trigger} logs for debugging ({loud}): events and addresses may get into the log",
                f"unset {loud}",
            )
    if {"create", "verify"} <= set(settings):
        for name in ("WATCHWORD_KEY", "WATCHWORD_LEDGER"):
            if settings["create"].get(name) != settings["verify"].get(name):
                yield Finding(
                    "WD24",
                    f"create and verify differ in {name}: right answers are judged wrong",
                    f"give both the same {name}",
                )


def _key(trigger: str, key: str) -> Iterator[Finding]:
    if "://" in key:
        return
    try:
        Keyring.of([base64.b64decode(each.strip(), validate=True) for each in key.split(",") if each.strip()])
    except (ConfigurationError, ValueError):
        what = "has a weak or unreadable key" if key.strip() else "has no key"
        yield Finding(
            "WD10", f"{trigger} {what}: WATCHWORD_KEY", "keep a random key in Secrets Manager: secretsmanager://NAME"
        )
    else:
        yield Finding(
            "WD11",
            f"{trigger} has the key itself in its environment, for all who may see its configuration",
            "move it into Secrets Manager, set WATCHWORD_KEY=secretsmanager://NAME, and change it",
        )


def _loud(function: DeployedFunction) -> str:
    facts, settings = function.facts or {}, function.settings
    if within(facts, "LoggingConfig").get("ApplicationLogLevel") in _DEBUG:
        return "ApplicationLogLevel"
    for name in ("AWS_LAMBDA_LOG_LEVEL", "LOG_LEVEL", "LOGLEVEL", "POWERTOOLS_LOG_LEVEL"):
        if settings.get(name, "").upper() in _DEBUG:
            return name
    for name in ("WATCHWORD_DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV"):
        if settings.get(name, "").lower() in {"1", "true"}:
            return name
    return ""


def _tables(deployment: Deployment) -> Iterator[Finding]:
    for table in deployment.tables:
        if table.key != KEY:
            what = f"its key is {table.key}" if table.key else "it is not there"
            yield Finding(
                "WD09",
                f"the ledger cannot use the table {table.name}: {what}",
                f"make one whose only key is the string {KEY}",
            )
        elif table.ttl != TTL:
            what = f"by {table.ttl}" if table.ttl else "by nothing"
            yield Finding(
                "WD08",
                f"old items of the table {table.name} are removed {what}: it grows for ever",
                f"turn on its time to live, by {TTL}",
            )


def _by_flow(deployment: Deployment, flow: Flow) -> Iterator[Finding]:
    client, pool = deployment.client, deployment.pool
    needed = session_minutes(flow)
    if client is not None and client.get("AuthSessionValidity", 3) < needed:
        yield Finding(
            "WD07",
            f"sessions of the app client end after {client.get('AuthSessionValidity', 3)} min, the flow waits up to {needed}",
            f"set AuthSessionValidity={needed}",
        )
    mfa: object = dict(deployment.mfa or pool or {}).get("MfaConfiguration", "OFF")
    if mfa in {"ON", "OPTIONAL"} and _has_srp(flow.body):
        yield Finding(
            "WD14",
            f"the pool has MFA of its own ({mfa}) beside Srp(): Cognito puts it behind the password, and has been seen to issue "
            "tokens then without the challenges that follow",
            "turn it off, or try with a user who has it that the flow's challenges are still asked",
        )
    written = None if client is None else client.get("WriteAttributes")
    for name in conditions_on_attributes(flow) if client is not None else ():
        # Without a list, the client may write the standard attributes.
        if name in written if written else not name.startswith((_WRITABLE_AT_FIRST, "cognito:")):
            yield Finding(
                "WD15",
                f"the app client may write {name}, by which the flow decides: users choose for themselves",
                f"take {name} out of the client's WriteAttributes",
            )
    if {"possession"} == _factors(flow) and _mails(flow):
        yield Finding(
            "WD21",
            "a code by e-mail is the only factor: NIST SP 800-63B-4 3.1.3.1 does not admit it as an authenticator, no AAL is reached",
            "put Srp() before it, if you have to claim one",
        )


def _has_srp(block: Block | object) -> bool:
    if isinstance(block, HostRun):
        return True
    described: Any = type(block)
    if not attrs.has(described):
        return False
    for each in attrs.fields(described):
        value: Any = getattr(block, each.name)
        if any(map(_has_srp, value)) if isinstance(value, tuple) else _has_srp(value):  # pyright: ignore[reportUnknownArgumentType]
            return True
    return False


def _factors(flow: Flow) -> set[str]:
    proven = {factor for step in flow.steps.values() for factor in step.kind.proves}
    return proven | ({"knowledge"} if _has_srp(flow.body) else set())


def _mails(flow: Flow) -> bool:
    return any(getattr(step.kind, "channel", "") == "email" for step in flow.steps.values())


def as_json(findings: tuple[Finding, ...], commands: tuple[str, ...]) -> str:
    """Return *findings* and *commands* as JSON."""
    listed = [
        {"code": each.code, "severity": each.severity, "message": each.message, "remedy": each.remedy}
        for each in findings
    ]
    return json.dumps({"findings": listed, "commands": list(commands)}, indent=2)
