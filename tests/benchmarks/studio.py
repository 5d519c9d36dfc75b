"""How soon the studio shows a page, and how soon it answers an edit of each example flow."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from rounds import Sample, alternate
from scoreboard import Row, left_out, options, show

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.chromium import chromium  # found by the line above
from kit.programs import CLIENTS
from kit.studio import studio
from watchword_adapters.cli.studio.workshop import Workshop

sys.path.remove(str(Path(__file__).parent))  # there is a module beside this one that has the name of a package
FLOWS = sorted((Path(__file__).parents[2] / "docs" / "examples" / "flows").glob("*.toml"))
SMALLEST = "edit, captcha_only"
PAINTED = """() => new Promise((done) => {
    const looked = () => document.querySelector('#diagram svg') ? done(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()) : requestAnimationFrame(looked)
    looked()
})"""
ANSWERED = """({ text }) => new Promise((done) => {
    const source = document.querySelector('#source'), verdict = document.querySelector('#verdict'), began = performance.now()
    source.value = text
    source.dispatchEvent(new Event('input'))
    const looked = () => verdict.matches('[aria-busy]') ? requestAnimationFrame(looked) : done(performance.now() - began)
    looked()
})"""


def editing(path: Path, folder: Path) -> Callable[[], Sample]:
    """Return a run that edits the flow at *path* once: what the server needs for it."""
    file = folder / path.name
    shutil.copy(path, file)
    workshop, text, numbers = Workshop(file), path.read_text(), count()

    def run() -> Sample:
        before = time.perf_counter()
        shown = workshop.edit(f"{text}\n# {next(numbers)}")
        json.dumps(shown)
        return {"ms": 1000 * (time.perf_counter() - before)}

    return run


@contextmanager
def pages(folder: Path) -> Iterator[dict[str, Callable[[], Sample]]]:
    """Give a run that opens the page, and for each flow one that edits it there."""
    with ExitStack() as open_ones:
        browser = open_ones.enter_context(chromium())
        runs: dict[str, Callable[[], Sample]] = {}
        for path in FLOWS:
            file = folder / f"page_{path.name}"
            shutil.copy(path, file)
            served = open_ones.enter_context(studio(file))
            page, numbers, text = browser.page(served.url), count(), path.read_text()
            page.run(PAINTED)

            def edit(page=page, numbers=numbers, text=text) -> Sample:
                return {"ms": page.run(ANSWERED, text=f"{text}\n# {next(numbers)}")}

            runs[f"in the page, {path.stem}"] = edit
        runs["first paint"] = lambda: {"ms": browser.page(served.url).run(PAINTED)}
        yield runs


def main() -> None:
    """Print the figures."""
    asked = options(__doc__ or "", rounds=11)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        runs = {f"edit, {path.stem}": editing(path, folder) for path in FLOWS}
        if shutil.which("chromium") and (CLIENTS / "node_modules" / "playwright-core").exists():
            runs |= stack.enter_context(pages(folder))
        else:
            left_out("the page", "playwright-core")
        measured = alternate(runs, asked.rounds)
        rows = [
            Row(
                name,
                measured.median(name, "ms"),
                "ms",
                measured.ratio(name, SMALLEST, "ms"),
                SMALLEST,
                "under 1000 ms" if name == "first paint" else "within 200 ms",
            )
            for name in runs
        ]
    show("studio", rows, as_json=asked.json)


if __name__ == "__main__":
    main()
