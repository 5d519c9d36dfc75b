"""The doctor's findings on what users enrolled: the store, its table, the APIs, and what each function may do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial

from watchword.algebra.flow import Flow, enrols_in_a_step, needs_store
from watchword_adapters.credentials.dynamodb import ACTIONS, READING_ACTIONS, USING_ACTIONS
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said, findings_on
from watchword_adapters.deploy.diagnosis.environments import scheme_of
from watchword_adapters.deploy.manifest import FIDO2_API, PRE_TOKEN
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts, NotKnown, Table
from watchword_adapters.deploy.reading.read_aws import table_of
from watchword_adapters.deploy.reading.values import (
    Partial,
    TextValue,
    Unknown,
    get,
    list_value,
    members,
    text_value,
    word,
    words,
)
from watchword_adapters.deploy.stack.template import LEDGER_ACTIONS
from watchword_adapters.ledgers.dynamodb_items import PARTITION_KEY

_STORE, _LEDGER = "WATCHWORD_CREDENTIALS", "WATCHWORD_LEDGER"


def credential_findings(deployment: Deployment, flow: Flow | None, dialect: str) -> Iterator[Said]:
    """Yield what is wrong with what *deployment* remembers; *flow* is what it runs, and *dialect* how its client speaks, if known."""
    working = {name: each for name, each in deployment.functions.items() if name != "define"} | {**deployment.apis}
    for name, function in working.items():
        if name != PRE_TOKEN and flow is not None and needs_store((flow,)) and function.facts is not None:
            yield from findings_on(
                scheme_of(function.setting(_STORE)),
                f"the store of credentials of {name}",
                lambda scheme: scheme in {"", "process-only", "memory", "sqlite"},
                partial(_own_store, name),
            )
        yield from _one_table(name, function)
        yield from _rights(name, function, deployment, flow)
    for table in _own_tables(deployment):
        yield from _kept(table)
    for name, function in deployment.apis.items():
        yield from _callers(name, function)
    if (
        dialect
        or FIDO2_API in deployment.apis
        or any(each.manifest and each.manifest.dialect for each in working.values())
    ):
        yield from _devices(deployment)


def _own_store(name: str, _: object) -> DoctorFinding:
    return DoctorFinding(
        "WD35",
        f"{name} has no store of credentials that all containers share, and the flow remembers: it does not start, or what users "
        "enrol is gone with the container",
        "set WATCHWORD_CREDENTIALS=dynamodb://TABLE",
    )


def _one_table(name: str, function: DeployedFunction) -> Iterator[Said]:
    store, ledger = table_of(function.setting(_STORE)), table_of(function.setting(_LEDGER))
    if store is not None and store == ledger:
        yield DoctorFinding(
            "WD38",
            f"{name} keeps credentials in the ledger's table, whose items end by their time to live",
            "give them a table of their own, without a time to live",
        )


def _own_tables(deployment: Deployment) -> list[Table]:
    """Return the tables of credentials; one of the ledger's is found by itself, and is nothing to keep."""
    ledgers = {each.name for each in deployment.tables}
    return [each for each in deployment.stores if each.name not in ledgers]


def _kept(table: Table) -> Iterator[Said]:
    if table.key != PARTITION_KEY:
        yield from findings_on(
            table.key,
            f"the key of the table {table.name}",
            lambda key: key != PARTITION_KEY,
            lambda key: DoctorFinding(
                "WD09",
                f"the store of credentials cannot use the table {table.name}: "
                + (f"its key is {key}" if key else "it is not there"),
                f"make one whose only key is the string {PARTITION_KEY}",
            ),
        )
        return
    yield from findings_on(
        table.ttl,
        f"the time to live of the table {table.name}",
        bool,
        lambda ttl: DoctorFinding(
            "WD36",
            f"items of the table of credentials {table.name} end by {ttl}: users lose what they enrolled",
            "turn its time to live off",
        ),
    )
    yield from findings_on(
        table.restorable,
        f"whether the table {table.name} can be restored",
        lambda said: said is False,
        lambda _: DoctorFinding(
            "WD37",
            f"the table of credentials {table.name} has no point-in-time recovery: after a mistake every user enrols again",
            "turn on its point-in-time recovery",
        ),
    )
    yield from findings_on(
        table.protected,
        f"whether the table {table.name} is protected from deletion",
        lambda said: said is False,
        lambda _: DoctorFinding(
            "WD37",
            f"the table of credentials {table.name} is not protected from deletion",
            "turn on its deletion protection",
        ),
    )


def _callers(name: str, function: DeployedFunction) -> Iterator[Said]:
    if function.facts is None:
        return
    for variable, what in (("WATCHWORD_POOL", "user pool"), ("WATCHWORD_CLIENTS", "app client")):
        yield from findings_on(
            _known_part(function.setting(variable)),
            f"the {what} of {name}",
            lambda said: not said.strip(),
            partial(_nobody, name, variable, what),
        )


def _known_part(said: TextValue | None) -> str | Unknown:
    """Return *said*; what is not known of it only if it may be empty."""
    if isinstance(said, Partial):
        return next((each for each in said.parts if isinstance(each, str) and each.strip()), said.unknown)
    if isinstance(said, Unknown) and said.resource:
        return said.resource  # a pool or client of the template: it will have an id
    return said or ""


def _nobody(name: str, variable: str, what: str, _: object) -> DoctorFinding:
    return DoctorFinding(
        "WD39",
        f"{name} names no {what} whose tokens count: it does not start",
        f"set {variable}, only to what signs in by this flow",
    )


def _devices(deployment: Deployment) -> Iterator[Said]:
    settings = get(deployment.pool, "DeviceConfiguration")
    if isinstance(settings, Unknown):
        yield NotKnown("whether the pool tracks devices", settings.why)
    elif members(settings):
        yield DoctorFinding(
            "WD40",
            "the pool tracks devices, and the client of the dialect takes part: Cognito then asks for the device in rounds of its own "
            "(DEVICE_SRP_AUTH), which end a sign-in with a passkey",
            "turn device tracking off",
        )


def _rights(name: str, function: DeployedFunction, deployment: Deployment, flow: Flow | None) -> Iterator[Said]:
    if isinstance(function.rights, Unknown):
        yield NotKnown(f"what {name} may do", function.rights.why)
        return
    if function.rights is None:
        return
    on_ledger = ("GetItem",) if name == PRE_TOKEN else LEDGER_ACTIONS
    wanted: list[tuple[str, Iterable[str], Iterable[Table]]] = [(_LEDGER, on_ledger, deployment.tables)]
    if name != PRE_TOKEN and flow is not None and needs_store((flow,)):
        wanted.append((_STORE, _uses(name, flow), _own_tables(deployment)))
    for variable, actions, tables in wanted:
        url = function.setting(variable)
        for table in tables:
            if _names(url, table, live=deployment.live):
                missing = [each for each in actions if not _may(function.rights, each, table, live=deployment.live)]
                if missing:
                    listed = ", ".join(f"dynamodb:{each}" for each in missing)
                    yield DoctorFinding(
                        "WD41",
                        f"{name} may not do what it needs on the table {table.name}: {listed}",
                        "allow it in the role of the function, on this table",
                    )


def _uses(name: str, flow: Flow) -> tuple[str, ...]:
    if name == "create":
        return READING_ACTIONS
    return ACTIONS if name != "verify" or enrols_in_a_step((flow,)) else USING_ACTIONS


def _names(url: TextValue | None, table: Table, *, live: bool) -> bool:
    """Say whether *url* surely names *table*. In a template, one that is named by a text alone has a name that is not compared."""
    named = table_of(url)
    if isinstance(named, Unknown):
        return named.resource == table.name
    return live and named == table.name


def _may(statements: Iterable[Facts], action: str, table: Table, *, live: bool) -> bool:
    """Say whether one of *statements* allows *action* on *table*, or may."""
    return any(
        word(get(each, "Effect")) != "Deny"
        and any(_is_action(said, action) for said in words(get(each, "Action")))
        and any(_is_resource(text_value(said), table, live=live) for said in list_value(get(each, "Resource")))
        for each in statements
    )


def _is_action(said: str | Unknown, action: str) -> bool:
    return isinstance(said, Unknown) or fnmatchcase(f"dynamodb:{action}".lower(), said.lower())


def _is_resource(said: TextValue | None, table: Table, *, live: bool) -> bool:
    match said:
        case Unknown():
            return said.resource in {"", table.name}
        case Partial():
            return True
        case str() if live:
            return said == "*" or fnmatchcase(table.name, said.rpartition(":table/")[2])
        case str():
            return True
        case None:
            return False
