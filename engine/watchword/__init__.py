"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""

# Each name is loaded when it is asked for (PEP 562): `import watchword` alone loads nothing, and a program only what it uses.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watchword.algebra.blocks import (
        all_of,
        ask_first,
        at_least,
        attribute,
        client,
        enrol,
        enrolled,
        fallback,
        named,
        one_of,
        sequence,
        when,
    )
    from watchword.algebra.flow import FailAuthentication, Flow, IssueTokens, Present, ReadRound, Round
    from watchword.algebra.limits import Limits
    from watchword.analysis.assurance import recovery_channels
    from watchword.analysis.checks import check
    from watchword.analysis.difference import difference
    from watchword.analysis.explanation import explain
    from watchword.analysis.state_space import explore
    from watchword.contract.hookspecs import hookimpl
    from watchword.contract.kinds import Challenge, CreateRequest, Email, Kind, Sms, User, Verdict, VerifyRequest
    from watchword.contract.typed_codes import typed_code
    from watchword.errors import (
        ConfigurationError,
        ExpiredError,
        ProtocolError,
        TryLaterError,
        UnavailableError,
        WatchwordError,
    )
    from watchword.loading.flow_file import load_flow
    from watchword.loading.flow_reference import find_flow
    from watchword.loading.registry import Registry
    from watchword.runtime.keyring import Keyring
    from watchword.runtime.unlocking import unlock

__all__ = [
    "Challenge",
    "ConfigurationError",
    "CreateRequest",
    "Email",
    "ExpiredError",
    "FailAuthentication",
    "Flow",
    "IssueTokens",
    "Keyring",
    "Kind",
    "Limits",
    "Present",
    "ProtocolError",
    "ReadRound",
    "Registry",
    "Round",
    "Sms",
    "TryLaterError",
    "UnavailableError",
    "User",
    "Verdict",
    "VerifyRequest",
    "WatchwordError",
    "all_of",
    "ask_first",
    "at_least",
    "attribute",
    "check",
    "client",
    "difference",
    "enrol",
    "enrolled",
    "explain",
    "explore",
    "fallback",
    "find_flow",
    "hookimpl",
    "load_flow",
    "named",
    "one_of",
    "recovery_channels",
    "sequence",
    "typed_code",
    "unlock",
    "when",
]

_NAMES = {
    "algebra.blocks": (
        "all_of",
        "ask_first",
        "at_least",
        "attribute",
        "client",
        "enrol",
        "enrolled",
        "fallback",
        "named",
        "one_of",
        "sequence",
        "when",
    ),
    "algebra.limits": ("Limits",),
    "contract.kinds": ("Challenge", "CreateRequest", "Email", "Kind", "Sms", "User", "Verdict", "VerifyRequest"),
    "errors": (
        "ConfigurationError",
        "ExpiredError",
        "ProtocolError",
        "TryLaterError",
        "UnavailableError",
        "WatchwordError",
    ),
    "analysis.state_space": ("explore",),
    "algebra.flow": ("FailAuthentication", "Flow", "IssueTokens", "Present", "ReadRound", "Round"),
    "loading.flow_file": ("load_flow",),
    "loading.flow_reference": ("find_flow",),
    "contract.hookspecs": ("hookimpl",),
    "loading.registry": ("Registry",),
    "contract.typed_codes": ("typed_code",),
    "analysis.assurance": ("recovery_channels",),
    "analysis.checks": ("check",),
    "analysis.difference": ("difference",),
    "analysis.explanation": ("explain",),
    "runtime.keyring": ("Keyring",),
    "runtime.unlocking": ("unlock",),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
"""The module of each public name."""


def loaded_when_asked(package: str, homes: "Mapping[str, str]") -> "Callable[[str], object]":
    """Return the `__getattr__` of *package*: it takes each of its names from the module in *homes*, once."""

    def loaded(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - nothing is imported before it is needed

        value = getattr(import_module(homes[name]), name)
        setattr(import_module(package), name, value)  # kept, so that it is looked up once
        return value

    return loaded


__getattr__ = loaded_when_asked(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
