"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""

# Each name is loaded when it is asked for (PEP 562): `import watchword` alone loads nothing, and a program only what it uses.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from watchword.blocks import all_of, at_least, attribute, client, fallback, named, one_of, sequence, when
    from watchword.budgets import Limits
    from watchword.challenge import Challenge, CreateRequest, Email, Kind, User, Verdict, VerifyRequest
    from watchword.errors import ConfigurationError, ProtocolError, UnavailableError, WatchwordError
    from watchword.exploration import explore
    from watchword.flow import FailAuthentication, Flow, IssueTokens, Present, ReadRound, Round
    from watchword.flow_file import load_flow
    from watchword.hooks import hookimpl
    from watchword.registry import Registry
    from watchword.typed import typed_code
    from watchword.verdicts import check

__all__ = [
    "Challenge",
    "ConfigurationError",
    "CreateRequest",
    "Email",
    "FailAuthentication",
    "Flow",
    "IssueTokens",
    "Kind",
    "Limits",
    "Present",
    "ProtocolError",
    "ReadRound",
    "Registry",
    "Round",
    "UnavailableError",
    "User",
    "Verdict",
    "VerifyRequest",
    "WatchwordError",
    "all_of",
    "at_least",
    "attribute",
    "check",
    "client",
    "explore",
    "fallback",
    "hookimpl",
    "load_flow",
    "named",
    "one_of",
    "sequence",
    "typed_code",
    "when",
]

_NAMES = {
    "blocks": ("all_of", "at_least", "attribute", "client", "fallback", "named", "one_of", "sequence", "when"),
    "budgets": ("Limits",),
    "challenge": ("Challenge", "CreateRequest", "Email", "Kind", "User", "Verdict", "VerifyRequest"),
    "errors": ("ConfigurationError", "ProtocolError", "UnavailableError", "WatchwordError"),
    "exploration": ("explore",),
    "flow": ("FailAuthentication", "Flow", "IssueTokens", "Present", "ReadRound", "Round"),
    "flow_file": ("load_flow",),
    "hooks": ("hookimpl",),
    "registry": ("Registry",),
    "typed": ("typed_code",),
    "verdicts": ("check",),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
"""The module of each public name."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing is imported before it is needed

    # Kept, so that it is looked up once.
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
