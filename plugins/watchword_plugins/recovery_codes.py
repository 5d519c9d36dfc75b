"""Recovery codes: a list to be kept on paper, for the day on which everything else is lost."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import evolve, field, frozen

from watchword import Challenge, CreateRequest, Verdict, VerifyRequest, hookimpl, typed_code
from watchword.contract import (
    BeginRequest,
    CompleteRequest,
    Enrolment,
    Factor,
    KindRequest,
    NewCredential,
    RegisterKind,
    whole_number,
)

# 32 symbols, five bits each: digits and letters without I, L, O and U (Crockford's base32).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_LOOK_ALIKE = str.maketrans("ILO", "110")
_LENGTH = 16  # of five bits: NIST SP 800-63B-4 3.1.2 demands 64 of a saved recovery code
_GROUP = 4


@frozen
class RecoveryCodes:
    """Ask for one of the codes that the user was shown when they enrolled. Each is right once.

    The codes are derived from a root key: nothing secret is stored, and nobody can look them up. New codes void the old.
    They are a backup: a flow on which they alone sign somebody in is refused.

    Attributes:
        count: how many codes a user gets, 1 to 20.
        attempts: tries per sign-in, 1 to 5.
        lifetime: seconds for an answer, 60 to 600.
    """

    kind: ClassVar[str] = "recovery_codes"
    proves = frozenset[Factor]({"possession"})
    remembers: ClassVar[Literal["one", "many"]] = "one"
    backup: ClassVar[bool] = True
    methods: ClassVar[tuple[str, ...]] = ("recovery",)
    called: ClassVar[Mapping[str, str]] = {
        "ar": "رموز استرداد",
        "de": "Wiederherstellungscodes",
        "en": "recovery codes",
        "es": "códigos de recuperación",
        "fr": "codes de récupération",
        "it": "codici di recupero",
        "ja": "リカバリーコード",
        "nl": "herstelcodes",
        "pl": "kody odzyskiwania",
        "pt-br": "códigos de recuperação",
    }

    count: int = field(default=10, validator=whole_number(1, 20))
    attempts: int = field(default=3, validator=whole_number(1, 5))
    lifetime: int = field(default=180, validator=whole_number(60, 600))

    def create(self, request: CreateRequest) -> Challenge:
        """Ask for a code. Behind a proven factor, say how many are left."""
        if not request.proven:
            return Challenge()
        states = [_read_state(credential.state) for credential in request.credentials]
        left = sum(count - len(used) for count, used in filter(None, states))
        return Challenge(public={"codes_left": str(left)})

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed code: right if it was not used yet."""
        code = _read(request.answer)
        if code is None:
            return Verdict(right=False, reason="malformed")
        if not request.credentials:
            # As much work as for somebody who has enrolled. Whatever comes of it is not right.
            _matched(request, request.pseudonym("nobody"), request.root_key, code, self.count)
            return Verdict(right=False, reason="no_credential")
        reason = "wrong"
        for credential in request.credentials:
            count, used = _read_state(credential.state) or (0, frozenset[int]())
            index = _matched(request, credential.id, credential.state.get("root", ""), code, count)
            if index is None:
                continue
            if index not in used:
                written = ",".join(map(str, sorted({*used, index})))
                return Verdict(right=True, use=evolve(credential, state={**credential.state, "used": written}))
            reason = "code_used"
        return Verdict(right=False, reason=reason)

    def begin(self, request: BeginRequest) -> Enrolment:
        """Show the codes, with spaces between."""
        codes = _codes(request, request.id, request.root_key, self.count)
        return Enrolment(
            public={"codes": " ".join(map(_grouped, codes))},
            private={"id": request.id, "root": request.root_key, "count": str(self.count)},
        )

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        """Take any one of the codes, as a sign that they were saved. It is not used up."""
        code = _read(request.answer)
        if code is None:
            return Verdict(right=False, reason="malformed")
        state = {"root": request.private.get("root", ""), "used": "", "count": request.private.get("count", "")}
        count, _ = _read_state(state) or (0, None)
        id_ = request.private.get("id", "")
        if _matched(request, id_, state["root"], code, count) is None:
            return Verdict(right=False, reason="wrong")
        return NewCredential(id_, state, request.label)

    def guess_probability(self) -> float:
        """Return the chance of one guess: all codes of a user are right at once."""
        return self.count / float(len(_ALPHABET)) ** _LENGTH


def _read(answer: object) -> str | None:
    """Return the code that *answer* stands for, or None if it cannot be one. Letters that look like digits are read as such."""
    code = (typed_code(answer) or "").translate(_LOOK_ALIKE)
    return code if len(code) == _LENGTH and set(code) <= set(_ALPHABET) else None


def _codes(request: KindRequest, id_: str, root: str, count: int) -> list[str]:
    """Return the codes of the credential *id_*."""
    key = request.derive(id_, root)
    digests = (hmac.digest(key, f"recovery code {index}".encode("ascii"), hashlib.sha256) for index in range(count))
    # The least five bits of each byte: 256 is a multiple of 32, so all symbols are equally likely.
    return ["".join(_ALPHABET[byte % 32] for byte in digest[:_LENGTH]) for digest in digests]


def _matched(request: KindRequest, id_: str, root: str, code: str, count: int) -> int | None:
    """Return which of the codes *code* is; None if it is none. All are compared, so that the time tells nothing."""
    found = [index for index, each in enumerate(_codes(request, id_, root, count)) if hmac.compare_digest(each, code)]
    return found[0] if found else None


def _grouped(code: str) -> str:
    """Return *code* as it is shown: in groups of four."""
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _read_state(state: Mapping[str, str]) -> tuple[int, frozenset[int]] | None:
    """Return how many codes there are, and which were used; None if that cannot be read, and then nothing is right."""
    texts = [state.get("count", ""), *filter(None, state.get("used", "?").split(","))]
    if not all(text.isascii() and text.isdigit() and len(text) <= 2 for text in texts):
        return None
    count, *used = map(int, texts)
    return count, frozenset(used)


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `RecoveryCodes`."""
    register(RecoveryCodes)
