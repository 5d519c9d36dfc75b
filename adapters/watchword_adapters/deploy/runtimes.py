"""Until when Lambda supports each Python. AWS sets the dates, and has moved some."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from attrs import frozen

SOURCE = "cfn-lint 1.58.0"
"""Whose data the table was taken from, on `AS_OF`."""
AS_OF = dt.date(2026, 11, 28)
NOTICE = dt.timedelta(days=180)
"""How long before the end it is told, as AWS does."""


@frozen
class RuntimeEnd:
    """When a runtime is deprecated (without updates and support), takes no new functions, and no changed ones."""

    deprecated: str
    no_new: str
    no_changed: str


RUNTIME_ENDS: Mapping[str, RuntimeEnd] = {
    "python3.6": RuntimeEnd("2022-07-18", "2022-07-18", "2022-08-29"),
    "python3.7": RuntimeEnd("2023-12-04", "2024-01-09", "2027-03-03"),
    "python3.8": RuntimeEnd("2024-10-14", "2027-02-01", "2027-03-03"),
    "python3.9": RuntimeEnd("2025-12-15", "2027-02-01", "2027-03-03"),
    "python3.10": RuntimeEnd("2026-10-31", "2027-02-01", "2027-03-03"),
    "python3.11": RuntimeEnd("2027-06-30", "2027-07-31", "2027-08-31"),
    "python3.12": RuntimeEnd("2028-10-31", "2028-11-30", "2029-01-10"),
    "python3.13": RuntimeEnd("2029-06-30", "2029-07-31", "2029-08-31"),
    "python3.14": RuntimeEnd("2029-06-30", "2029-07-31", "2029-08-31"),
}


def today() -> dt.date:
    """Return the date in UTC."""
    return dt.datetime.now(dt.UTC).date()


def runtime_warning(runtime: str) -> str:
    """Return what to say of *runtime* (``python3.12``) if Lambda has deprecated it, or will in `NOTICE`; else nothing."""
    end = RUNTIME_ENDS.get(runtime)
    if end is None or dt.date.fromisoformat(end.deprecated) - NOTICE > today():
        return ""
    then = "is deprecated since" if end.deprecated <= today().isoformat() else "will be deprecated on"
    return (
        f"{runtime} {then} {end.deprecated}: Lambda takes no new functions on it from {end.no_new} and no changes from "
        f"{end.no_changed} (dates of {SOURCE}, {AS_OF})"
    )
