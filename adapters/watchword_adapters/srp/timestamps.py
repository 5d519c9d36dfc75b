"""Write and parse the TIMESTAMP of PASSWORD_VERIFIER: US English, UTC, no zero before the day."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2})"
    r" (?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2}) (?:UTC|GMT) (?P<year>\d{4})",
    re.ASCII,
)


def format_timestamp(moment: float) -> str:
    """Return the TIMESTAMP of *moment* (epoch seconds), as ``Sat Jan 1 00:00:00 UTC 2022``; the locale plays no part."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day} {at:%H:%M:%S} UTC {at.year:04d}"


def parse_timestamp(timestamp: str) -> float | None:
    """Return the moment (epoch seconds) of a TIMESTAMP, or None if it is malformed."""
    match = _FORM.fullmatch(timestamp)
    if match is None or match["month"] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(match[name]) for name in ("day", "hour", "minute", "second", "year"))
    try:
        return datetime(year, _MONTHS.index(match["month"]) + 1, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
