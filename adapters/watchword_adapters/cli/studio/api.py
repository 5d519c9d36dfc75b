"""What the studio's page asks: JSON in, JSON out. Only the page itself may ask, which knows the token of its address."""

from __future__ import annotations

import hmac
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

from watchword.algebra.flow import Flow
from watchword.analysis.difference import difference
from watchword.analysis.state_space import Exploration
from watchword.errors import ConfigurationError, WatchwordError
from watchword.loading.registry import Registry
from watchword_adapters.cli.difference_json import difference_as_json
from watchword_adapters.cli.logs.captured_events import CapturedEvent, read_events
from watchword_adapters.cli.logs.event_explanation import explain_event
from watchword_adapters.cli.studio.flow_view import MOST_WALKED, drawn, view_of
from watchword_adapters.cli.studio.played_sessions import played_request, played_words
from watchword_adapters.cli.studio.workshop import Workshop
from watchword_adapters.dialects.dialect import find_dialect
from watchword_adapters.rest.exchange import HttpReply, HttpRequest, RefusedRequest, json_reply, refusing_reply

TOKEN_HEADER = "x-watchword-token"  # noqa: S105 - the name of the header
MOST_ASKED = 8 * 1024 * 1024
"""Bytes that a question may have: a file of events that is read whole, as JSON has it, and more."""

_MOST_REPLAYED = 50
_MOST_SESSIONS = 50
_LARGEST = 1e9


@frozen
class StudioApi:
    """The API of one *workshop* for the page that knows *token* and is served at one of *origins*."""

    workshop: Workshop = field(repr=False)
    token: str = field(repr=False)
    origins: frozenset[str]

    def __call__(self, request: HttpRequest) -> HttpReply:
        """Reply to *request*; raise nothing that is wrong with it."""
        try:
            return json_reply(self._asked(request)(_object(request)))
        except RefusedRequest as refused:
            return refusing_reply(refused.status, str(refused))
        except WatchwordError as error:
            return refusing_reply(400, str(error))

    def _asked(self, request: HttpRequest) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
        """Return what replies to *request*, if who asks may ask."""
        if request.headers.get("origin", "") not in {"", *self.origins}:
            raise RefusedRequest(403, "Another page may not ask here")
        given = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            raise RefusedRequest(403, "Open the address that watchword studio printed: the token is missing or wrong")
        asked = self._questions().get(request.path)
        if asked is None or request.method != "POST":
            raise RefusedRequest(404, "There is nothing here")
        return asked

    def _questions(self) -> Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
        return {
            "/flow": self._flow,
            "/edit": self._edit,
            "/money": self._money,
            "/save": self._save,
            "/events": self._events,
            "/host": self._host,
            "/replay": self._replay,
            "/diff": self._diff,
        }

    def _flow(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._expect_file()
        found = self.workshop.file.load()
        shown = self.workshop.edit(found.text)
        pool, good = self.workshop.pool, self.workshop.good
        return {
            "file": self.workshop.path.name,
            "text": found.text,
            "mark": found.mark,
            "view": shown,
            "good": None if good.flow is None else good.shown() if "error" in shown else shown,
            "client_id": pool.client_id,
            "pool_id": pool.pool_id,
            "most_asked": MOST_ASKED,
            "session_minutes": self.workshop.session_minutes,
        }

    def _edit(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self.workshop.edit(_text(given, "text"))

    def _money(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"rows": self.workshop.money()}

    def _save(self, given: Mapping[str, Any]) -> dict[str, Any]:
        text, mark = _text(given, "text"), _text(given, "mark")
        if mark:
            self._expect_file()
        return {"mark": self.workshop.file.save(text, mark)}

    def _expect_file(self) -> None:
        if self.workshop.file.is_gone:
            raise RefusedRequest(410, f"{self.workshop.path.name} is no longer on disk")

    def _events(self, given: Mapping[str, Any]) -> dict[str, Any]:
        since, sessions = given.get("since", 0), given.get("sessions", [])
        if not isinstance(sessions, list):
            raise RefusedRequest(400, "sessions is a list")
        asked = [str(each) for each in cast("list[object]", sessions)[:_MOST_SESSIONS]]
        return self.workshop.since(since if isinstance(since, int) else 0, asked)

    def _host(self, given: Mapping[str, Any]) -> dict[str, Any]:
        forward, stopped, repeats = given.get("forward", 0), given.get("stopped", {}), given.get("repeats")
        if not _is_number(forward):
            raise RefusedRequest(400, "forward is a number of seconds")
        if not isinstance(stopped, dict) or not all(
            isinstance(each, bool) for each in cast("dict[str, object]", stopped).values()
        ):
            raise RefusedRequest(400, "stopped says of channels whether they are: true or false")
        if repeats is not None and not (_is_number(repeats) and isinstance(repeats, int)):
            raise RefusedRequest(400, "repeats is a whole number")
        self.workshop.set_host(forward=float(forward), stopped=cast("dict[str, bool]", stopped), repeats=repeats)
        return {}

    def _replay(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Explain captured events, in any form that `watchword replay` reads: the first of them, and say whether there are more."""
        self._good()
        explored, dialect = self.workshop.explored, self.workshop.dialect
        flows = tuple(each.flow for each in explored)
        spoken = find_dialect(dialect, flows) if dialect else None
        with tempfile.TemporaryDirectory(prefix="watchword-studio-") as folder:
            file = Path(folder) / "events"
            file.write_text(_text(given, "events"), "utf-8")
            try:
                captured = list(islice(read_events(file, flows, spoken), _MOST_REPLAYED + 1))
            except ConfigurationError as error:
                raise ConfigurationError(str(error).replace(str(file), "the text")) from None
        told = [_told(each, explored) for each in captured[:_MOST_REPLAYED]]
        older: list[int] = sorted({each["flow"] for each in told} - {0})
        return {
            "events": told,
            "more": len(captured) > _MOST_REPLAYED,
            "drawn": {place: {"name": flows[place].name, **drawn(explored[place])} for place in older},
        }

    def _diff(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Compare another text with the flow in use: what changes, and for each difference the shortest session, in both diagrams."""
        other = view_of(_text(given, "text"), self.workshop.path, Registry())
        if other.flow is None or other.report is None:
            why = "too large for the studio" if other.too_large else "no flow"
            raise ConfigurationError(f"the other text is {why}: {other.error}")
        good = self._good()
        found = difference(other.flow, good, limit=MOST_WALKED)
        both = (other.report.exploration, self._explored())
        told = difference_as_json(found)
        differences = cast("list[dict[str, Any]]", told["differences"])
        for each, divergence in zip(differences, found.divergences, strict=False):
            each["rounds"] = [
                played_words(
                    side,
                    divergence.session,
                    attributes=divergence.attributes,
                    client=divergence.client,
                    enrolled=divergence.enrolled,
                )
                for side in both
            ]
        return {**told, "flow": good.fingerprint, "drawn": [drawn(side) for side in both]}

    def _explored(self) -> Exploration:
        report = self.workshop.good.report
        assert report is not None  # as there is a flow
        return report.exploration

    def _good(self) -> Flow:
        flow = self.workshop.good.flow
        if flow is None:
            raise ConfigurationError("there is no flow in use yet: mend the text first")
        return flow


def _told(each: CapturedEvent, explored: Sequence[Exploration]) -> dict[str, Any]:
    """Return what is told of an event; *flow* is the place of its flow among *explored*."""
    explanation = explain_event(each, tuple(known.flow for known in explored))
    told = {
        "trigger": each.trigger,
        "removed": list(each.rules),
        "decision": explanation.decision,
        "why": explanation.reason,
    }
    if each.request is not None:
        played = played_request(explored, each.request)
        return {**told, "rounds": played.stops, "flow": explored.index(played.exploration)}
    asked = each.tried.parameters if each.tried is not None else None
    place = next(
        (place for place, known in enumerate(explored) if asked and known.flow.fingerprint == asked.flow), None
    )
    if asked is None or place is None or asked.step not in explored[place].flow.steps:
        return {**told, "rounds": [], "flow": place or 0}
    stop = {"word": "", "read": f"an answer to {asked.step}", "node": f"step_{asked.step}", "why": "", "came": ""}
    return {**told, "rounds": [stop], "flow": place}


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or value != value.encode("utf-8", "replace").decode():
        # JSON can say half of a surrogate pair, and no file holds one.
        raise RefusedRequest(400, f"{name} must be a text")
    return value


def _is_number(value: object) -> bool:
    """Say whether *value* is a number, of a size that there is a use for."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _object(request: HttpRequest) -> Mapping[str, Any]:
    """Return the object in the body, which the server has bounded already: a flow or a log is longer than what an API takes."""
    try:
        given: object = json.loads(request.body)
    except (ValueError, RecursionError):
        raise RefusedRequest(400, "The body is not JSON") from None
    if not isinstance(given, dict):
        raise RefusedRequest(400, "The body is not a JSON object")
    return cast("Mapping[str, Any]", given)
