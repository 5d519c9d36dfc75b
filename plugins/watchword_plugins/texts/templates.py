"""Templates of messages: files by language in a folder, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Template

from attrs import frozen

from watchword import ConfigurationError, User
from watchword.contract import nearest_language
from watchword_plugins.texts.settings import LOCALE

_MOST_TEMPLATE_BYTES = 100_000
_NEEDED = frozenset({"code", "link"})
"""What must stand in each part that may hold it: without them nobody could sign in."""

_UNREADABLE = (OSError, ValueError, RuntimeError)
"""What the system raises for a file: a name that is too long, no permission, half a surrogate pair, a link that leads to itself."""

_Parts = tuple[tuple[str, frozenset[str]], ...]


@frozen
class Shelf:
    """The templates of *kind* by language: for each, one for every name in *parts*, in that order."""

    kind: str
    parts: tuple[str, ...]
    templates: Mapping[str, tuple[Template, ...]]

    def check(self, locale: str) -> None:
        """Raise a ConfigurationError if there are no templates in the language *locale*."""
        if locale not in self.templates:
            raise ConfigurationError(
                f'{self.kind}: locale is "{locale}", but there are templates for {", ".join(sorted(self.templates))} '
                f"only; choose one of these, or add {', '.join(f'{locale}.{part}' for part in self.parts)}"
            )

    def language_of(self, user: User, locale: str) -> str:
        """Return the language for *user*, else *locale*: always one that was read already, so that no attribute names a file."""
        otherwise = locale if locale in self.templates else min(self.templates)
        return nearest_language(user.attributes.get("locale", ""), self.templates, otherwise)


def read_shelf(kind: str, folder: str | None, shipped: str, placeholders: Mapping[str, frozenset[str]]) -> Shelf:
    """Return the templates of *kind* in *folder*, or in *shipped* of those that come along.

    *placeholders* are the parts of one message, by the ends of their files' names, and what may stand in each.

    Raises:
        ConfigurationError: if a template is missing, too big, outside its folder, or has a placeholder that there is not; it
            names the file.
    """
    parts = tuple(placeholders.items())
    return _shipped_shelf(kind, shipped, parts) if folder is None else _read_shelf(kind, folder, parts)


@lru_cache
def _shipped_shelf(kind: str, shipped: str, parts: _Parts) -> Shelf:
    # These files are those of the installation: they do not change while it runs.
    return _read_shelf(kind, str(Path(__file__).parents[1] / shipped), parts)


def _read_shelf(kind: str, folder: str, parts: _Parts) -> Shelf:
    root, placeholders = Path(folder), dict(parts)
    try:
        root = root.resolve()
        found = root.is_dir()
    except _UNREADABLE:
        found = False
    if not found:
        raise ConfigurationError(f"{kind}: templates: {folder[-200:]!r} is no folder; give the path of one")
    # Folders are left alone: texts of other kinds may be in them.
    languages = sorted(
        {file.name.partition(".")[0] for part in placeholders for file in root.glob(f"*.{part}") if not file.is_dir()}
    )
    if not languages:
        *others, last = (f"en.{part}" for part in placeholders)
        wanted = f"{', '.join(others)} and {last}" if others else last
        raise ConfigurationError(f"{kind}: templates: {folder!r} holds no templates; add {wanted}")
    shelf: dict[str, tuple[Template, ...]] = {}
    for language in languages:
        if not LOCALE.fullmatch(language):
            raise ConfigurationError(
                f"{kind}: templates: {language!r} is no language tag; name files as en.txt or pt-br.txt, in lower case"
            )
        shelf[language] = tuple(
            load_template(kind, root, f"{language}.{part}", allowed) for part, allowed in placeholders.items()
        )
    return Shelf(kind, tuple(placeholders), shelf)


def load_template(kind: str, root: Path, name: str, allowed: frozenset[str]) -> Template:
    """Return the template *name* in *root*, in which only the placeholders *allowed* may stand; ``$code`` and ``$link`` must, where they may.

    Raises:
        ConfigurationError: if it cannot be used; it names *kind* and the file.
    """
    try:
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise ConfigurationError(f"{kind}: template {name} is a link out of its folder; put the file itself there")
        if not file.is_file():
            raise ConfigurationError(f"{kind}: template {name} is missing; add it to {root}")
        if file.stat().st_size > _MOST_TEMPLATE_BYTES:
            raise ConfigurationError(f"{kind}: template {name} has more than {_MOST_TEMPLATE_BYTES} bytes; shorten it")
        template = Template(file.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{kind}: template {name} is not UTF-8; save it as UTF-8") from error
    except _UNREADABLE as error:
        why = getattr(error, "strerror", None) or "it is a link that leads to itself"
        raise ConfigurationError(f"{kind}: template {name} cannot be read: {why}") from error
    if not template.is_valid():
        raise ConfigurationError(f"{kind}: template {name} has a lone $; write $$ for a dollar sign")
    found = set(template.get_identifiers())
    listed = ", ".join(f"${placeholder}" for placeholder in sorted(allowed))
    for placeholder in sorted(found - allowed):
        raise ConfigurationError(f"{kind}: template {name} has ${placeholder}; there is only {listed}")
    for needed in sorted(_NEEDED & allowed - found):
        raise ConfigurationError(f"{kind}: template {name} has no ${needed}; nobody could sign in")
    return template
