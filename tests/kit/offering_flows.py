"""A kind that a select round offers, and flows with it."""

from typing import ClassVar

from attrs import frozen

from kit.engine_host import Riddle
from watchword import Flow, named, one_of


@frozen
class Card(Riddle):
    """A riddle that a select round offers."""

    kind: ClassVar[str] = "card"

    def offer(self, request):
        """Make the same as `create`."""
        return self.create(request)


OFFERING = Flow(one_of(Card(), named("other", Card(answer="bird")), Riddle()), name="offering")
