"""Vulnerable twins of what the corpus of attacks tries: a change of one function, and the family that must find it."""

from attrs import frozen

from kit.broken_code import broken
from watchword_adapters.attacks import FAMILIES, attack


@frozen
class Twin:
    """A change of one function that makes it vulnerable, the family that must find it, and the name of the flow to try it on.

    Without a name that is the first of the flows.
    """

    function: object
    old: str
    new: str
    family: str
    flow: str = ""

    def caught(self, flows, cases):
        """What its family finds while the change is in place."""
        with broken(self.function, self.old, self.new):
            return found(self.family, flows, self.flow, cases)


def found(family, flows, flow, cases):
    """What the family *family* finds on *flow*, a name of *flows*; on the first if it is empty."""
    only = tuple(each for each in FAMILIES if each.id == family)
    tried = flows[flow or next(iter(flows))]
    return attack(tried, cases=cases, seed="twins", families=only).succeeded
