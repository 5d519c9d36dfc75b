"""Print what a served pool is asked, what its triggers reply, and what it replies."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from watchword_adapters.cli.local.call_recording import TriggerCall, trigger_lines
from watchword_adapters.cli.terminal import Terminal, one_line
from watchword_adapters.poolserver.fault_injection import FAULTY_TRIGGERS
from watchword_adapters.poolserver.http.application import Told
from watchword_adapters.poolserver.inspector import TriggerRun, texts

_INDENT = " " * 11


class ServerLog:
    """Prints each call of an operation in a few lines, whole calls at a time. It is called from many threads."""

    def __init__(self, screen: Terminal) -> None:
        self._screen = screen
        self._lock = threading.Lock()

    def told(self, told: Told) -> None:
        """Tell of one call: what was asked, each run of a trigger, the reply."""
        whose, what = _asked(told.given)
        head = " ".join(filter(None, (f"{datetime.now().astimezone():%H:%M:%S} ", told.operation, what, whose)))
        lines = [(f"{head}  ({told.seconds * 1000:.0f} ms)", "title")]
        for run in told.runs:
            lines += [(f"{_INDENT}{line}", "") for line in _lines(run)]
        style = "bad" if told.error else "good" if "AuthenticationResult" in (told.reply or {}) else ""
        self._print([*lines, (f"{_INDENT}-> {_replied(told)}", style)])

    def say(self, sentence: str, well: bool) -> None:
        """Tell what changed while the pool is served, and whether it went well."""
        self._print([(f"{datetime.now().astimezone():%H:%M:%S}  {sentence}", "good" if well else "bad")])

    def defect(self, operation: str, error: Exception) -> None:
        """Tell of an error that should not be."""
        self.say(f"{operation}: {type(error).__name__}, which is a defect; set WATCHWORD_DEBUG=1 to see where", False)
        if os.environ.get("WATCHWORD_DEBUG") == "1":
            self._print([(line, "") for part in traceback.format_exception(error) for line in part.splitlines()])

    def _print(self, lines: list[tuple[str, str]]) -> None:
        # A terminal that is gone is no reason to fail a sign-in.
        with self._lock, suppress(OSError, ValueError):
            for text, style in lines:
                self._screen.line(text, style)


def say_on_stderr(sentence: str, well: bool) -> None:
    """Tell what changed while the pool is served, apart from what is printed for programs."""
    with suppress(OSError, ValueError):
        print(one_line(f"watchword: {sentence}"), file=sys.stderr, flush=True)


def defect_on_stderr(operation: str, error: Exception) -> None:
    """Tell of an error that should not be, apart from what is printed for programs."""
    say_on_stderr(f"{operation}: {type(error).__name__}, which is a defect; report it", False)


class LogLines(logging.Handler):
    """Passes on what is logged as a warning or worse, a line each."""

    def __init__(self, say: Callable[[str, bool], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on one record."""
        self._say(f"log: {record.getMessage()}", False)


def _asked(given: Mapping[str, Any]) -> tuple[str, str]:
    """Return who is meant and what is asked, as far as the parameters, which nobody has checked, say."""
    answers = given.get("AuthParameters") or given.get("ChallengeResponses")
    inner: Mapping[str, Any] = cast("Mapping[str, Any]", answers) if isinstance(answers, dict) else {}
    whose = given.get("Username") or inner.get("USERNAME") or ""
    what = given.get("AuthFlow") or given.get("ChallengeName") or ""
    opening = " with SRP_A" if inner.get("CHALLENGE_NAME") == "SRP_A" else ""
    return str(whose)[:60], f"{str(what)[:40]}{opening}"


def _lines(run: TriggerRun) -> list[str]:
    if run.error:
        return [f"{run.trigger:<7} raised {run.error[:300]}"]
    response = _response(run.returned)
    if response is None:
        return [f"{run.trigger:<7} returned no event with a response, but {type(run.returned).__name__}"]
    if run.trigger not in FAULTY_TRIGGERS:
        said = {name: value for name, value in response.items() if value is not None}
        return [f"{run.trigger:<7} {run.event.get('triggerSource', '')}  ->  {json.dumps(said, default=repr)[:300]}"]
    maps = {name: texts(run.returned, name) for name in ("publicChallengeParameters", "privateChallengeParameters")}
    flags = {name: response.get(name) for name in ("issueTokens", "failAuthentication", "answerCorrect")}
    whole = {"challengeName": None, **response, **flags, **maps}
    event = {**run.event, "request": {**cast("Mapping[str, Any]", run.event["request"])}}
    return trigger_lines(TriggerCall(run.trigger, event, whole))


def _response(returned: object) -> dict[str, Any] | None:
    found = cast("dict[str, object]", returned).get("response") if isinstance(returned, dict) else None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _replied(told: Told) -> str:
    if told.error:
        return f"{told.error}: {told.message}"
    reply = told.reply or {}
    if "AuthenticationResult" in reply:
        return "tokens"
    if "ChallengeName" not in reply:
        return "done"
    step = reply.get("ChallengeParameters", {}).get("step", "")
    return f"{reply['ChallengeName']} {step}".rstrip()
