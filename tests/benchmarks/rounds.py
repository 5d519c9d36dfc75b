"""Measures variants in alternating rounds, so that what disturbs the machine disturbs all of them, and compares pair by pair."""

import gc
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

from attrs import frozen

Sample = Mapping[str, float]
"""What one run of one variant came to, by quantity."""


@frozen
class Measured:
    """The samples of every variant; the n-th ones belong together."""

    samples: Mapping[str, list[Sample]]

    def median(self, variant: str, quantity: str) -> float:
        """Return the median of *quantity* over all rounds."""
        return median(sample[quantity] for sample in self.samples[variant])

    def ratio(self, variant: str, against: str, quantity: str) -> float:
        """Return the median, over the rounds, of *variant*'s *quantity* divided by *against*'s of the same round."""
        pairs = zip(self.samples[variant], self.samples[against], strict=True)
        return median(ours[quantity] / theirs[quantity] for ours, theirs in pairs)


def alternate(variants: Mapping[str, Callable[[], Sample]], rounds: int, *, warm_up: bool = True) -> Measured:
    """Run every variant once, then every one again, *rounds* times; tell how far that is on standard error.

    With *warm_up* a round that is not counted comes first: it fills caches of bytecode and of files.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in variants}
    started, told = time.monotonic(), ""
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, run in variants.items():
            sample = run()
            if number:
                samples[name].append(sample)
            progress = f"round {number} of {rounds}" if number else "warming up"
            if progress != told and time.monotonic() - started > 1:
                told = progress
                print(f"\r{progress}", end="", file=sys.stderr, flush=True)
    if told:
        print(file=sys.stderr)
    return Measured(samples)


def microseconds_each(work: Callable[[], object], count: int) -> Callable[[], Sample]:
    """Return a run that does *work* *count* times and gives the processor time for one, over all threads."""

    def run() -> Sample:
        gc.collect()
        gc.disable()
        try:
            before = time.process_time_ns()
            for _ in range(count):
                work()
            return {"us": (time.process_time_ns() - before) / count / 1000}
        finally:
            gc.enable()

    return run
