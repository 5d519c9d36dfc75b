"""A kind that remembers and enrols, as small as can be: a fob, whose serial number the user types and whose word opens."""

from typing import ClassVar

from attrs import frozen

from watchword import Challenge, Verdict
from watchword.contract import Enrolment, NewCredential


@frozen
class Fob:
    """Enrolled by typing the word that it shows; what is right afterwards is the word again. The word is derived."""

    kind: ClassVar[str] = "fob"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    remembers: ClassVar[str] = "one"

    attempts: int = 3
    lifetime: int = 180

    def create(self, request):
        """Ask for the word."""
        return Challenge(public={"ask": "word"})

    def verify(self, request):
        """Compare it with that of each credential."""
        return Verdict(
            any(request.answer == word(request, each.id, each.state["root"]) for each in request.credentials)
        )

    def begin(self, request):
        """Show the word."""
        shown = word(request, request.id, request.root_key)
        return Enrolment({"word": shown}, private={"root": request.root_key}, carry={"begun": "yes"})

    def complete(self, request):
        """Compare it."""
        root = request.private["root"]
        if request.answer == word(request, request.id, root):
            return NewCredential(request.id, {"root": root}, "fob")
        return Verdict(right=False, reason="other_word")


@frozen
class Rings(Fob):
    """Of which a user may have many."""

    kind: ClassVar[str] = "rings"
    remembers: ClassVar[str] = "many"


@frozen
class Spare(Fob):
    """For users who have lost the other one."""

    kind: ClassVar[str] = "spare"
    backup: ClassVar[bool] = True


def word(request, id_, root):
    """Return the word of a credential."""
    return request.derive(id_, root).hex()[:12]


@frozen
class Badge(Rings):
    """Of which a user may have many, each with an id that the user types: it begins with ``badge-``."""

    kind: ClassVar[str] = "badge"

    def verify(self, request):
        """Take any badge of the user's."""
        return Verdict(request.answer in {each.id for each in request.credentials})

    def begin(self, request):
        """Tell how a badge begins."""
        return Enrolment({"hint": "badge-"})

    def complete(self, request):
        """Take any badge."""
        if not request.answer.startswith("badge-"):
            return Verdict(right=False)
        return NewCredential(request.answer, {"number": request.answer[6:]})
