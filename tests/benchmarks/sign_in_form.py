"""The sign-in form: what a page loads for it, the time to its first paint in Chromium, and the time from a reply to the next challenge."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

from rounds import Measured, Sample, alternate
from scoreboard import Row, options, show

from watchword import Flow
from watchword_adapters.sign_in_page import component
from watchword_plugins.email_otp import EmailOtp

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.chromium import Page, chromium  # found by the line above
from kit.sign_in_form import STATES, shows, site

FORM, EMPTY, DRAWN = "a page with the form", "a page with text", "every state"
PAINT, DRAW, SIZE, PACKED = "first paint", "drawn", "size", "size, by gzip"
PAINTED = """() => new Promise((told) => {
    const found = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime
    const ready = () => document.title !== 'Sign in' || document.querySelector('watchword-sign-in input')
    const look = () => (found() && ready() ? told(found()) : setTimeout(look, 5))
    look()
})"""
"""The milliseconds from the beginning of the load to the first paint of text, once the form is there."""
DREW = """({ states }) => {
    const form = document.querySelector('watchword-sign-in'), began = performance.now()
    for (const each of states) form.show(each)
    return (performance.now() - began) / states.length
}"""


def painting(page: Page, address: str) -> Callable[[], Sample]:
    """Return a run that loads *address* anew."""

    def run() -> Sample:
        page.go("about:blank")
        page.go(address)
        return {PAINT: page.run(PAINTED)}

    return run


def drawing(page: Page, address: str) -> Callable[[], Sample]:
    """Return a run that shows each state once; the work is left out, which takes what it takes."""
    states = [each for name, each in STATES.items() if name != "work"]

    def run() -> Sample:
        page.go(address)
        page.run(PAINTED)
        shows(page, states[0])
        return {DRAW: page.run(DREW, states=states)}

    return run


def rows(measured: Measured) -> list[Row]:
    """Return the figures."""
    text = component().encode()
    packed = len(gzip.compress(text, 9))
    return [
        Row(f"the element: {SIZE}", len(text) / 1024, "KiB"),
        Row(f"the element: {PACKED}", packed / 1024, "KiB", packed / len(text), SIZE),
        Row(
            f"{FORM}: {PAINT}",
            measured.median(FORM, PAINT),
            "ms",
            measured.ratio(FORM, EMPTY, PAINT),
            EMPTY,
            "under 1 s",
        ),
        Row(f"{EMPTY}: {PAINT}", measured.median(EMPTY, PAINT), "ms"),
        Row(f"{DRAWN}: {DRAW}", measured.median(DRAWN, DRAW), "ms each"),
    ]


def main() -> None:
    """Measure and show."""
    asked = options(__doc__ or "", rounds=15)
    with site(lambda origin: Flow(EmailOtp())) as served, chromium() as browser:
        address = f"{served.page}?locale=en"
        page = browser.page(address)
        variants = {
            FORM: painting(page, address),
            EMPTY: painting(page, f"{served.origin}/_watchword/outbox"),
            DRAWN: drawing(page, address),
        }
        measured = alternate(variants, asked.rounds, warm_up=not asked.quick)
    show("sign_in_form", rows(measured), as_json=asked.json)


if __name__ == "__main__":
    main()
