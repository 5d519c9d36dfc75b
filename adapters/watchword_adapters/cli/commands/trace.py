"""`watchword trace`: all that logs say about one reference, which a user reads from the screen or the mail."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from watchword.errors import ConfigurationError
from watchword.runtime.wire import REF_ALPHABET
from watchword_adapters.credentials.user_lists import read_as

_REF = re.compile(rf"[{REF_ALPHABET}]{{8}}")
_TRIGGERS = ("define", "create", "verify")
_LONGEST_LINE = 262_144
"""CloudWatch: no log event is longer, in bytes."""
_MOST_GATHERED = 1 << 26
"""Characters of one value of JSON over many lines that are read as a whole."""
_NESTED = 6
"""Texts within texts around one event: a reply of CloudWatch Logs, Lambda's JSON line, its message, and some to spare."""
_ESCAPED = re.compile(r"""\\(["\\])""")
_EPILOG = """\
Without a FILE it prints queries for CloudWatch. With a FILE (- is standard input) it prints each line about the
reference: audit events in words, other lines unchanged. It also reads JSON over many lines, as `aws logs` prints it.

examples:
  watchword trace BCDFGHJK --stack acme-sign-in
  watchword trace BCDFGHJK service.log
  aws logs filter-log-events … --query 'events[].message' --output text | watchword trace BCDFGHJK -"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword trace`."""
    parser.description = (
        "Find in logs everything about one reference: why a mail did not come, why an answer was refused."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "ref", metavar="REF", help="the eight letters on the user's screen, in the mail, or in an error"
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="a file of log lines; - is standard input")
    parser.add_argument("--stack", metavar="NAME", help="the CloudFormation stack that `watchword template` describes")
    parser.add_argument("--log-group", metavar="NAME", action="append", help="a log group; may be given again")


def run(arguments: argparse.Namespace) -> int:
    """Print the queries, or the lines; 1 if there is no line about the reference."""
    given: str = arguments.ref
    ref = given.strip().upper()
    if not _REF.fullmatch(ref):
        raise ConfigurationError(
            f"REF is {given[:40]!r}: a reference is eight letters of {REF_ALPHABET}, as in `ref` or in UNAVAILABLE (ref …)"
        )
    files: list[str] = arguments.files
    if not files:
        _print_queries(ref, arguments.stack, arguments.log_group or [])
        return 0
    if arguments.stack or arguments.log_group:
        raise ConfigurationError("--stack and --log-group are for CloudWatch: leave them out where a FILE is read")
    found = [line for file in files for line in _lines_about(ref, _lines_of(file))]
    for line in found:
        print(line)
    if not found:
        print(f"no line is about {ref}", file=sys.stderr)
    return 0 if found else 1


def _print_queries(ref: str, stack: str | None, groups: list[str]) -> None:
    named = [*groups, *(f"/aws/lambda/{stack or 'STACK'}-{trigger}" for trigger in _TRIGGERS if stack or not groups)]
    print("CloudWatch Logs Insights, over the log groups below:")
    print(f"  fields @timestamp, @log, @message | filter @message like /{ref}/ | sort @timestamp asc")
    for name in named:
        print(
            f"aws logs filter-log-events --log-group-name {shlex.quote(name)} --filter-pattern {shlex.quote(json.dumps(ref))} "
            "--query 'events[].message' --output text"
        )
    if not stack and not groups:
        print(
            "STACK is the stack of `watchword template`: give --stack NAME, or --log-group NAME for groups of your own"
        )


def _lines_of(file: str) -> Iterator[str]:
    if file == "-":
        read_as(sys.stdin, errors="replace")
        yield from sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8-sig", errors="replace") as lines:
            yield from lines
    except OSError as error:
        raise ConfigurationError(f"{file}: it cannot be read ({error.strerror}); give a file of log lines") from None


def _lines_about(ref: str, lines: Iterable[str]) -> Iterator[str]:
    about = re.compile(rf"(?<![A-Za-z0-9]){ref}(?![A-Za-z0-9])")
    for line in _unfolded(lines):
        if len(line) <= _LONGEST_LINE and about.search(line):
            event = _event_in(line)
            if event is not None and event.get("ref") == ref:
                yield _told(event)
            else:
                yield _one_line(line) + " (torn: the line ends before its event does)" * _is_torn(line)


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """Give *lines*; in place of JSON that was printed over many lines, the texts in it."""
    rest = iter(lines)
    for line in rest:
        if line.strip() not in {"{", "["}:
            yield line
            continue
        indent = line[: len(line) - len(line.lstrip())]
        end = indent + ("}" if line.strip() == "{" else "]")
        gathered, size = [line], 0
        for following in rest:
            gathered.append(following)
            size += len(following)
            if following.rstrip().rstrip(",") == end or size > _MOST_GATHERED:
                break
        try:
            value: object = json.loads("".join(gathered).rstrip().rstrip(","))
        except (ValueError, RecursionError):
            yield from gathered
        else:
            yield from _texts_in(value)


def _texts_in(value: object, name: str = "") -> Iterator[str]:
    """Give each audit event in *value*, JSON of any depth, as a line, and the lines of all other texts."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            if "at" in fields and isinstance(fields.get("event"), str):
                yield json.dumps({"event": "", **fields})
            else:
                for key, each in fields.items():
                    yield from _texts_in(each, key)
        case list():
            for each in cast("list[object]", value):
                yield from _texts_in(each, name)
        case str():
            lines = value.splitlines()
            yield from lines if len(value.split()) > 1 or not name else (f"{name}={line}" for line in lines)
        case _:
            return


def _event_in(line: str) -> dict[str, Any] | None:
    """Return the audit event that *line* holds, behind whatever the log puts in front, also inside texts of JSON."""
    text = line
    for _ in range(_NESTED):
        start = text.find('{"event":')
        if start >= 0:
            try:
                event: object = json.JSONDecoder().raw_decode(text, start)[0]
            except (ValueError, RecursionError):
                pass
            else:
                return cast("dict[str, Any]", event) if isinstance(event, dict) else None
        text = _ESCAPED.sub(r"\1", text)
    return None


def _is_torn(line: str) -> bool:
    """Say whether *line* ends before the event, or the line of JSON, that begins in it."""
    start = line.find('{"') if line.lstrip().startswith('{"') else line.find('{"event":')
    if start < 0:
        return False
    try:
        json.JSONDecoder().raw_decode(line, start)
    except json.JSONDecodeError as error:
        # An unfinished text is told by where it begins.
        return error.msg.startswith("Unterminated") or error.pos >= len(line.rstrip())
    except (ValueError, RecursionError):
        return False
    return False


def _told(event: dict[str, Any]) -> str:
    detail: object = event.get("detail")
    facts = cast("dict[str, Any]", detail) if isinstance(detail, dict) else {}
    said = {"flow": event.get("flow"), **facts, "user": event.get("user")}
    words = [_moment(event.get("at")), str(event["event"])]
    return _one_line(" ".join([*words, *(f"{name}={fact}" for name, fact in said.items() if fact)]))


def _moment(at: object) -> str:
    try:
        return datetime.fromtimestamp(float(cast("float", at)), UTC).isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError, OSError):
        return "-"


def _one_line(text: str) -> str:
    """Return *text* with nothing in it that a terminal would act on: anybody may have written parts of a log."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text.rstrip("\r\n"))
