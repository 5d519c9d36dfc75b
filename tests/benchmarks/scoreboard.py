"""The face of every benchmark: the same arguments, and the same table or JSON. Times never change the exit status."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence

from attrs import asdict, frozen


@frozen
class Row:
    """One figure of today. *ratio* is to the variant *against*; *target* is what that ratio should come to."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    target: str = ""


@frozen
class Options:
    """What the command line asks for."""

    rounds: int
    quick: bool
    json: bool


def options(description: str, *, rounds: int) -> Options:
    """Read the command line; *rounds* is what is measured unless it says otherwise."""
    parser = argparse.ArgumentParser(
        description=description, epilog="Figures of one machine and moment: read the ratios. They never fail a build."
    )
    parser.add_argument(
        "--rounds", type=_at_least_one, default=rounds, metavar="N", help=f"rounds, {rounds} if not given"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one small round, to see that it runs; the figures mean nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    given = parser.parse_args()
    return Options(1 if given.quick else given.rounds, given.quick, given.json)


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)


def left_out(what: str, distribution: str) -> None:
    """Say on standard error that a yardstick is missing, and how to get it."""
    print(f"{what} is left out: pip install {distribution}", file=sys.stderr)


def show(benchmark: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """Print *rows*."""
    machine = {"python": platform.python_version(), "cpu_count": os.cpu_count()}
    if as_json:
        print(json.dumps({"benchmark": benchmark, "rows": [asdict(row) for row in rows], "machine": machine}, indent=2))
        return
    table = [("", "today", "", "ratio", "against", "target"), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print(f"{benchmark}, Python {machine['python']}, {machine['cpu_count']} processors\n")
    for cells in table:
        name, value, unit, ratio, against, target = map(str.ljust, cells, widths)
        print(
            f"{name}  {value.strip():>{widths[1]}} {unit}  {ratio.strip():>{widths[3]}}  {against}  {target}".rstrip()
        )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.value:.3g}" if row.value < 100 else f"{row.value:.0f}",
        row.unit,
        "" if row.ratio is None else f"{row.ratio:.2f}x",
        row.against,
        row.target,
    )
