"""Attacks: a corpus of them, to be tried on anybody's flow; see `attack`."""

from watchword_adapters.attacks.corpus import FAMILIES, Outcome, attack, one_case, upper_bound
from watchword_adapters.attacks.successes import Success

__all__ = ["FAMILIES", "Outcome", "Success", "attack", "one_case", "upper_bound"]
