"""The most time and memory that ten megabytes, or 100,000 levels, take at any entrance, and 100 kB any regular expression."""

import gc
import logging
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from scoreboard import Row, options, show

# In place of this folder: captcha.py in it is not the library of that name.
sys.path.remove(str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.entrances import MEGABYTES, TEXTS, THINGS, Entrance, function_entrances, reader_entrances, trigger_entrances
from kit.patterns import LARGE, PATTERNS, hostile, run

MOST_MILLISECONDS, MOST_MEGABYTES, MOST_FOR_A_PATTERN = 50, 20, 10
GROUPS: dict[str, Callable[[], list[Entrance]]] = {
    "triggers": trigger_entrances,
    "plain functions": function_entrances,
    "readers and settings": reader_entrances,
}


@frozen(order=True)
class Cost:
    """What one thing came to, and where."""

    value: float
    where: str


def costs(entrances: list[Entrance], rounds: int) -> tuple[Cost, Cost, int]:
    """Return the slowest case, the one that takes most memory, and how many cases there were."""
    time_taken, memory_taken, cases = Cost(0, ""), Cost(0, ""), 0
    for name in (*TEXTS, *THINGS):
        value = TEXTS[name](MEGABYTES * 1024 * 1024) if name in TEXTS else THINGS[name]()
        for entrance in entrances:
            if name in TEXTS or entrance.anything:
                cases += 1
                where, given = f"{entrance.name}: {name}", entrance.given(value)
                time_taken = max(time_taken, Cost(min(timed(entrance, given) for _ in range(rounds)), where))
                memory_taken = max(memory_taken, Cost(remembered(entrance, given), where))
        del value, given
        gc.collect()
    return time_taken, memory_taken, cases


def timed(entrance: Entrance, value: object) -> float:
    """Return the milliseconds of processor time."""
    before = time.process_time()
    entrance.enter(value)
    return (time.process_time() - before) * 1000


def remembered(entrance: Entrance, value: object) -> float:
    """Return the megabytes more, at most."""
    tracemalloc.start(1)
    entrance.enter(value)
    most = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return most


def pattern_cost(rounds: int, *, quick: bool) -> Cost:
    """Return the slowest regular expression on its worst text, in milliseconds."""
    slowest = Cost(0, "")
    for where, pattern, method in PATTERNS[:3] if quick else PATTERNS:
        worst = max(hostile(), key=lambda make, p=pattern, m=method: run(p, m, make(2000)))
        text = worst(LARGE)
        took = min(run(pattern, method, text) for _ in range(rounds)) * 1000
        slowest = max(slowest, Cost(took, f"{where}: {text[:20]!r}…"))
    return slowest


def main() -> None:
    """Measure, and print."""
    given = options(__doc__ or "", rounds=3)
    logging.disable(logging.CRITICAL)
    rows: list[Row] = []
    for group, make in GROUPS.items():
        slowest, largest, cases = costs(make()[:4] if given.quick else make(), given.rounds)
        rows += [
            Row(f"{group}: cases", cases, ""),
            _row(f"{group}: slowest", slowest, "ms", MOST_MILLISECONDS),
            _row(f"{group}: most memory", largest, "MB", MOST_MEGABYTES),
        ]
    slowest = pattern_cost(given.rounds, quick=given.quick)
    rows += [
        Row("regular expressions", len(PATTERNS), ""),
        _row("regular expressions: slowest", slowest, "ms", MOST_FOR_A_PATTERN),
    ]
    show("bounds", rows, as_json=given.json)


def _row(name: str, cost: Cost, unit: str, most: float) -> Row:
    return Row(f"{name} ({cost.where})", cost.value, unit, cost.value / most, f"{most} {unit}", "≤ 1x")


if __name__ == "__main__":
    main()
