"""What a report lets one say of a flow in a sentence: made of the findings, so that it denies none of them."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.analysis.findings import CODES, MAX_SOLE_FACTOR, Report


def claims(report: Report, require: str = "") -> tuple[str, ...]:
    """Return what holds in every state that was walked; nothing that any finding denies, accepted or not.

    *require* is what `check` was asked for beside the flow's own.
    """
    return tuple(_claims(report, require))


def _claims(report: Report, require: str) -> Iterator[str]:
    flow, found = report.flow, {each.code for each in report.findings}
    if "WW101" not in found:
        yield "tokens need proof of who signs in"
    required = " and ".join(f"({text})" for text in (flow.require, require) if text.strip())
    if required and "WW102" not in found:
        # Whoever has the mailbox has the password as well then.
        recovery = ", unless passwords are recovered by the same channel" if "WW207" in found else ""
        yield f"every path meets {required}{recovery}"
    if "WW103" not in found:
        yield "no resend and no choice weakens it"
    if found.isdisjoint({"WW104", "WW204"}):
        yield "no condition asks by what users can change"
    if "WW105" not in found:
        yield f"every state ends, after {report.figures.longest_path} rounds at most"
    if found.isdisjoint({"WW106", "WW208"}):
        yield "every resend comes in time"
    if found.isdisjoint({"WW101", "WW107"}) and any(step.kind.proves for step in flow.steps.values()):
        but = " but the password" if report.password else ""
        yield f"no sole factor{but} is guessed above {MAX_SOLE_FACTOR:g} a user-day"
    accepted = [code for code in CODES if code in found and code in flow.accept]
    if accepted:
        yield f"accepted: {', '.join(accepted)}"
