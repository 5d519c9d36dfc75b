"""Find the language that comes nearest to what a user wants (RFC 4647)."""

from __future__ import annotations

from collections.abc import Collection

_LONGEST = 35  # characters of a language tag (RFC 5646 4.4.1)


def nearest_language(locale: str, known: Collection[str], otherwise: str) -> str:
    """Return the one of *known*, language tags in lower case, that comes nearest to *locale*; *otherwise* if none does.

    RFC 4647 3.4: the tag that is wanted loses its last part until it is known. Then another variety of the language does:
    Brazil's Portuguese for Portugal. So no locale names anything but what is known.
    """
    wanted = locale[:_LONGEST].lower().replace("_", "-")
    language = wanted.partition("-")[0]
    while wanted and wanted not in known:
        wanted = wanted.rpartition("-")[0]
    return wanted or next((each for each in sorted(known) if each.partition("-")[0] == language), otherwise)
