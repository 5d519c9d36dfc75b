"""Attacks: a corpus of them, to be tried on anybody's flow; see `attack`."""

from watchword_adapters.attacks.corpus import FAMILIES, Outcome, attack, upper_bound

__all__ = ["FAMILIES", "Outcome", "attack", "upper_bound"]
