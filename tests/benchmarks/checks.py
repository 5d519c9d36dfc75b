"""How fast flows are explored and checked, and how many of the listed broken and sound flows are told apart."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from rounds import Measured, Sample, alternate
from scoreboard import Row, options, show

from watchword import Flow, all_of, at_least, check, explore, load_flow, named
from watchword.algebra.blocks import Block
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.checked_flows import BROKEN, SOUND  # found by the line above

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "flows"
EIGHT, MANY = "eight in any order", "any four of nine"


def any_order(block: Callable[..., Block], count: int) -> Flow:
    """Return the flow of *count* steps, every other one of them a code by mail, in *block*."""
    kinds = (EmailOtp(), Captcha())
    return Flow(block(*(named(f"step_{number}", kinds[number % 2]) for number in range(count))))


def exploring(flow: Flow) -> Callable[[], Sample]:
    """Return a run that explores *flow*: its processor time, and the states in a second of it."""

    def run() -> Sample:
        before = time.process_time()
        states = len(explore(flow).states)
        took = time.process_time() - before
        return {"s": took, "states": states, "states/s": states / took}

    return run


def checking(flow: Flow) -> Callable[[], Sample]:
    """Return a run that checks *flow*."""

    def run() -> Sample:
        before = time.process_time()
        check(flow)
        return {"s": time.process_time() - before}

    return run


def told_apart() -> list[Row]:
    """Return how many broken flows are caught, each by its own finding, and how many sound ones are not called unsound."""
    caught = sum(
        any(each.code == code for each in check(flow, **asked).findings) for flow, asked, code, _ in BROKEN.values()
    )
    passed = sum(not check(flow, **asked).errors for flow, asked in SOUND.values())
    return [
        Row("broken flows caught", caught, "", caught / len(BROKEN), f"{len(BROKEN)} listed", "1.00x"),
        Row("sound flows not flagged", passed, "", passed / len(SOUND), f"{len(SOUND)} listed", "1.00x"),
    ]


def timed(measured: Measured, names: list[str]) -> list[Row]:
    """Return the rows of what was measured."""
    rows = []
    for flow in (EIGHT, MANY):
        name = f"explore, {flow}"
        if name in names:
            rows += [
                Row(f"{name}: states", measured.median(name, "states"), ""),
                Row(f"{name}: speed", measured.median(name, "states/s"), "states/s"),
                Row(name, measured.median(name, "s"), "s"),
            ]
    for name in names:
        if name.startswith("check"):
            against = f"explore, {EIGHT}" if name.endswith(EIGHT) else ""
            ratio = measured.ratio(name, against, "s") if against else None
            rows.append(Row(name, measured.median(name, "s") * 1000, "ms", ratio, against))
    return rows


def main() -> None:
    """Measure, and print."""
    given = options(__doc__ or "", rounds=5)
    eight = any_order(all_of, 8)
    variants = {f"explore, {EIGHT}": exploring(eight), f"check, {EIGHT}": checking(eight)}
    if not given.quick:
        variants[f"explore, {MANY}"] = exploring(any_order(lambda *parts: at_least(4, *parts), 9))
    for path in sorted(EXAMPLES.glob("*.toml")):
        variants[f"check, {path.stem}"] = checking(load_flow(path))
    measured = alternate(variants, given.rounds, warm_up=not given.quick)
    show("checks", [*timed(measured, list(variants)), *told_apart()], as_json=given.json)


if __name__ == "__main__":
    main()
