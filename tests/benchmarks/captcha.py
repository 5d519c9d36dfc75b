"""Pictures a second and their bytes: Watchword's CAPTCHA as it is shipped, against the captcha library as it comes."""

import base64
import itertools
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rounds import Measured, Sample, alternate
from scoreboard import Row, options, show

# This file is called like the library, which must be found in its stead.
sys.path.remove(str(Path(__file__).parent))

SPEED, SIZE = "pictures", "bytes"
UNITS = {SPEED: "/s", SIZE: "B"}
LIBRARY, DEFAULT = "library, 240x80", "library, 160x60"
# What the library's own drawing leaves room for; a trial that drew by itself reached 4.7 times and 0.26 times.
TARGETS = {SPEED: "≥ 1.1x", SIZE: "≤ 0.3x"}


def shipped(format_: str) -> Callable[[int], bytes]:
    """Return what makes the picture of a whole challenge, code and digest included."""
    from watchword.testing import create_request
    from watchword_plugins.captcha import Captcha

    kind = Captcha(format=format_)
    kind.prepare()

    def draw(number: int) -> bytes:
        challenge = kind.create(create_request(kind, claim=str(number)))
        return base64.b64decode(challenge.public["image"].partition(",")[2])

    return draw


def as_it_comes(width: int, height: int, format_: str) -> Callable[[int], bytes]:
    """Return what makes a picture of the same characters with the library alone."""
    from captcha.image import ImageCaptcha

    from watchword_plugins.captcha import ALPHABET

    painter = ImageCaptcha(width, height)
    choices = random.Random(1)

    def draw(number: int) -> bytes:
        return painter.generate("".join(choices.choices(ALPHABET, k=6)), format_).getvalue()

    return draw


def drawing(draw: Callable[[int], bytes], count: int) -> Callable[[], Sample]:
    """Return a run that draws *count* pictures, new ones in every run."""
    numbers = itertools.count()

    def run() -> Sample:
        before = time.process_time_ns()
        sizes = [len(draw(next(numbers))) for _ in range(count)]
        return {SPEED: count * 1e9 / (time.process_time_ns() - before), SIZE: sum(sizes) / count}

    return run


def rows(measured: Measured) -> list[Row]:
    """Return the figures: the library's first, then ours against PNG (the library's default) and against their own format."""
    table = [
        Row(f"{variant}, {quantity}", measured.median(variant, quantity), UNITS[quantity])
        for variant in measured.samples
        if variant.startswith("library")
        for quantity in UNITS
    ]
    for format_ in ("webp", "png"):
        for quantity, unit in UNITS.items():
            for against in dict.fromkeys((f"{LIBRARY} png", f"{LIBRARY} {format_}", f"{DEFAULT} png")):
                ours = f"Watchword, 240x80 {format_}"
                table.append(
                    Row(
                        f"{ours}, {quantity}",
                        measured.median(ours, quantity),
                        unit,
                        measured.ratio(ours, against, quantity),
                        against,
                        TARGETS[quantity] if against == f"{LIBRARY} png" else "",
                    )
                )
    return table


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    variants = {
        **{f"{LIBRARY} {format_}": as_it_comes(240, 80, format_) for format_ in ("png", "webp")},
        **{f"{DEFAULT} {format_}": as_it_comes(160, 60, format_) for format_ in ("png", "webp")},
        **{f"Watchword, 240x80 {format_}": shipped(format_) for format_ in ("png", "webp")},
    }
    runs = {name: drawing(draw, 1 if asked.quick else 20) for name, draw in variants.items()}
    measured = alternate(runs, asked.rounds, warm_up=not asked.quick)
    show("captcha", rows(measured), as_json=asked.json)


if __name__ == "__main__":
    main()
