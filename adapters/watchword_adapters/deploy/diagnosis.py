"""The doctor's findings: what in a deployment lets people past the flow, breaks it, or keeps more than it should."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, TypeVar, cast

import attrs
from attrs import frozen

from watchword.blocks import Block
from watchword.challenge import HostRun
from watchword.errors import ConfigurationError
from watchword.flow import Flow
from watchword.keyring import Keyring
from watchword.recovery import recovery_channels
from watchword_adapters.deploy.deployment import DeployedFunction, Deployment, Facts, NotKnown, Table
from watchword_adapters.deploy.manifest import Manifest
from watchword_adapters.deploy.read_aws import flows_of
from watchword_adapters.deploy.template import (
    FLOWS,
    TIMEOUT,
    TRIGGERS,
    conditions_on_attributes,
    fingerprint_in,
    session_minutes,
)
from watchword_adapters.deploy.values import (
    OTHERS,
    Partial,
    Text,
    Unknown,
    flag,
    get,
    listed,
    members,
    number,
    text,
    word,
    words,
)
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
    "WD26": "error",
    "WD27": "error",
    "WD28": "error",
    "WD29": "error",
    "WD30": "warning",
    "WD31": "error",
}
"""Every code, and how serious it is."""

_LEAST_MEMORY = 256
_LEAST_CODE = {"define": 1_000, "create": 20_000, "verify": 20_000}  # bytes of a zip: nothing that runs is smaller
_RECOVERY = {"verified_email": "email", "verified_phone_number": "sms"}
_DEBUG = {"DEBUG", "TRACE"}
_LEVELS = ("AWS_LAMBDA_LOG_LEVEL", "LOG_LEVEL", "LOGLEVEL", "POWERTOOLS_LOG_LEVEL")
_SWITCHES = ("WATCHWORD_DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV")
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
    """Return what is wrong with *deployment*, worst first; what depends on the flow only if *flow* is given.

    What is not known before the deployment is no fault, and is said once for each cause.
    """
    said: list[Finding | NotKnown] = [
        *_client(deployment),
        *_pool(deployment),
        *_functions(deployment),
        *_code(deployment),
        *_settings(deployment),
        *_tables(deployment),
        *(_by_flow(deployment, flow) if flow is not None else ()),
        *deployment.unknown,
    ]
    found = [
        *(each for each in said if isinstance(each, Finding)),
        *_not_known([each for each in said if isinstance(each, NotKnown)]),
        *(
            Finding("WD25", f"not checked: {each}", "let your credentials read it, and ask again")
            for each in deployment.unread
        ),
    ]
    order = ("error", "warning", "note")
    return tuple(sorted(found, key=lambda each: (order.index(each.severity), each.code)))


def _not_known(several: list[NotKnown]) -> Iterator[Finding]:
    """Yield one note for each cause."""
    by_cause: dict[str, list[str]] = {}
    for each in several:
        by_cause.setdefault(each.why, []).append(each.what)
    for why, what in by_cause.items():
        yield Finding(
            "WD25",
            f"not known before the deployment: {', '.join(dict.fromkeys(what))} ({why})",
            "ask again with --pool-id and --client-id when it is deployed",
        )


Said = Finding | NotKnown
T = TypeVar("T")


def _judge(
    value: T | Unknown, what: str, wrong: Callable[[T], bool], finding: Callable[[T], Finding]
) -> Iterator[Said]:
    """Yield *finding* if *value* is *wrong*, and that it is not known if so."""
    if isinstance(value, Unknown):
        yield NotKnown(what, value.why)
    elif wrong(value):
        yield finding(value)


def _client(deployment: Deployment) -> Iterator[Said]:
    client = deployment.client
    if client is None:
        return
    allowed = flows_of(client)
    beside = _beside(allowed)
    exactly = f"allow exactly {' and '.join(FLOWS)}"
    if beside:
        yield Finding(
            "WD01", f"the app client allows {', '.join(beside)}: whoever takes that way meets no challenge", exactly
        )
    unknown = next((each for each in allowed if isinstance(each, Unknown)), None)
    if unknown is not None:
        yield NotKnown("which ways the app client allows", unknown.why)
    elif not {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"} & set(allowed):
        yield Finding(
            "WD02", "the app client does not allow custom authentication: nobody can sign in by the flow", exactly
        )
    yield from _judge(
        word(get(client, "PreventUserExistenceErrors")),
        "whether the app client tells who has an account",
        lambda said: said != "ENABLED",
        lambda _: Finding(
            "WD03",
            "the app client tells who has an account: existence errors are LEGACY",
            "set PreventUserExistenceErrors=ENABLED",
        ),
    )
    yield from _judge(
        _by_managed_login(client),
        "whether managed login may be used",
        bool,
        lambda _: Finding(
            "WD17",
            "managed login may be used with the app client: it asks for the password alone and never for the flow",
            "turn off AllowedOAuthFlowsUserPoolClient, or take COGNITO out of SupportedIdentityProviders",
        ),
    )
    yield from _judge(
        flag(get(client, "EnableTokenRevocation")),
        "whether refresh tokens can be revoked",
        lambda said: said is False,
        lambda _: Finding("WD23", "refresh tokens cannot be revoked", "set EnableTokenRevocation=true"),
    )


def _beside(flows: tuple[str | Unknown, ...]) -> list[str]:
    """Return the ways of *flows* that go round the flow."""
    return [each for each in flows if isinstance(each, str) and each not in {*FLOWS, "CUSTOM_AUTH_FLOW_ONLY"}]


def _by_managed_login(client: Facts) -> bool | Unknown:
    on, providers = (
        flag(get(client, "AllowedOAuthFlowsUserPoolClient")),
        words(get(client, "SupportedIdentityProviders")),
    )
    if on is None or on is False:
        return False
    if "COGNITO" in providers or not providers:
        return on
    return next((each for each in providers if isinstance(each, Unknown)), False)


def _pool(deployment: Deployment) -> Iterator[Said]:
    pool = deployment.pool
    if pool is None:
        return
    missing = [named for trigger, named in TRIGGERS.items() if trigger not in deployment.functions]
    if missing:
        where = (
            ": --define ARN, --create ARN, --verify ARN print the commands" if deployment.live else " in LambdaConfig"
        )
        yield Finding("WD04", f"no function is attached to {', '.join(missing)}", f"attach it{where}")
    yield from _judge(
        flag(get(pool, "UsernameConfiguration", "CaseSensitive")),
        "whether user names are case sensitive",
        lambda said: said is not False,
        lambda _: Finding(
            "WD16",
            "user names are case sensitive: Ann and ann are two accounts, with a budget each",
            "it is fixed when a pool is made: fold names in your client, or move to a new pool",
        ),
    )
    for name, flows in sorted(deployment.others.items()):
        beside = _beside(flows)
        if beside:
            yield Finding(
                "WD20",
                f"another app client of the pool, {name}, allows {', '.join(beside)}: its tokens need no challenge",
                "have your services accept the tokens of this client alone (aud, client_id), or allow the same flows there",
            )
        for each in flows:
            if isinstance(each, Unknown):
                yield NotKnown(f"which ways another app client, {name}, allows", each.why)


def _functions(deployment: Deployment) -> Iterator[Said]:
    for trigger, function in deployment.functions.items():
        yield from _permissions(trigger, function, deployment)
        facts = function.facts
        if facts is None:
            continue
        yield from _judge(
            _or(number(get(facts, "Timeout")), 3),
            f"the timeout of {trigger}",
            lambda seconds: seconds != TIMEOUT,
            partial(_timeout, trigger),
        )
        if trigger != "define":
            yield from _judge(
                _or(number(get(facts, "MemorySize")), 128),
                f"the memory of {trigger}",
                lambda memory: memory < _LEAST_MEMORY,
                partial(_memory, trigger),
            )
        yield from _judge(
            function.retention,
            f"how long the log of {trigger} is kept",
            lambda days: days == 0,
            partial(_log, trigger),
        )


def _code(deployment: Deployment) -> Iterator[Said]:
    for trigger, function in deployment.functions.items():
        wrong = function.code or _no_package(trigger, function)
        if wrong:
            yield Finding(
                "WD28",
                f"what {trigger} runs is not what watchword build makes: {wrong}",
                "run watchword build, and deploy its zips",
            )
        elif function.other_code:
            yield Finding("WD29", f"{trigger} runs another zip: {function.other_code}", "deploy what was built")
        elif function.manifest is not None:
            yield from _shipped(trigger, function, function.manifest)


def _no_package(trigger: str, function: DeployedFunction) -> str:
    facts = function.facts
    size = number(get(facts, "CodeSize"))
    if get(facts, "PackageType") == "Image" or get(facts, "Layers") or not isinstance(size, int):
        return ""
    return f"a zip of {size:,} bytes cannot hold it" if size < _LEAST_CODE[trigger] else ""


def _shipped(trigger: str, function: DeployedFunction, manifest: Manifest) -> Iterator[Said]:
    architecture = next(iter(words(get(function.facts, "Architectures"))), "x86_64")
    for what, told, built in (
        ("trigger", trigger, manifest.trigger),
        ("handler", word(get(function.facts, "Handler")), manifest.handler),
        ("runtime", word(get(function.facts, "Runtime")), manifest.runtime),
        ("architecture", architecture, manifest.architecture),
    ):
        if isinstance(told, str) and told != built:
            yield Finding(
                "WD28",
                f"what {trigger} runs was built for the {what} {built}, and it has {told}",
                "run watchword build with the options that fit, or set what it was built for",
            )
    ports = [("WATCHWORD_LEDGER", manifest.ledgers)] if trigger != "define" else []
    ports += [("WATCHWORD_COURIER", manifest.couriers)] if trigger == "create" else []
    for name, shipped in ports:
        scheme = _scheme(function.setting(name))
        if isinstance(scheme, str) and scheme not in {"", "process-only", *shipped}:
            yield Finding(
                "WD27",
                f"{trigger} has {name}={scheme}:, and its zip ships {', '.join(shipped) or 'none'}",
                f"build with --{name.removeprefix('WATCHWORD_').lower()} {scheme}",
            )


def _or(value: T | Unknown | None, default: T) -> T | Unknown:
    return default if value is None else value


def _timeout(trigger: str, seconds: int) -> Finding:
    then = "ends calls that could still be answered" if seconds < TIMEOUT else "works on when Cognito has called again"
    return Finding("WD13", f"{trigger} has a timeout of {seconds} s: it {then}", f"set its timeout to {TIMEOUT} s")


def _memory(trigger: str, memory: int) -> Finding:
    return Finding(
        "WD22",
        f"{trigger} has {memory} MB, and as little processor: boto3 alone may take the five seconds when it starts",
        "give it 512 MB or more",
    )


def _log(trigger: str, _: object) -> Finding:
    return Finding("WD18", f"the log of {trigger} is kept for ever", "set a retention for its log group")


def _permissions(trigger: str, function: DeployedFunction, deployment: Deployment) -> Iterator[Said]:
    if function.statements is None:
        return
    pool = deployment.pool
    if any(_is_wide(each) for each in function.statements):
        yield Finding(
            "WD06",
            f"{trigger} may be called by others than the pool: a permission has no SourceArn, or one with a star",
            "replace it by one whose SourceArn is the pool's ARN",
        )
    if pool is None:
        return
    judged = [_lets(each, str(pool.get("Arn", ""))) for each in function.statements]
    if True in judged:
        return
    unknown = next((each for each in judged if isinstance(each, Unknown)), None)
    if unknown is not None:
        yield NotKnown(f"whether the pool may call {trigger}", unknown.why)
        return
    yield Finding(
        "WD05",
        f"the pool may not call {trigger}: every sign-in ends",
        "add the permission; the command stands below"
        if deployment.live
        else "add a permission for what the pool names: one for a function is none for its alias",
    )


def _invokes(statement: Facts) -> bool | Unknown:
    if get(statement, "Effect") != "Allow":
        return False
    return _any(
        each if isinstance(each, Unknown) else each.lower() in {"lambda:invokefunction", "lambda:*", "*"}
        for each in words(get(statement, "Action"))
    )


def _any(judged: Iterable[bool | Unknown]) -> bool | Unknown:
    """Return whether one of *judged* is true; what is not known if only that may be."""
    several = list(judged)
    return True in several or next((each for each in several if isinstance(each, Unknown)), False)


def _sources(statement: Facts) -> list[Text]:
    conditions = members(get(statement, "Condition"))
    return [
        said
        for test in conditions
        for name, value in members(get(conditions, test)).items()
        if name.lower() in {"aws:sourcearn", OTHERS}
        for each in listed(value)
        if (said := text(each)) is not None
    ]


def _principals(statement: Facts) -> list[str | Unknown]:
    named = get(statement, "Principal")
    if isinstance(named, Mapping):
        return [each for value in cast("Facts", named).values() for each in words(value)]
    return list(words(named))


def _is_wide(statement: Facts) -> bool:
    # The operator's own accounts and roles may call.
    if _invokes(statement) is not True or not {"cognito-idp.amazonaws.com", "*"} & set(_principals(statement)):
        return False
    sources = _sources(statement)
    return not sources or any(_has_star(each) for each in sources)


def _has_star(source: Text) -> bool:
    parts = source.parts if isinstance(source, Partial) else (source,)
    return any(isinstance(each, str) and bool({"*", "?"} & set(each)) for each in parts)


def _lets(statement: Facts, arn: str) -> bool | Unknown:
    sources = _sources(statement)
    asked = (
        _invokes(statement),
        _any(
            each if isinstance(each, Unknown) else each in {"cognito-idp.amazonaws.com", "*"}
            for each in _principals(statement)
        ),
        _any(_is_source(each, arn) for each in sources) if sources else True,
    )
    return False not in asked and next((each for each in asked if isinstance(each, Unknown)), True)


def _is_source(source: Text, arn: str) -> bool | Unknown:
    match source:
        case Unknown():
            return source
        case Partial():
            return _has_star(source) or source.unknown  # a wide one is found by itself
        case _:
            return source == arn or _covers(source, arn)


def _covers(pattern: str, arn: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only for patterns

    return fnmatchcase(arn, pattern.replace("[", "[[]"))


def _settings(deployment: Deployment) -> Iterator[Said]:
    functions = {name: each for name, each in deployment.functions.items() if each.facts is not None}
    stateful = {name: each for name, each in functions.items() if name != "define"}
    for trigger, function in stateful.items():
        yield from _key(trigger, function.setting("WATCHWORD_KEY"))
        yield from _judge(
            _scheme(function.setting("WATCHWORD_LEDGER")),
            f"the ledger of {trigger}",
            lambda scheme: scheme in {"", "process-only", "memory", "sqlite"},
            partial(_own_ledger, trigger),
        )
    for trigger, function in functions.items():
        yield from _loud(trigger, function)
    if {"create", "verify"} <= set(stateful):
        for name in ("WATCHWORD_KEY", "WATCHWORD_LEDGER"):
            one, other = stateful["create"].setting(name), stateful["verify"].setting(name)
            if one != other:
                yield from _differing(name, one, other)


def _own_ledger(trigger: str, _: object) -> Finding:
    return Finding(
        "WD19",
        f"{trigger} has no ledger that all containers share: each has budgets of its own, and a code works once in each",
        "set WATCHWORD_LEDGER=dynamodb://TABLE",
    )


def _differing(name: str, one: Text | None, other: Text | None) -> Iterator[Said]:
    if _must_differ(_parts(one), _parts(other)):
        yield Finding(
            "WD24",
            f"create and verify differ in {name}: right answers are judged wrong",
            f"give both the same {name}",
        )
    else:
        unknown = next(each for each in (*_parts(one), *_parts(other)) if isinstance(each, Unknown))
        yield NotKnown(f"whether create and verify have the same {name}", unknown.why)


def _parts(said: Text | None) -> tuple[str | Unknown, ...]:
    return said.parts if isinstance(said, Partial) else (said or "",)


def _must_differ(one: tuple[str | Unknown, ...], other: tuple[str | Unknown, ...]) -> bool:
    """Return whether two texts that are not equal cannot become so by what is not known of them."""
    for whole, parts in ((one, other), (other, one)):
        if len(whole) == 1 and isinstance(whole[0], str):
            first, last = (each if isinstance(each, str) else "" for each in (parts[0], parts[-1]))
            return parts == (first,) or not (whole[0].startswith(first) and whole[0].endswith(last))
    if isinstance(one[0], str) and isinstance(other[0], str) and not _one_begins(one[0], other[0]):
        return True
    shapes = [tuple("" if isinstance(each, Unknown) else each for each in parts) for parts in (one, other)]
    # Two resources of the template are not the same.
    return shapes[0] == shapes[1] and all(
        each.resource for parts in (one, other) for each in parts if isinstance(each, Unknown)
    )


def _one_begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _scheme(said: Text | None) -> str | Unknown:
    """Return what is before the colon of a URL; the whole if there is none."""
    first = said.parts[0] if isinstance(said, Partial) else said
    if isinstance(first, Unknown):
        return first
    scheme, colon, _ = (first or "").partition(":")
    return said.unknown if isinstance(said, Partial) and not colon else scheme.strip().lower()


def _key(trigger: str, key: Text | None) -> Iterator[Said]:
    match key:
        case Partial((str() as before, *_)) if "://" in before:
            return
        case Unknown() | Partial():
            unknown = key.unknown if isinstance(key, Partial) else key
            if unknown.term.startswith("{{resolve:secretsmanager:"):
                yield _in_environment(trigger)
            else:
                yield NotKnown(f"the key of {trigger}", unknown.why)
            return
        case None | str():
            key = key or ""
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
        yield _in_environment(trigger)


def _in_environment(trigger: str) -> Finding:
    return Finding(
        "WD11",
        f"{trigger} has the key itself in its environment, for all who may see its configuration",
        "move it into Secrets Manager, set WATCHWORD_KEY=secretsmanager://NAME, and change it",
    )


def _loud(trigger: str, function: DeployedFunction) -> Iterator[Said]:
    levels = {"ApplicationLogLevel": word(get(function.facts, "LoggingConfig", "ApplicationLogLevel"))} | {
        name: word(function.setting(name)) for name in _LEVELS
    }
    switches = {name: word(function.setting(name)) for name in _SWITCHES}
    loud = [name for name, said in levels.items() if isinstance(said, str) and said.upper() in _DEBUG]
    loud += [name for name, said in switches.items() if isinstance(said, str) and said.lower() in {"1", "true"}]
    if loud:
        yield Finding(
            "WD12",
            f"{trigger} logs for debugging ({loud[0]}): events and addresses may get into the log",
            f"unset {loud[0]}",
        )
        return
    for said in (*levels.values(), *switches.values()):
        if isinstance(said, Unknown):
            yield NotKnown(f"whether {trigger} logs for debugging", said.why)


def _tables(deployment: Deployment) -> Iterator[Said]:
    for table in deployment.tables:
        if table.key != KEY:
            yield from _judge(
                table.key, f"the key of the table {table.name}", lambda key: key != KEY, partial(_keyed, table)
            )
        else:
            yield from _judge(
                table.ttl,
                f"the time to live of the table {table.name}",
                lambda ttl: ttl != TTL,
                partial(_lasting, table),
            )


def _keyed(table: Table, key: str) -> Finding:
    what = f"its key is {key}" if key else "it is not there"
    return Finding(
        "WD09", f"the ledger cannot use the table {table.name}: {what}", f"make one whose only key is the string {KEY}"
    )


def _lasting(table: Table, ttl: str) -> Finding:
    what = f"by {ttl}" if ttl else "by nothing"
    return Finding(
        "WD08",
        f"old items of the table {table.name} are removed {what}: it grows for ever",
        f"turn on its time to live, by {TTL}",
    )


def _by_flow(deployment: Deployment, flow: Flow) -> Iterator[Said]:
    client, pool = deployment.client, deployment.pool
    needed = session_minutes(flow)
    if client is not None:
        yield from _judge(
            _or(number(get(client, "AuthSessionValidity")), 3),
            "how long sessions of the app client last",
            lambda minutes: minutes < needed,
            lambda minutes: Finding(
                "WD07",
                f"sessions of the app client end after {minutes} min, the flow waits up to {needed}",
                f"set AuthSessionValidity={needed}",
            ),
        )
        yield from _writable(client, flow)
    if _has_srp(flow.body):
        yield from _judge(
            word(get(deployment.mfa or pool, "MfaConfiguration")),
            "whether the pool has MFA of its own",
            lambda mfa: mfa in {"ON", "OPTIONAL"},
            lambda mfa: Finding(
                "WD14",
                f"the pool has MFA of its own ({mfa}) beside Srp(): Cognito puts it behind the password, and has been seen to "
                "issue tokens then without the challenges that follow",
                "turn it off, or try with a user who has it that the flow's challenges are still asked",
            ),
        )
        yield from _judge(
            flag(get(pool, "AdminCreateUserConfig", "AllowAdminCreateUserOnly")),
            "whether users are invited",
            bool,
            lambda _: Finding(
                "WD30",
                "users come by invitation, and Srp() takes their passwords: Cognito has them set one (NEW_PASSWORD_REQUIRED), "
                "and has been seen to issue tokens then without the challenges that follow",
                "set a permanent password for whom you invite (admin-set-user-password --permanent), or try with an invited "
                "user that the flow's challenges are still asked",
            ),
        )
    if pool is not None:
        yield from _recovery(pool, flow)
    for trigger, function in deployment.functions.items():
        yield from _other_flow(trigger, function, flow)
    create = deployment.functions.get("create")
    if create is not None and create.facts is not None and _sends(flow):
        yield from _judge(
            _scheme(create.setting("WATCHWORD_COURIER")),
            "the courier of create",
            lambda scheme: not scheme,
            lambda _: Finding(
                "WD26",
                "create has no courier, and the flow sends: no code goes out",
                "set WATCHWORD_COURIER, as in ses://?from=login@example.com",
            ),
        )
    if {"possession"} == _factors(flow) and _mails(flow):
        yield Finding(
            "WD21",
            "a code by e-mail is the only factor: NIST SP 800-63B-4 3.1.3.1 does not admit it as an authenticator, no AAL is reached",
            "put Srp() before it, if you have to claim one",
        )


def _recovery(pool: Facts, flow: Flow) -> Iterator[Said]:
    closed = set(recovery_channels(flow))
    if not closed:
        return
    mechanisms = get(pool, "AccountRecoverySetting", "RecoveryMechanisms")
    # Without the setting, Cognito recovers by telephone or by e-mail.
    named = [word(get(each, "Name")) for each in listed(mechanisms)] or list(_RECOVERY)
    open_ = sorted({_RECOVERY.get(each, "") for each in named if isinstance(each, str)} & closed)
    if open_:
        yield Finding(
            "WD31",
            f"passwords are recovered by {', '.join(open_)}, which the flow takes for possession too: one mailbox or telephone "
            "is both factors",
            "set AccountRecoverySetting to admin_only, or to a channel that the flow does not use",
        )
        return
    for each in named:
        if isinstance(each, Unknown):
            yield NotKnown("how passwords are recovered", each.why)


def _other_flow(trigger: str, function: DeployedFunction, flow: Flow) -> Iterator[Said]:
    described = word(get(function.facts, "Description"))
    told = (
        function.manifest.flow.fingerprint
        if function.manifest
        else fingerprint_in(described if isinstance(described, str) else "")
    )
    if told and told != flow.fingerprint:
        yield Finding(
            "WD29",
            f"{trigger} runs another flow ({told}) than the one that you ask about ({flow.fingerprint})",
            "build and deploy this one, or ask about the one that runs",
        )


def _writable(client: Facts, flow: Flow) -> Iterator[Said]:
    written = words(get(client, "WriteAttributes"))
    unknown = next((each for each in written if isinstance(each, Unknown)), None)
    for name in conditions_on_attributes(flow):
        # Without a list, the client may write the standard attributes.
        if name in written if written else not name.startswith((_WRITABLE_AT_FIRST, "cognito:")):
            yield Finding(
                "WD15",
                f"the app client may write {name}, by which the flow decides: users choose for themselves",
                f"take {name} out of the client's WriteAttributes",
            )
        elif unknown is not None:
            yield NotKnown(f"whether the app client may write {name}", unknown.why)


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


def _sends(flow: Flow) -> bool:
    return any(getattr(step.kind, "channel", "") for step in flow.steps.values())


def _mails(flow: Flow) -> bool:
    return any(getattr(step.kind, "channel", "") == "email" for step in flow.steps.values())


def as_json(findings: tuple[Finding, ...], commands: tuple[str, ...]) -> str:
    """Return *findings* and *commands* as JSON."""
    listed = [
        {"code": each.code, "severity": each.severity, "message": each.message, "remedy": each.remedy}
        for each in findings
    ]
    return json.dumps({"findings": listed, "commands": list(commands)}, indent=2)
