"""What is wrong with the HTML of a mail: no language, the wrong direction, or something that it loads from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

# Languages that are written from right to left if their tag names no script, and scripts that are (CLDR).
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"})
_SCRIPTS = frozenset({"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"})

# Attributes whose address is loaded without a click. An <a href> is not: it waits for one.
_LOADING = frozenset(
    {"src", "srcset", "background", "poster", "data", "codebase", "action", "formaction", "xlink:href"}
)
_LOADING_BY_HREF = frozenset({"link", "base", "image", "use", "feimage"})
_NOT_LOADED = re.compile(r"\s*(\Z|data:|cid:|#)", re.IGNORECASE)
_BLANK = re.compile(r"[\x00-\x20]+")
"""What browsers take out of a scheme, or more (WHATWG URL, 4.4)."""
_SCRIPTED = re.compile(r"(?:javascript|vbscript|livescript):", re.IGNORECASE)
_DATA = re.compile("data:", re.IGNORECASE)
_CLICKED = frozenset({"a", "area"})
_OF_STYLE = re.compile(r"url\(\s*[\"']?(?!\s*(?:data:|cid:|#))|@import|image-set\(|\\", re.IGNORECASE)
_ACTIVE = frozenset({"script", "iframe", "frame", "object", "embed", "applet", "form"})


def html_problems(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Return what is wrong with the HTML *text* of a mail in *language*: a code and a sentence each."""
    reader = _Reader()
    try:
        reader.feed(text)
        if open_ := reader.unclosed():
            line = reader.getpos()[0]
            yield (
                "html-broken",
                f"ends in {open_} of line {line}, which nothing closes: mail programs show nothing from there on",
            )
        reader.close()
    except AssertionError:  # of html.parser, for a declaration that it does not know, such as <![x[
        yield (
            "html-broken",
            f"cannot be read on from line {reader.getpos()[0]}: there is a declaration that HTML has not",
        )
    if reader.lang is None:
        yield (
            "html-lang",
            f'has no lang: begin with <html lang="{language}">, by which screen readers choose their voice',
        )
    elif reader.lang.lower() != language:
        yield "html-lang", f'has lang="{reader.lang}", but is the file of {language}'
    right_to_left = _is_right_to_left(language)
    if right_to_left and reader.direction != "rtl":
        yield (
            "html-dir",
            f'has no dir: {language} is written from right to left, so begin with <html lang="{language}" dir="rtl">',
        )
    elif not right_to_left and reader.direction == "rtl":
        yield "html-dir", f'has dir="rtl", but {language} is written from left to right'
    for what in dict.fromkeys(reader.loaded):
        yield (
            "html-loads",
            f"loads {what} from elsewhere: mail programs block it, or it tells who reads the mail when; leave it out",
        )
    for what in dict.fromkeys(reader.active):
        yield "html-active", f"has {what}, which mail programs remove; leave it out"


def _is_right_to_left(language: str) -> bool:
    primary, *others = language.split("-")
    script = next((each for each in others if len(each) == 4 and each.isalpha()), "")  # RFC 5646 2.2.3
    return script in _SCRIPTS if script else primary in _RIGHT_TO_LEFT


class _Reader(HTMLParser):
    """Reads a page once."""

    def __init__(self) -> None:
        super().__init__()
        self.lang: str | None = None
        self.direction = ""
        self.loaded: list[str] = []
        self.active: list[str] = []
        self._in_style = False

    def unclosed(self) -> str:
        """Return what of the text that was fed is open still, such as a comment; nothing if all is closed."""
        if self.cdata_elem:
            return f"<{self.cdata_elem}>"
        rest = self.rawdata
        return "a comment" if rest.startswith("<!--") else "a tag" if len(rest) > 1 and rest.startswith("<") else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = values.get("lang") or self.lang
            self.direction = values.get("dir", "").lower()
        if tag in _ACTIVE:
            self.active.append(f"<{tag}>")
        self._in_style = tag == "style"
        for name, value in values.items():
            loads = name in _LOADING or (name == "href" and tag in _LOADING_BY_HREF)
            shown = f'<{tag} {name}="{" ".join(value.split())[:60]}">'
            scheme = _BLANK.sub("", value)
            if (
                name.startswith("on")
                or _SCRIPTED.match(scheme)
                or (name == "href" and tag in _CLICKED and _DATA.match(scheme))
            ):
                self.active.append(shown)
            if (loads and not _NOT_LOADED.match(value)) or (name == "style" and _OF_STYLE.search(value)):
                self.loaded.append(shown)
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.loaded.append("another page, by <meta http-equiv=refresh>,")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style and (found := _OF_STYLE.search(data)):
            self.loaded.append(f"what <style> names ({data[found.start() : found.start() + 60].strip()})")
