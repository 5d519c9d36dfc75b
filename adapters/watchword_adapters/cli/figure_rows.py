"""The figures of a flow in words: the rows that `watchword check` prints and the studio shows."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.analysis.findings import Report
from watchword.contract.messages.channel_names import words_for


def figure_rows(report: Report) -> Iterator[tuple[str, str]]:
    """Give the rows that tell the figures of *report*: how long a sign-in is, how easily guessed, how many messages it sends."""
    figures = report.figures
    known = ", by who knows the password" if report.password else ""
    yield "longest path", f"{figures.longest_path} rounds"
    yield "guessed in a sign-in", _probability(figures.guess_per_sign_in) + known
    yield "guessed in a user-day", _probability(figures.guess_per_user_day) + known
    yield "guessed in a user-year", _probability(figures.guess_per_user_year) + known
    yield "messages in a sign-in", f"{figures.messages_per_sign_in} at most"
    yield "messages in a user-day", f"{figures.messages_per_user_day} at most"
    sent = words_for(each.channel for each in figures.channels)
    yield f"sign-ins that lock {sent}", str(figures.sign_ins_to_lock_mail or "none")


def _probability(value: float) -> str:
    if value in {0, 1}:
        return "for certain" if value else "never"
    return "nearly for certain" if value > 0.99 else f"{value:.1e}"
