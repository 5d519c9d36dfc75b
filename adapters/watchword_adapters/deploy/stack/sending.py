"""How Create sends, in a template: the courier's URL, the parameters that it is made of, and what it must be allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast
from urllib.parse import unquote

from attrs import evolve, field, frozen

from watchword.contract.members import carries
from watchword.contract.ports import Courier, Permission
from watchword.contract.powers import powers_of_courier
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.couriers.ses import ses_permissions
from watchword_adapters.deploy.stack.alarms import are_paid
from watchword_adapters.deploy.zips import Zips

_Json = dict[str, Any]

_SENDER = {
    "Type": "String",
    "AllowedPattern": "[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+",
    "Description": "The address that codes are sent from; SES must have verified it or its domain",
}
_CONFIGURATION_SET = {
    "Type": "String",
    "Default": "",
    "AllowedPattern": "[A-Za-z0-9_-]{0,64}",
    "Description": "The configuration set of SES, also if it is the default one of the identity; or nothing",
}
_COURIER_URL = {
    "Type": "String",
    "NoEcho": True,
    "Description": "The courier's URL, as WATCHWORD_COURIER takes it, or several with spaces between; it may hold a password",
}
_CONFIGURED = "Configured"

_WITH_USER = re.compile(r"//[^/?#]{0,1000}@")
"""A user, with or without a password, in a URL or in a URL within its query (RFC 3986, 3.2.1)."""


@frozen
class Sending:
    """What a template says of the couriers: *url* and *statements* are values of CloudFormation, *schemes* say which they are."""

    url: Any
    statements: tuple[_Json, ...] = ()
    parameters: _Json = field(factory=dict[str, Any])
    conditions: _Json = field(factory=dict[str, Any])
    schemes: tuple[str, ...] = ()


def sending(url: str, zips: Zips | None, registry: Registry, channels: Collection[str]) -> Sending:
    """Return how Create sends by the couriers of *url*; by parameters of the template if it is empty. *registry* finds them.

    *url* is what WATCHWORD_COURIER takes: one URL, or several with spaces between. *channels* are those by which the flow sends.

    Raises:
        ConfigurationError: if a URL is wrong or holds a password, or Create holds no such courier, or one for which there is none; if
            no courier is for one of *channels*, or one is paid for each part and its URL, which says what to allow, is not given.
    """
    shipped = ("ses",) if zips is None else zips.couriers
    if not url:
        _demand_url(shipped, zips, channels)
        return evolve(_by_parameters(shipped), schemes=tuple(shipped))
    urls = {each.partition(":")[0].lower(): each for each in url.split()}
    if zips is not None and urls.keys() != set(shipped):
        given, held = (", ".join(each[:20] for each in some) for some in (urls, shipped))
        others = " ".join(f"--courier {each[:20]}" for each in urls)
        raise ConfigurationError(
            f"--courier has URLs of {given}, {zips.folder / 'create.zip'} holds {held}: give one URL of each, or build with {others}"
        )
    couriers = {scheme: registry.find_courier(each) for scheme, each in urls.items()}
    without = sorted(each for each in {*channels} if not any(carries(courier, each) for courier in couriers.values()))
    if without:
        raise ConfigurationError(f"--courier has no URL for {', '.join(without)}, by which the flow sends: add one")
    granted = [grant for scheme, each in urls.items() for grant in _granted(scheme, each, couriers[scheme])]
    return Sending(url, tuple(granted), schemes=tuple(urls))


def _demand_url(shipped: Iterable[str], zips: Zips | None, channels: Collection[str]) -> None:
    """Demand the URLs where what to allow depends on them, or where nothing says which courier there is."""
    others = sorted({*channels} - {"email"})
    if are_paid(shipped) or (others and zips is None):
        what = ", ".join(others) or "SMS"
        raise ConfigurationError(
            f"the flow sends by {what}: give --courier its URL, such as 'sms-voice://?origination=pool-0123&max_price=0.10', which says "
            "what to allow"
        )


def _granted(scheme: str, url: str, courier: Courier) -> Iterable[_Json]:
    if _WITH_USER.search(unquote(url)):
        raise ConfigurationError(
            "the courier's URL holds a user or a password, and everybody who sees the template would see it: "
            "leave --courier out, and give it as the parameter CourierUrl"
        )
    return statements(powers_of_courier(courier).permissions, f"the courier {scheme}")


def _by_parameters(shipped: Collection[str]) -> Sending:
    """Return how Create sends by what the stack is given: a sender for SES, and the URLs of other couriers."""
    if set(shipped) == {"ses"}:
        return _by_sender()
    others = Sending({"Ref": "CourierUrl"}, (), {"CourierUrl": _COURIER_URL})
    if "ses" not in shipped:
        return others
    ses = _by_sender()
    url = {"Fn::Join": [" ", [ses.url, others.url]]}
    return evolve(ses, url=url, parameters={**ses.parameters, **others.parameters})


def _by_sender() -> Sending:
    plain = "ses://?from=${From}"
    # In a URL's query a plus is a space (WHATWG URL, 5.1).
    own = {"From": {"Fn::Join": ["%2B", {"Fn::Split": ["+", {"Ref": "Sender"}]}]}}
    configured = plain + "&configuration_set=${ConfigurationSet}"
    (statement,) = statements(ses_permissions("${Sender}", "${AWS::Region}", "${ConfigurationSet}"), "ses")
    identity, configuration_set = statement["Resource"]
    return Sending(
        {"Fn::If": [_CONFIGURED, {"Fn::Sub": [configured, own]}, {"Fn::Sub": [plain, own]}]},
        ({**statement, "Resource": [identity, {"Fn::If": [_CONFIGURED, configuration_set, {"Ref": "AWS::NoValue"}]}]},),
        {"Sender": _SENDER, "ConfigurationSet": _CONFIGURATION_SET},
        {_CONFIGURED: {"Fn::Not": [{"Fn::Equals": [{"Ref": "ConfigurationSet"}, ""]}]}},
    )


def statements(permissions: object, whose: str) -> Iterable[_Json]:
    """Give the statements of a policy that allow *permissions*; *whose* they are is for an error.

    Raises:
        ConfigurationError: if they are no tuple of `Permission`.
    """
    told = cast("tuple[object, ...]", permissions) if isinstance(permissions, tuple) else (permissions,)
    for each in told:
        if not isinstance(each, Permission):
            raise ConfigurationError(f"{whose}: permissions is no tuple of watchword.contract.Permission")
        statement: _Json = {
            "Effect": "Allow",
            "Action": list(each.actions),
            "Resource": [_substituted(resource) for resource in each.resources],
        }
        if each.conditions:
            statement["Condition"] = {test: _values(pairs) for test, pairs in each.conditions.items()}
        yield statement


def _values(pairs: Mapping[str, str]) -> _Json:
    return {name: _substituted(text) for name, text in pairs.items()}


def _substituted(text: str) -> Any:
    return {"Fn::Sub": text} if "${" in text else text
