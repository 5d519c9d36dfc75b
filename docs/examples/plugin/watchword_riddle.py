"""A riddle: asks a question, and takes the answer in any case and spacing."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import Attribute, field, frozen

from watchword import Challenge, CreateRequest, Verdict, VerifyRequest, hookimpl, typed_code
from watchword.contract import Factor, RegisterKind, line, refused


def _some_text(instance: Any, attribute: Attribute[str], value: str) -> None:
    if not folded(value):
        raise refused(instance, attribute, "must be some ASCII text")  # or an empty answer would be right


@frozen
class Riddle:
    """Ask *question*, and want *answer*."""

    kind: ClassVar[str] = "riddle"
    proves = frozenset[Factor]({"knowledge"})
    # Nothing that verify reads: it has a digest in the challenge. So neither is part of the flow's fingerprint.
    cosmetic: ClassVar[frozenset[str]] = frozenset({"question", "answer"})

    question: str = field(validator=[line(200), _some_text])
    answer: str = field(validator=[line(100), _some_text], repr=False)

    def create(self, request: CreateRequest) -> Challenge:
        """Show the question; keep a keyed digest of the answer."""
        return Challenge(
            public={"question": self.question},
            private={"digest": request.seal(folded(self.answer))},
        )

    def verify(self, request: VerifyRequest) -> Verdict:
        """Compare in constant time."""
        return Verdict(right=request.matches(request.private.get("digest"), folded(request.answer)))


def folded(text: object) -> str:
    """Return what counts of *text*: ASCII in lower case, without spaces and what is pasted unseen; else nothing."""
    return typed_code(text, case="lower") or ""


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Riddle`."""
    register(Riddle)
