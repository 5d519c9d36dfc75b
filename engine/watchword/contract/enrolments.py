"""Enrolments: what a kind is asked when one begins, and when an answer is to end it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from watchword.contract.kinds import KindRequest
from watchword.contract.ports import read_only


@frozen
class BeginRequest(KindRequest):
    """Everything a kind may know when an enrolment begins.

    *id* is for the new credential, if the kind has no id of its own: 32 hex digits that nobody can guess, the same for all
    rounds of one enrolment. *ref* is the reference that the user sees; *again* is True if the round before was this
    enrolment, answered wrong; *carry* is what `begin` of that round handed on.
    """

    id: str
    ref: str = ""
    again: bool = False
    carry: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)

    def code(self, alphabet: str, length: int) -> str:
        """Return a secret of *length* symbols of *alphabet*, each equally likely and independent; another one in each round."""
        return self.methods.code(alphabet, length)


@frozen
class CompleteRequest(KindRequest):
    """Everything a kind may know when it judges the answer that ends an enrolment.

    *id* is that of `BeginRequest`, *private* what `begin` kept, *label* how the user calls the new credential.
    """

    id: str
    answer: str = field(repr=False)
    private: Mapping[str, str] = field(converter=read_only, repr=False)
    label: str = ""
