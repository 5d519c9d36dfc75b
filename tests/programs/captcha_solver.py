"""How many pictures of the shipped CAPTCHA a program from the package index reads: `python tests/programs/captcha_solver.py`.

Needs the one version of the solver that the figure was measured with: pip install captcha-whisperer==0.1.0
"""

import argparse
import base64
import importlib.metadata
import json
import math
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from watchword.testing import create_request
from watchword.testing.code_tap import recorded_codes
from watchword_plugins.captcha import Captcha

SOLVER, VERSION = "captcha-whisperer", "0.1.0"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "captcha.md"


@frozen
class Measured:
    """What a solver came to."""

    solved: int
    pictures: int
    milliseconds: float
    tries: int

    @property
    def rate(self) -> float:
        """The share of pictures of which the whole text was read."""
        return self.solved / self.pictures

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the rate, at 95 %."""
        return wilson(self.solved, self.pictures)

    @property
    def in_all_tries(self) -> float:
        """The chance to pass with all tries of a sign-in."""
        return 1 - (1 - self.rate) ** self.tries


def wilson(solved: int, pictures: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.959964, solved / pictures
    middle = (share + z * z / 2 / pictures) / (1 + z * z / pictures)
    half = z * math.sqrt(share * (1 - share) / pictures + z * z / 4 / pictures**2) / (1 + z * z / pictures)
    return max(0.0, middle - half), min(1.0, middle + half)


def measure(kind: Captcha, read: Callable[[bytes], str], pictures: int, seed: str = "") -> Measured:
    """Have *read* read so many pictures of *kind*; what it raises is a picture not read."""
    solved, spent = 0, 0.0
    for number in range(pictures):
        with recorded_codes() as codes:
            challenge = kind.create(create_request(kind, claim=f"solver-{seed}-{number}"))
        picture = base64.b64decode(challenge.public["image"].rpartition(",")[2])
        began = time.perf_counter()
        try:
            said = read(picture)
        except Exception:  # noqa: BLE001 - a solver may be written in any way
            said = ""
        spent += time.perf_counter() - began
        solved += said.strip().upper() == codes[-1].text
    return Measured(solved, pictures, 1000 * spent / pictures, kind.attempts)


def published() -> tuple[int, int]:
    """Return how many of how many the reference says were read."""
    found = re.search(r"\*\*(\d+) of (\d+)\*\*\s+pictures", PAGE.read_text("utf-8"))
    if found is None:
        raise LookupError(f"{PAGE.name} tells no rate of the shipped preset")
    return int(found[1]), int(found[2])


def main() -> int:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--seed", default="1", help="of the texts (%(default)s)")
    parser.add_argument("--format", choices=("webp", "png"), default="webp", help="of the pictures (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if given.pictures < 1:
        parser.error("--pictures is 1 or more")
    try:
        installed = importlib.metadata.version(SOLVER)
    except importlib.metadata.PackageNotFoundError:
        installed = "not installed"
    if installed != VERSION:
        print(f"{SOLVER} is {installed}: pip install {SOLVER}=={VERSION}", file=sys.stderr)
        return 2
    from captcha_whisperer import recognize

    outcome = measure(Captcha(format=given.format), recognize, given.pictures, given.seed)
    said, of = published()
    low, high = outcome.interval
    if given.json:
        print(
            json.dumps(
                {
                    "solver": f"{SOLVER} {VERSION}",
                    "solved": outcome.solved,
                    "pictures": outcome.pictures,
                    "rate": outcome.rate,
                    "interval_95": [low, high],
                    "in_all_tries": outcome.in_all_tries,
                    "milliseconds": outcome.milliseconds,
                    "published_webp": [said, of],
                }
            )
        )
        return 0
    print(
        f"{SOLVER} {VERSION} read {outcome.solved} of {outcome.pictures} pictures ({given.format}): {outcome.rate:.1%}"
    )
    print(f"  95 % interval {low:.1%} to {high:.1%}; {outcome.milliseconds:.0f} ms a picture")
    print(f"  {outcome.tries} tries succeed with a chance of {outcome.in_all_tries:.0%}")
    print(f"  docs/reference/captcha.md says {said} of {of} as WebP: {said / of:.1%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
