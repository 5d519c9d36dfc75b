"""A finding of `watchword doctor`: its code, how serious it is, and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeVar

from attrs import frozen

from watchword_adapters.deploy.reading.deployment import NotKnown
from watchword_adapters.deploy.reading.values import Unknown

_Severity = Literal["error", "warning", "note"]

SEVERITIES: Mapping[str, _Severity] = {
    "WD01": "error",
    "WD02": "error",
    "WD03": "error",
    "WD04": "error",
    "WD05": "error",
    "WD06": "error",
    "WD07": "error",
    "WD08": "warning",
    "WD09": "error",
    "WD10": "error",
    "WD11": "warning",
    "WD12": "warning",
    "WD13": "warning",
    "WD14": "warning",
    "WD15": "error",
    "WD16": "warning",
    "WD17": "error",
    "WD18": "warning",
    "WD19": "error",
    "WD20": "warning",
    "WD21": "note",
    "WD22": "warning",
    "WD23": "warning",
    "WD24": "error",
    "WD25": "note",
    "WD26": "error",
    "WD27": "error",
    "WD28": "error",
    "WD29": "error",
    "WD30": "warning",
    "WD31": "error",
    "WD32": "warning",
    "WD33": "error",
    "WD34": "warning",
    "WD35": "error",
    "WD36": "error",
    "WD37": "warning",
    "WD38": "error",
    "WD39": "error",
    "WD40": "warning",
    "WD41": "error",
    "WD42": "error",
    "WD43": "warning",
    "WD44": "warning",
    "WD45": "warning",
    "WD46": "warning",
    "WD47": "error",
    "WD48": "error",
    "WD49": "error",
    "WD50": "warning",
}
"""Every code, and how serious it is."""


@frozen
class DoctorFinding:
    """One thing that is wrong, and what to do."""

    code: str
    message: str
    remedy: str

    @property
    def severity(self) -> _Severity:
        """How serious it is."""
        return SEVERITIES[self.code]


Said = DoctorFinding | NotKnown
T = TypeVar("T")


def findings_on(
    value: T | Unknown, what: str, wrong: Callable[[T], bool], finding: Callable[[T], DoctorFinding]
) -> Iterator[Said]:
    """Yield *finding* if *value* is *wrong*, and that it is not known if so."""
    if isinstance(value, Unknown):
        yield NotKnown(what, value.why)
    elif wrong(value):
        yield finding(value)


def default_to(value: T | Unknown | None, default: T) -> T | Unknown:
    """Return *default* if *value* is absent."""
    return default if value is None else value
