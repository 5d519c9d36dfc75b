"""A virtual clock for tests that need threads: what may hang runs beside the caller, as on the system's clock, and no real time limits it."""

import math

from watchword.testing.time import VirtualClock
from watchword_adapters.clock import SystemClock


class ThreadedClock(VirtualClock):
    """A `VirtualClock` that calls on threads."""

    def call(self, work, within):
        return super().call(lambda: SystemClock().call(work, math.inf), within)
