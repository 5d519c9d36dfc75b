"""Kinds that remember, as small as can be: one for each rule by which a credential may be used again."""

from typing import ClassVar

from attrs import evolve, frozen

from watchword import Challenge, Verdict
from watchword.contract.credentials import Credential, Enrolment, NewCredential

PERIOD = 30


class Remembering:
    """What all of them share: nothing is shown, and an answer is judged by what the store gave."""

    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    remembers: ClassVar[str] = "many"

    def create(self, request):
        return Challenge()

    def verify(self, request):
        for credential in request.credentials:
            state = self.next_state(credential, request)
            if state is not None:
                return Verdict(right=True, use=evolve(credential, state=state) if state else None)
        return Verdict(right=False)

    def begin(self, request):
        return Enrolment(public={"id": request.id}, private={"id": request.id})

    def complete(self, request):
        if request.answer != f"enrol {request.id}":
            return Verdict(right=False)
        return NewCredential(request.id, self.first_state())


class Unguessable:
    """What nobody guesses, which therefore has no budget."""

    def guess_probability(self):
        return 2.0**-80


@frozen
class Steps(Remembering):
    """Like TOTP: the answer names a step of time, none is used that is not above the last, one user has one."""

    kind: ClassVar[str] = "steps"
    remembers: ClassVar[str] = "one"

    def first_state(self):
        return {"step": "0"}

    def answers(self, credential, now):
        return (f"{credential.id} {int(now) // PERIOD}",)

    def next_state(self, credential, request):
        step = int(request.now) // PERIOD
        named = [each for each in (step - 1, step, step + 1) if request.answer == f"{credential.id} {each}"]
        return {"step": str(named[0])} if named and named[0] > int(credential.state["step"]) else None


@frozen
class Codes(Remembering, Unguessable):
    """Like recovery codes: ten, each once; nobody guesses one."""

    kind: ClassVar[str] = "codes"
    remembers: ClassVar[str] = "one"

    def first_state(self):
        return {"used": ""}

    def answers(self, credential, now):
        return tuple(f"{credential.id} {number}" for number in range(10))

    def next_state(self, credential, request):
        used = credential.state["used"].split()
        number = request.answer.rpartition(" ")[2]
        if request.answer not in self.answers(credential, request.now) or number in used:
            return None
        return {"used": " ".join((*used, number))}


@frozen
class Counts(Remembering, Unguessable):
    """Like a passkey that counts: the answer names a count, which must be above the last."""

    kind: ClassVar[str] = "counts"

    def first_state(self):
        return {"count": "0"}

    def answers(self, credential, now):
        return tuple(f"{credential.id} {count}" for count in range(1, 11))

    def next_state(self, credential, request):
        count = request.answer.rpartition(" ")[2]
        above = request.answer in self.answers(credential, request.now) and int(count) > int(credential.state["count"])
        return {"count": count} if above else None


@frozen
class Uses(Remembering, Unguessable):
    """Every use is right, and written down."""

    kind: ClassVar[str] = "uses"

    def first_state(self):
        return {"uses": "0"}

    def answers(self, credential, now):
        return (f"{credential.id} same",)

    def next_state(self, credential, request):
        right = request.answer in self.answers(credential, request.now)
        return {"uses": str(int(credential.state["uses"]) + 1)} if right else None


@frozen
class Keys(Remembering, Unguessable):
    """Like a passkey without a count: every use is right, and nothing is written down."""

    kind: ClassVar[str] = "keys"

    def first_state(self):
        return {"key": "x"}

    def answers(self, credential, now):
        return (f"{credential.id} same",)

    def next_state(self, credential, request):
        return {} if request.answer in self.answers(credential, request.now) else None


KINDS = {each.kind: each for each in (Steps(), Codes(), Counts(), Uses(), Keys())}


ONCE = ("steps", "codes", "counts")
"""The kinds of which an answer is good once."""


def enrolled(kind, owner, id_="id-1"):
    """A credential of *kind* that *owner* has enrolled."""
    return Credential(id_, owner, kind.kind, state=kind.first_state())
