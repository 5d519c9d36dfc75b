"""The doctor's findings: what in a deployment lets people past the flow, breaks it, or keeps more than it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import starmap

from attrs import evolve

from watchword.algebra.flow import Flow
from watchword_adapters.deploy.diagnosis.courier_findings import courier_findings
from watchword_adapters.deploy.diagnosis.credential_findings import credential_findings
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said, default_to, findings_on
from watchword_adapters.deploy.diagnosis.environments import environments, schemes_of
from watchword_adapters.deploy.diagnosis.flow_findings import by_flow
from watchword_adapters.deploy.diagnosis.invoke_permissions import permissions
from watchword_adapters.deploy.diagnosis.token_findings import key_rights, token_findings
from watchword_adapters.deploy.manifest import Manifest
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts, NotKnown, Table, not_for
from watchword_adapters.deploy.reading.read_aws import flows_beside, flows_of
from watchword_adapters.deploy.reading.values import (
    Unknown,
    boolean_value,
    get,
    number_value,
    word,
    words,
)
from watchword_adapters.deploy.runtimes import runtime_warning
from watchword_adapters.deploy.stack.template import TIMEOUT
from watchword_adapters.deploy.stack.user_pool import CALLED, FLOWS, POOL_TRIGGERS
from watchword_adapters.deploy.target import PYTHONS
from watchword_adapters.ledgers.dynamodb_items import PARTITION_KEY, TTL

_LEAST_MEMORY = 256
_LEAST = 20_000  # bytes of a zip: nothing that runs is smaller
_LEAST_CODE = {"define": 1_000}


def diagnose(deployment: Deployment, flow: Flow | None = None, dialect: str = "") -> tuple[DoctorFinding, ...]:
    """Return what is wrong with *deployment*, worst first; what depends on the flow only if *flow* is given.

    *dialect* is how its client speaks, where the deployment does not say so itself.

    What is not known before the deployment is no fault, and is said once for each cause.
    """
    misplaced = {trigger: wrong for trigger, each in deployment.functions.items() if (wrong := not_for(trigger, each))}
    # What another trigger's function lacks is nothing that it should have.
    kept = {trigger: each for trigger, each in deployment.functions.items() if trigger not in misplaced}
    rest = evolve(deployment, functions=kept)
    said: list[DoctorFinding | NotKnown] = [
        *_client(deployment),
        *_pool(deployment),
        *starmap(_misplaced, misplaced.items()),
        *_functions(rest),
        *_code(rest),
        *environments(rest),
        *_tables(deployment),
        *credential_findings(rest, flow, dialect),
        *courier_findings(rest, flow),
        *token_findings(deployment),
        *key_rights(rest),
        *(by_flow(rest, flow) if flow is not None else ()),
        *deployment.unknown,
    ]
    found = [
        *(each for each in said if isinstance(each, DoctorFinding)),
        *_not_known([each for each in said if isinstance(each, NotKnown)]),
        *(
            DoctorFinding("WD25", f"not checked: {each}", "let your credentials read it, and ask again")
            for each in deployment.unread
        ),
    ]
    order = ("error", "warning", "note")
    return tuple(sorted(found, key=lambda each: (order.index(each.severity), each.code)))


def _misplaced(trigger: str, wrong: str) -> DoctorFinding:
    return DoctorFinding(
        "WD33",
        f"{CALLED[trigger]} calls another trigger's function: {wrong}; every sign-in ends",
        f"attach the function of {trigger}",
    )


def _not_known(several: list[NotKnown]) -> Iterator[DoctorFinding]:
    """Yield one note for each cause."""
    by_cause: dict[str, list[str]] = {}
    for each in several:
        by_cause.setdefault(each.why, []).append(each.what)
    for why, what in by_cause.items():
        yield DoctorFinding(
            "WD25",
            f"not known before the deployment: {', '.join(dict.fromkeys(what))} ({why})",
            "ask again with --pool-id and --client-id when it is deployed",
        )


def _client(deployment: Deployment) -> Iterator[Said]:
    client = deployment.client
    if client is None:
        return
    allowed = flows_of(client)
    beside = flows_beside(allowed)
    exactly = f"allow exactly {' and '.join(FLOWS)}"
    if beside:
        yield DoctorFinding(
            "WD01", f"the app client allows {', '.join(beside)}: whoever takes that way meets no challenge", exactly
        )
    unknown = next((each for each in allowed if isinstance(each, Unknown)), None)
    if unknown is not None:
        yield NotKnown("which ways the app client allows", unknown.why)
    elif not {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"} & set(allowed):
        yield DoctorFinding(
            "WD02", "the app client does not allow custom authentication: nobody can sign in by the flow", exactly
        )
    yield from findings_on(
        word(get(client, "PreventUserExistenceErrors")),
        "whether the app client tells who has an account",
        lambda said: said != "ENABLED",
        lambda _: DoctorFinding(
            "WD03",
            "the app client tells who has an account: existence errors are LEGACY",
            "set PreventUserExistenceErrors=ENABLED",
        ),
    )
    yield from findings_on(
        _by_managed_login(client),
        "whether managed login may be used",
        bool,
        lambda _: DoctorFinding(
            "WD17",
            "managed login may be used with the app client: it asks for the password alone and never for the flow",
            "turn off AllowedOAuthFlowsUserPoolClient, or take COGNITO out of SupportedIdentityProviders",
        ),
    )
    yield from findings_on(
        boolean_value(get(client, "EnableTokenRevocation")),
        "whether refresh tokens can be revoked",
        lambda said: said is False,
        lambda _: DoctorFinding("WD23", "refresh tokens cannot be revoked", "set EnableTokenRevocation=true"),
    )


def _by_managed_login(client: Facts) -> bool | Unknown:
    on, providers = (
        boolean_value(get(client, "AllowedOAuthFlowsUserPoolClient")),
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
    missing = [named for trigger, named in POOL_TRIGGERS.items() if trigger not in deployment.functions]
    if missing:
        where = (
            ": --define ARN, --create ARN, --verify ARN print the commands" if deployment.live else " in LambdaConfig"
        )
        yield DoctorFinding("WD04", f"no function is attached to {', '.join(missing)}", f"attach it{where}")
    yield from findings_on(
        boolean_value(get(pool, "UsernameConfiguration", "CaseSensitive")),
        "whether user names are case sensitive",
        lambda said: said is not False,
        lambda _: DoctorFinding(
            "WD16",
            "user names are case sensitive: Ann and ann are two accounts, with a budget each",
            "it is fixed when a pool is made: fold names in your client, or move to a new pool",
        ),
    )
    for name, flows in sorted(deployment.others.items()):
        beside = flows_beside(flows)
        if beside:
            yield DoctorFinding(
                "WD20",
                f"another app client of the pool, {name}, allows {', '.join(beside)}: its tokens need no challenge",
                "have your services accept the tokens of this client alone (aud, client_id), or allow the same flows there",
            )
        for each in flows:
            if isinstance(each, Unknown):
                yield NotKnown(f"which ways another app client, {name}, allows", each.why)


def _functions(deployment: Deployment) -> Iterator[Said]:
    for trigger, function in deployment.functions.items():
        yield from permissions(trigger, function, deployment)
    for trigger, function in {**deployment.functions, **deployment.apis}.items():
        facts = function.facts
        if facts is None:
            continue
        yield from findings_on(
            default_to(word(get(facts, "Runtime")), ""),
            f"the runtime of {trigger}",
            lambda runtime: bool(runtime_warning(runtime)),
            partial(_ending, trigger),
        )
        if trigger in CALLED:
            yield from findings_on(
                default_to(number_value(get(facts, "Timeout")), 3),
                f"the timeout of {trigger}",
                lambda seconds: seconds != TIMEOUT,
                partial(_timeout, trigger),
            )
        if trigger != "define":
            yield from findings_on(
                default_to(number_value(get(facts, "MemorySize")), 128),
                f"the memory of {trigger}",
                lambda memory: memory < _LEAST_MEMORY,
                partial(_memory, trigger),
            )
        yield from findings_on(
            function.retention,
            f"how long the log of {trigger} is kept",
            lambda days: days == 0,
            partial(_log, trigger),
        )


def _code(deployment: Deployment) -> Iterator[Said]:
    for trigger, function in {**deployment.functions, **deployment.apis}.items():
        wrong = function.code or _no_package(trigger, function)
        if wrong:
            yield DoctorFinding(
                "WD28",
                f"what {trigger} runs is not what watchword build makes: {wrong}",
                "run watchword build, and deploy its zips",
            )
        elif function.other_code:
            yield DoctorFinding("WD29", f"{trigger} runs another zip: {function.other_code}", "deploy what was built")
        elif function.manifest is not None:
            yield from _shipped(trigger, function, function.manifest)


def _no_package(trigger: str, function: DeployedFunction) -> str:
    facts = function.facts
    size = number_value(get(facts, "CodeSize"))
    if get(facts, "PackageType") == "Image" or get(facts, "Layers") or not isinstance(size, int):
        return ""
    return f"a zip of {size:,} bytes cannot hold it" if size < _LEAST_CODE.get(trigger, _LEAST) else ""


def _shipped(trigger: str, function: DeployedFunction, manifest: Manifest) -> Iterator[Said]:
    architecture = next(iter(words(get(function.facts, "Architectures"))), "x86_64")
    for what, told, built in (
        ("trigger", trigger, manifest.trigger),
        ("handler", word(get(function.facts, "Handler")), manifest.handler),
        ("runtime", word(get(function.facts, "Runtime")), manifest.runtime),
        ("architecture", architecture, manifest.architecture),
    ):
        if isinstance(told, str) and told != built:
            yield DoctorFinding(
                "WD28",
                f"what {trigger} runs was built for the {what} {built}, and it has {told}",
                "run watchword build with the options that fit, or set what it was built for",
            )
    ports = [("WATCHWORD_LEDGER", manifest.ledgers)] if trigger != "define" else []
    ports += [("WATCHWORD_CREDENTIALS", manifest.credentials)] if manifest.credentials else []
    # Verify reads no courier unless it holds one, for notices.
    ports += [("WATCHWORD_COURIER", manifest.couriers)] if trigger == "create" or manifest.couriers else []
    for name, shipped in ports:
        for scheme in schemes_of(function.setting(name)):
            if isinstance(scheme, str) and scheme not in {"", "process-only", *shipped}:
                yield DoctorFinding(
                    "WD27",
                    f"{trigger} has {name}={scheme}:, and its zip ships {', '.join(shipped) or 'none'}",
                    f"build with --{name.removeprefix('WATCHWORD_').lower()} {scheme}",
                )


def _ending(trigger: str, runtime: str) -> DoctorFinding:
    newest = PYTHONS[-1]
    return DoctorFinding(
        "WD34", f"{trigger}: {runtime_warning(runtime)}", f"build with --python {newest}, and deploy what was built"
    )


def _timeout(trigger: str, seconds: int) -> DoctorFinding:
    then = "ends calls that could still be answered" if seconds < TIMEOUT else "works on when Cognito has called again"
    return DoctorFinding(
        "WD13", f"{trigger} has a timeout of {seconds} s: it {then}", f"set its timeout to {TIMEOUT} s"
    )


def _memory(trigger: str, memory: int) -> DoctorFinding:
    return DoctorFinding(
        "WD22",
        f"{trigger} has {memory} MB, and as little processor: boto3 alone may take the five seconds when it starts",
        "give it 512 MB or more",
    )


def _log(trigger: str, _: object) -> DoctorFinding:
    return DoctorFinding("WD18", f"the log of {trigger} is kept for ever", "set a retention for its log group")


def _tables(deployment: Deployment) -> Iterator[Said]:
    for table in deployment.tables:
        if table.key != PARTITION_KEY:
            yield from findings_on(
                table.key,
                f"the key of the table {table.name}",
                lambda key: key != PARTITION_KEY,
                partial(_keyed, table),
            )
        else:
            yield from findings_on(
                table.ttl,
                f"the time to live of the table {table.name}",
                lambda ttl: ttl != TTL,
                partial(_lasting, table),
            )


def _keyed(table: Table, key: str) -> DoctorFinding:
    what = f"its key is {key}" if key else "it is not there"
    return DoctorFinding(
        "WD09",
        f"the ledger cannot use the table {table.name}: {what}",
        f"make one whose only key is the string {PARTITION_KEY}",
    )


def _lasting(table: Table, ttl: str) -> DoctorFinding:
    what = f"by {ttl}" if ttl else "by nothing"
    return DoctorFinding(
        "WD08",
        f"old items of the table {table.name} are removed {what}: it grows for ever",
        f"turn on its time to live, by {TTL}",
    )


def findings_as_json(findings: tuple[DoctorFinding, ...], commands: tuple[str, ...]) -> str:
    """Return *findings* and *commands* as JSON."""
    listed = [
        {"code": each.code, "severity": each.severity, "message": each.message, "remedy": each.remedy}
        for each in findings
    ]
    return json.dumps({"findings": listed, "commands": list(commands)}, indent=2)
