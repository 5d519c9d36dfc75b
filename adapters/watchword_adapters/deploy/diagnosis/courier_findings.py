"""The doctor's findings on couriers: a URL that cannot be read, a channel without one, a role that may not send, and SMS without a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from importlib import import_module

from watchword.algebra.flow import Flow
from watchword.contract.members import ANY_CHANNEL, carries, channel_of
from watchword.contract.ports import Courier
from watchword.contract.powers import powers_of_courier
from watchword.errors import ConfigurationError
from watchword.loading.registry import COURIERS, Registry
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts
from watchword_adapters.deploy.reading.values import TextValue, Unknown, get, word, words
from watchword_adapters.host_settings import HostSettings

_LIMITS = {
    "sns": "aws sns set-sms-attributes --attributes MonthlySpendLimit=50",
    "sms-voice": "aws pinpoint-sms-voice-v2 set-text-message-spend-limit-override --monthly-limit 50",
}


def courier_findings(deployment: Deployment, flow: Flow | None) -> Iterator[Said]:
    """Yield what is wrong with the couriers of *deployment*; *flow* is what it runs, if known."""
    registry = Registry()
    create = deployment.functions.get("create")
    if create is not None and create.facts is not None:
        setting = create.setting("WATCHWORD_COURIER")
        steps = flow.steps.values() if flow else ()
        sent = frozenset(step.powers.channel for step in steps if step.powers.sends)
        if flow is None or sent:
            yield from _unreadable(setting, registry)
        yield from _channels(setting, sent, registry)
    for name, function in {**deployment.functions, **deployment.apis}.items():
        if name != "define" and function.facts is not None:
            yield from _rights(name, function, registry)
    for scheme, limit in deployment.spending.items():
        if not limit:
            yield DoctorFinding(
                "WD43",
                f"SMS by {scheme}: may cost whatever AWS lets the account spend in a month: it has no limit of your own",
                _LIMITS[scheme],
            )


def _unreadable(setting: TextValue | None, registry: Registry) -> Iterator[Said]:
    """Tell why Create cannot read *setting*, as far as its couriers are installed here."""
    if not isinstance(setting, str) or not all(_installed(each, registry) for each in setting.split()):
        return
    try:
        HostSettings(courier=setting, environment={}, registry=registry).couriers(())
    except ConfigurationError as error:
        yield DoctorFinding(
            "WD48",
            f"create cannot read WATCHWORD_COURIER: {error}: it does not start",
            "set WATCHWORD_COURIER to what the finding asks for",
        )


def _installed(url: str, registry: Registry) -> bool:
    scheme, colon, _ = url.partition(":")
    if not colon:
        return True  # whatever is installed, it is no URL
    try:
        import_module(registry.module_of(COURIERS, scheme.lower()))
    except (Exception, SystemExit):  # noqa: BLE001 - a stranger's module, which may be whole where the function runs
        return False
    return True


def _channels(setting: TextValue | None, sent: frozenset[str], registry: Registry) -> Iterator[Said]:
    """Tell of the channels *sent* by which the flow sends and for which *setting* has no courier; none at all is found elsewhere."""
    couriers = _couriers(setting, registry)
    if couriers is None or not couriers:
        return
    if any(channel_of(courier) == ANY_CHANNEL for courier in couriers):
        yield DoctorFinding(
            "WD50",
            "create sends no message: its courier is for development, and prints each with its code into the log",
            "set WATCHWORD_COURIER to the URLs of couriers for the channels by which the flow sends",
        )
    without = sorted(each for each in sent if not any(carries(courier, each) for courier in couriers))
    if without:
        yield DoctorFinding(
            "WD26",
            f"create has no courier for {', '.join(without)}, by which the flow sends: it does not start",
            "add the URL of one to WATCHWORD_COURIER, with a space before it",
        )


def _rights(name: str, function: DeployedFunction, registry: Registry) -> Iterator[Said]:
    """Tell of what the couriers of *function* do and its role does not allow, on whatever resource."""
    if function.rights is None or isinstance(function.rights, Unknown):
        return  # said with the tables
    wanted = [
        action
        for courier in _couriers(function.setting("WATCHWORD_COURIER"), registry) or ()
        for permission in powers_of_courier(courier).permissions
        for action in permission.actions
    ]
    missing = [each for each in dict.fromkeys(wanted) if not role_may(function.rights, each)]
    if missing:
        yield DoctorFinding(
            "WD42",
            f"{name} may not send: its role lacks {', '.join(missing)}",
            "allow it in the role of the function: watchword template --courier URL says on what",
        )


def _couriers(setting: TextValue | None, registry: Registry) -> list[Courier] | None:
    """Return the couriers of *setting*; None if it is not known, or names one that is not installed here."""
    if not isinstance(setting, str):
        return None if setting else []
    with suppress(ConfigurationError):
        return [registry.find_courier(each) for each in setting.split()]
    return None


def role_may(statements: Iterable[Facts], action: str) -> bool:
    """Say whether one of *statements* allows *action* on something, or may."""
    return any(
        word(get(each, "Effect")) != "Deny"
        and any(
            isinstance(said, Unknown) or fnmatchcase(action.lower(), said.lower())
            for said in words(get(each, "Action"))
        )
        for each in statements
    )
