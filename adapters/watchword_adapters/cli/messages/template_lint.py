"""What is wrong with a folder of templates, whatever kind reads it: the kind itself judges, and languages are compared."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from string import Template
from typing import Any

from attrs import field, frozen

from watchword.contract import SmsSize, powers_of
from watchword.contract.members import attribute_of
from watchword.errors import ConfigurationError, WatchwordError
from watchword_adapters.cli.messages.html_lint import html_problems
from watchword_adapters.cli.messages.made_up_message import (
    MadeUpMessage,
    bindings,
    make_up_message,
    setting_names,
    with_settings,
)

_MOST_BYTES = 1_000_000
"""Of a file that is shown to the kind, which refuses less."""

_MOST_FILES = 2_000
_MOST_PARTS = {"GSM-7": 1, "UCS-2": 2}


@frozen
class TemplateFinding:
    """What is wrong with a *file*: a *code* for programs, and a *message* that says it and what to do."""

    code: str
    file: str
    message: str


@frozen
class LintedTemplates:
    """The *findings* in a folder, the *languages* that the kind takes, and a message in each."""

    findings: tuple[TemplateFinding, ...]
    languages: tuple[str, ...]
    messages: Mapping[str, MadeUpMessage]


def lint_templates(kind: Any, attributes: Mapping[str, str] | None = None) -> LintedTemplates:
    """Look through the templates of *kind*, which has the setting ``templates``; *attributes* are the made-up user's.

    Raises:
        ConfigurationError: if the folder cannot be read, or holds no templates.
    """
    folder = _Folder.read(kind)
    by_language: dict[str, dict[str, str]] = {}
    for name in folder.files:
        language, _, part = name.partition(".")
        by_language.setdefault(language, {})[part] = name
    refusals = {language: folder.refusal(files.values(), language) for language, files in by_language.items()}
    taken = [language for language, refusal in refusals.items() if not refusal]
    base = next((each for each in ("en", *taken) if each in taken), "")
    parts = tuple(part for part in by_language.get(base, {}) if folder.is_read(base, part))
    findings = [
        *folder.findings,
        *_refused(folder, by_language, refusals, base, parts),
        *_ignored(folder, by_language, base, parts),
    ]
    languages = sorted(language for language in taken if language == base or set(parts) <= by_language[language].keys())
    # One that is refused or missing hides nothing in the others.
    refused = {each.file for each in findings}
    texts = {
        language: {part: folder.text(name) for part, name in files.items() if part in parts and name not in refused}
        for language, files in by_language.items()
    }
    findings += _compared(texts)
    for language, files in texts.items():
        for part, text in files.items():
            findings += (TemplateFinding(*found) for found in _text_problems(language, part, text))
    messages: dict[str, MadeUpMessage] = {}
    for language in languages:
        with suppress(WatchwordError):  # no message for this user: `watchword preview` without --lint says why
            messages[language] = folder.message((f"{language}.{part}" for part in parts), language, attributes)
            name = f"{language}.{parts[0]}"
            findings += _size_problems(messages[language], name)
            findings += _binding_problems(messages[language], name, kind)
    return LintedTemplates(tuple(sorted(findings, key=lambda each: (each.file, each.code))), tuple(languages), messages)


@frozen
class _Folder:
    """The *files* in the folder of the templates of *kind*, and what is found before the kind sees them."""

    kind: Any
    path: Path
    files: Mapping[str, bytes]
    findings: list[TemplateFinding] = field(factory=list[TemplateFinding])

    @classmethod
    def read(cls, kind: Any) -> _Folder:
        root = Path(str(kind.templates))
        findings: list[TemplateFinding] = []
        files: dict[str, bytes] = {}
        try:
            root = root.resolve()
            names = sorted(each.name for each in root.iterdir() if not each.is_dir())
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "it cannot be read"
            raise ConfigurationError(f"templates: {str(kind.templates)[:200]!r} is no folder: {why}") from error
        if len(names) > _MOST_FILES:
            raise ConfigurationError(f"templates: {str(root)[:200]!r} has more than {_MOST_FILES} files; name another")
        for name in names:
            if name.startswith(".") or "." not in name:
                continue
            try:
                file = (root / name).resolve()
                if not file.is_relative_to(root):
                    findings.append(
                        TemplateFinding("refused", name, "is a link out of its folder; put the file itself there")
                    )
                elif file.is_file():
                    with file.open("rb") as opened:
                        files[name] = opened.read(_MOST_BYTES)
                else:
                    findings.append(TemplateFinding("refused", name, "is no file, or a link that leads nowhere"))
            except (OSError, ValueError, RuntimeError) as error:
                why = getattr(error, "strerror", None) or "it is a link that leads to itself"
                findings.append(TemplateFinding("refused", name, f"cannot be read: {why}"))
        folder = cls(kind, root, files, findings)
        if not files and not findings:
            raise ConfigurationError(folder.refusal((), "en"))
        return folder

    def text(self, name: str) -> str:
        return self.files[name].decode("utf-8-sig")

    def refusal(self, names: Iterable[str], language: str, renamed: Mapping[str, str] | None = None) -> str:
        """Return what the kind says of a folder with the files *names* alone, and of *language*; nothing if it takes them.

        *renamed* has other names for some of them.
        """
        with self._with_files(names, language, renamed or {}) as (kind, copy):
            try:
                powers_of(kind).set_up(f"kind {kind.kind!r}")
            except WatchwordError as error:
                return str(error).replace(str(copy), str(self.path))
        return ""

    def is_read(self, language: str, part: str) -> bool:
        """Say whether the kind, which takes *language*, misses *part* of it."""
        names = [name for name in self.files if name.partition(".")[0] == language and name != f"{language}.{part}"]
        return bool(self.refusal(names, language))

    def message(self, names: Iterable[str], language: str, attributes: Mapping[str, str] | None) -> MadeUpMessage:
        """Return the message of the kind in *language*, from the files *names*."""
        with self._with_files(names, language, {}) as (kind, _):
            return make_up_message(kind, language, attributes)

    @contextmanager
    def _with_files(
        self, names: Iterable[str], language: str, renamed: Mapping[str, str]
    ) -> Generator[tuple[Any, Path]]:
        with tempfile.TemporaryDirectory() as made:
            copy = Path(made).resolve()
            for name in names:
                (copy / renamed.get(name, name)).write_bytes(self.files[name])
            kind = with_settings(self.kind, {"templates": str(copy)})
            if "locale" in setting_names(kind):
                with suppress(ConfigurationError):  # no language tag: the kind says so of the file
                    kind = with_settings(kind, {"locale": language})
            yield kind, copy


def _refused(
    folder: _Folder,
    by_language: Mapping[str, Mapping[str, str]],
    refusals: Mapping[str, str],
    base: str,
    parts: tuple[str, ...],
) -> Iterator[TemplateFinding]:
    """Return what the kind refuses, file by file: each is put into the place of the same part of a language that it takes."""
    for language, refusal in refusals.items():
        if not refusal:
            continue
        files = by_language[language]
        if base and not set(parts) & files.keys():
            continue  # ignored
        found: dict[str, str] = {}
        if base and (
            said := folder.refusal(
                renamed := {f"{base}.{part}": f"{language}.{part}" for part in parts}, language, renamed
            )
        ):
            found = dict.fromkeys(files.values(), said)  # its name alone is wrong
        for part in () if found else parts:
            name = f"{language}.{part}"
            if part not in files:
                found[name] = f"is missing, although {base}.{part} is there: add it"
                continue
            others = {f"{base}.{each}": f"{language}.{each}" for each in parts if each != part}
            if said := folder.refusal([name, *others], language, others):
                found[name] = said
        if not found:
            found[next(iter(files.values()))] = refusal
        for name, said in found.items():
            plain = said.removeprefix(f"{folder.kind.kind}: ").removeprefix("template ").removeprefix(f"{name} ")
            yield TemplateFinding("missing" if name not in folder.files else "refused", name, plain)


def _ignored(
    folder: _Folder, by_language: Mapping[str, Mapping[str, str]], base: str, parts: tuple[str, ...]
) -> Iterator[TemplateFinding]:
    """Return the files that look like templates and that the kind does not read."""
    endings = {f".{part}".rpartition(".")[2] for part in parts}
    for language, files in by_language.items():
        for part, name in files.items():
            if base and part not in parts and name.rpartition(".")[2].lower() in endings:
                names = ", ".join(f"{language.lower()}.{each}" for each in parts)
                yield TemplateFinding("ignored", name, f"is not read: the kind reads {names}")


def _compared(texts: Mapping[str, Mapping[str, str]]) -> Iterator[TemplateFinding]:
    """Return the placeholders that one text has and another, which should say the same, has not."""
    used = {
        language: {part: set(Template(text).get_identifiers()) for part, text in files.items()}
        for language, files in texts.items()
    }
    for language, files in used.items():
        for part, placeholders in files.items():
            name = f"{language}.{part}"
            others: dict[str, str] = {}
            for other in sorted(used, key=lambda each: (each != "en", each)):
                for placeholder in sorted(used[other].get(part, set[str]()) - placeholders):
                    others.setdefault(placeholder, f"{other}.{part}")
            bodies = {each: found for each, found in files.items() if not each.startswith("subject")}
            for body, found in bodies.items():
                if part in bodies:
                    for placeholder in sorted(found - placeholders):
                        others[placeholder] = f"{language}.{body}"
            for placeholder, other in others.items():
                yield TemplateFinding(
                    "placeholder", name, f"has no ${placeholder}, which {other} has; say the same in both"
                )


def _text_problems(language: str, part: str, text: str) -> Iterator[tuple[str, str, str]]:
    name = f"{language}.{part}"
    if not text.strip():
        yield "empty", name, "is empty"
    odd = sorted({f"U+{ord(each):04X}" for each in text if ord(each) < 0x20 and each not in "\t\n\r"})
    if odd:
        yield "control", name, f"has control characters ({', '.join(odd)}); was it saved as UTF-16?"
    if part.startswith("subject") and {"code", "link"} & set(Template(text).get_identifiers()):
        yield "subject", name, "shows the secret: subjects are seen on locked screens; leave it to the text"
    if part.endswith("html"):
        for code, message in html_problems(text, language):
            yield code, name, message


def _binding_problems(message: MadeUpMessage, name: str, kind: Any) -> Iterator[TemplateFinding]:
    """Return for which sites an SMS has browsers fill the code in, besides that of the setting ``origin``."""
    if message.size is None or "origin" not in setting_names(kind):
        return
    origin = str(attribute_of(kind, "origin")).removeprefix("https://")
    for site, *_ in dict.fromkeys(bindings("\n".join(message.texts.values()))):
        if site != origin:
            said = f"the setting origin is {origin}" if origin else "the setting origin is empty"
            yield TemplateFinding(
                "sms-origin",
                name,
                f"has a line that binds the code to {site}, where browsers then offer it, and {said}: leave the line to the setting",
            )


def _size_problems(message: MadeUpMessage, name: str) -> Iterator[TemplateFinding]:
    """Return why an SMS takes more parts than a text in its script needs."""
    size: SmsSize | None = message.size
    if size is None:
        return
    letters = [each for each in "".join(message.texts.values()) if each.isalpha()]
    few = sum(each in size.outside for each in letters) * 2 < len(letters)
    if size.outside and few:
        characters = ", ".join(f"{each} (U+{ord(each):04X})" for each in size.outside[:8])
        yield TemplateFinding(
            "sms-alphabet",
            name,
            f"has {characters}, for which a part holds 70 characters in place of 160; write it without them",
        )
    if size.parts > _MOST_PARTS[size.alphabet]:
        yield TemplateFinding(
            "sms-parts",
            name,
            f"makes {size.units} units in {size.alphabet}: {size.parts} parts, and each is paid for; shorten it",
        )
