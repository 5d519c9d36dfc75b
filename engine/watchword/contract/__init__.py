"""The contract: what a kind, a courier, a ledger and the host's other ports must be and may do.

What the author of a kind uses most is in `watchword` itself.
"""

from watchword import loaded_when_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from watchword.contract.credentials import Credential, Credentials, Enrolment, NewCredential
    from watchword.contract.enrolments import BeginRequest, CompleteRequest
    from watchword.contract.hookspecs import RegisterCourier, RegisterKind, RegisterLedger
    from watchword.contract.kinds import Factor, HostRun, KindRequest, Message, is_telephone_number
    from watchword.contract.messages.languages import nearest_language
    from watchword.contract.messages.segments import SmsSize
    from watchword.contract.ports import (
        AccessTokens,
        Audit,
        AuditEvent,
        Charge,
        ChargeOutcome,
        ChargeRequest,
        Claim,
        ClaimState,
        Clock,
        Courier,
        Ledger,
        Limit,
        Permission,
        Random,
        Reach,
        Receipt,
    )
    from watchword.contract.powers import (
        Enrols,
        Guessable,
        Links,
        NeedsModules,
        NeedsPermissions,
        Offers,
        Powers,
        Prepares,
        Remembers,
        Sends,
        powers_of,
    )
    from watchword.contract.typed_codes import Case, write_token_answer
    from watchword.contract.validators import Validator, choice, flag, line, refused, whole_number

__all__ = [
    "AccessTokens",
    "Audit",
    "AuditEvent",
    "BeginRequest",
    "Case",
    "Charge",
    "ChargeOutcome",
    "ChargeRequest",
    "Claim",
    "ClaimState",
    "Clock",
    "CompleteRequest",
    "Courier",
    "Credential",
    "Credentials",
    "Enrolment",
    "Enrols",
    "Factor",
    "Guessable",
    "HostRun",
    "KindRequest",
    "Ledger",
    "Limit",
    "Links",
    "Message",
    "NeedsModules",
    "NeedsPermissions",
    "NewCredential",
    "Offers",
    "Permission",
    "Powers",
    "Prepares",
    "Random",
    "Reach",
    "Receipt",
    "RegisterCourier",
    "RegisterKind",
    "RegisterLedger",
    "Remembers",
    "Sends",
    "SmsSize",
    "Validator",
    "choice",
    "flag",
    "is_telephone_number",
    "line",
    "nearest_language",
    "powers_of",
    "refused",
    "whole_number",
    "write_token_answer",
]

_NAMES = {
    "hookspecs": ("RegisterCourier", "RegisterKind", "RegisterLedger"),
    "credentials": ("Credential", "Credentials", "Enrolment", "NewCredential"),
    "enrolments": ("BeginRequest", "CompleteRequest"),
    "kinds": ("Factor", "HostRun", "KindRequest", "Message", "is_telephone_number"),
    "messages.languages": ("nearest_language",),
    "messages.segments": ("SmsSize",),
    "ports": (
        *("AccessTokens", "Audit", "AuditEvent", "Charge", "ChargeOutcome", "ChargeRequest", "Claim", "ClaimState"),
        *("Clock", "Courier", "Ledger", "Limit", "Permission", "Random", "Reach", "Receipt"),
    ),
    "powers": (
        *("Enrols", "Guessable", "Links", "NeedsModules", "NeedsPermissions", "Offers", "Powers", "Prepares"),
        *("Remembers", "Sends", "powers_of"),
    ),
    "typed_codes": ("Case", "write_token_answer"),
    "validators": ("Validator", "choice", "flag", "line", "refused", "whole_number"),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
"""The module of each public name."""

__getattr__ = loaded_when_asked(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
