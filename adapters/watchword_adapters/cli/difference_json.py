"""The difference of two flows as JSON, and in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from watchword.algebra.flow import Flow
from watchword.analysis.difference import Difference, Divergence

WRITTEN_OTHERWISE = (
    "only the fingerprint differs: both decide alike after every session, but are written in another way"
)
"""What is said of two flows of which no session and no setting tells the difference."""


def difference_as_json(found: Difference) -> dict[str, object]:
    """Return *found* for `json.dumps`."""
    return {
        "same": found.nothing,
        "old": _side(found.old, found.weakest[0]),
        "new": _side(found.new, found.weakest[1]),
        "survives": found.survives,
        "sessions": [
            {
                "session": list(each.session),
                "attributes": dict(each.attributes),
                "client": each.client,
                "enrolled": list(each.enrolled),
                "old": each.old,
                "new": each.new,
            }
            for each in found.divergences
        ],
        "changes": [attrs.asdict(each) for each in found.changes],
        "differences": list(_differences(found)),
        "in_flight": "continue" if found.survives else "refused",
    }


def _differences(found: Difference) -> Iterator[dict[str, object]]:
    """Give each difference as a kind, a sentence, and the session that shows it, if one does."""
    for each in found.divergences:
        asked = "order" if each.reordered else "asked"
        kind = "admitted" if each in found.admitted else "refused" if each in found.refused else asked
        message = f"after {session_words(each)}: {each.old} before, {each.new} now"
        yield {"kind": kind, "message": message, "session": list(each.session)}
    before, now = (" or ".join(map(factors_words, each)) or "nothing" for each in found.weakest)
    if before != now:
        yield {"kind": "proof", "message": f"the weakest paths prove {now}, before {before}", "session": None}
    for change in found.changes:
        message = f"{change.what} is {change.new or 'gone'}, before {change.old or 'none'}"
        yield {"kind": "setting", "message": message, "session": None}
    if found.written_otherwise:
        yield {"kind": "fingerprint", "message": WRITTEN_OTHERWISE, "session": None}


def _side(flow: Flow, weakest: tuple[frozenset[str], ...]) -> dict[str, object]:
    return {"flow": flow.name, "fingerprint": flow.fingerprint, "weakest": [sorted(factors) for factors in weakest]}


def session_words(each: Divergence) -> str:
    """Return the session of *each*, and for whom it is, as a person reads it."""
    said = f'"{" ".join(each.session)}"' if each.session else "the beginning"
    given = [f"{name} = {value}" for name, value in each.attributes.items()]
    given += [f"client = {each.client}"] if each.client else []
    given += [f"{kind} is enrolled" for kind in each.enrolled]
    return f"{said} (where {' and '.join(given)})" if given else said


def factors_words(factors: frozenset[str]) -> str:
    """Return *factors* as a person reads them."""
    return " and ".join(sorted(factors)) or "no factor"
