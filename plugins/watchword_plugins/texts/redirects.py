"""Where the links in messages may lead: addresses that every browser reads as they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from attrs import Attribute

from watchword.contract import refused

_LONGEST = 1000
_MOST = 16
_LONGEST_HOST = 253

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)

# The URL Standard of the WHATWG, 4.4: a parser of a browser gives back exactly what is written in these characters.
_PATH = r"/(?:[A-Za-z0-9._~!$()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_QUERY = r"(?:\?(?:[A-Za-z0-9._~!$()*+,;=:@/?&-]|%[0-9A-Fa-f]{2})*)?"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_WEB = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?:{_LABEL}\.)*{_LABEL}|127\.0\.0\.1|\[::1\])"
    rf"(?::(?P<port>[1-9][0-9]{{0,4}}))?(?P<path>{_PATH}){_QUERY}",
    re.ASCII,
)
# RFC 8252 7.1: the scheme of an app is a domain of its maker, turned about; one slash, since no host follows.
_APP = re.compile(rf"[a-z][a-z0-9]*(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+:(?P<path>(?!//){_PATH}){_QUERY}", re.ASCII)
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def is_app_scheme(redirect: str) -> bool:
    """Say whether *redirect* opens an app by a scheme of its own: any app on a device may claim that."""
    return _APP.fullmatch(redirect) is not None


def why_no_redirect(redirect: str) -> str:
    """Return why no link may lead to *redirect*; nothing if one may."""
    if len(redirect) > _LONGEST:
        return f"has more than {_LONGEST} characters"
    web = _WEB.fullmatch(redirect)
    found = web or _APP.fullmatch(redirect)
    if found is None:
        return (
            "is no plain address: write https://, a host in lower case (xn--… for an international one), a path, "
            "and no user, fragment, backslash or space, or the scheme of an app as com.example.app:/sign-in"
        )
    if any(_DOTS.fullmatch(part) for part in found["path"].split("/")):
        return "has . or .. in its path, which browsers take out"
    return _why_no_host(web["scheme"], web["host"], web["port"]) if web else ""


def _why_no_host(scheme: str, host: str, port: str | None) -> str:
    labels = host.split(".")
    if port is not None and (int(port) > 65_535 or port == _DEFAULT_PORTS[scheme]):
        return "has a port that browsers refuse or leave out"
    if host in _LOOPBACK:
        return ""
    if scheme == "http":
        return "is not https, which only localhost, 127.0.0.1 and [::1] may be without"
    if len(labels) < 2 or len(host) > _LONGEST_HOST:
        return "has no host of two parts or more, such as app.example"
    if _NUMBER.fullmatch(labels[-1]):
        return "has a number for a host"
    return "" if all(map(_is_label, labels)) else "has a host that is no proper international one (xn--…)"


def _is_label(label: str) -> bool:
    """Say whether *label* is one that browsers leave as it is: RFC 5891 4.2, for the letters that it stands for."""
    if not label.startswith("xn--"):
        return label[2:4] != "--"
    try:
        letters = label[4:].encode().decode("punycode")
        same = letters.encode("punycode") == label[4:].encode()
    except UnicodeError:
        return False
    directions = [unicodedata.bidirectional(each) for each in letters]
    return (
        same
        and not letters.isascii()
        and unicodedata.normalize("NFKC", "".join(map(_folded, letters))) == letters
        and all(each == "-" or unicodedata.category(each)[0] in "LMN" for each in letters)
        and unicodedata.category(letters[0])[0] != "M"
        and "-" not in (letters[0], letters[-1])
        # RFC 5893 2, narrowed: letters of one direction.
        and ("L" not in directions and directions[0] in _RIGHT_TO_LEFT if _RIGHT_TO_LEFT & {*directions} else True)
    )


def _folded(letter: str) -> str:
    # UTS 46 folds case, and leaves these two as they are.
    return letter if letter in "\u00df\u03c2" else letter.casefold()


def as_redirects(value: Mapping[str, str]) -> Mapping[str, str]:
    """Return *value* as a mapping that nobody changes; whatever is none is left for the validator to refuse."""
    return MappingProxyType(dict(value)) if isinstance(value, Mapping) else value  # pyright: ignore[reportUnnecessaryIsInstance]


def pairs_of(redirects: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what makes two mappings one setting: the first redirect is the default, so their order counts."""
    return tuple(redirects.items())


def redirects_by_name(instance: Any, attribute: Attribute[Any], value: object) -> None:
    """Refuse *value* unless it maps names to addresses that a link may lead to."""
    redirects = cast("Mapping[object, object]", value) if isinstance(value, Mapping) else dict[object, object]()
    if not 0 < len(redirects) <= _MOST:
        wanted = f'must map 1 to {_MOST} names to addresses, such as {{"web": "https://app.example/sign-in"}}'
        raise refused(instance, attribute, wanted)
    for name, redirect in redirects.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise refused(instance, attribute, f'has the name {name!r:.40}; write lower-case letters, such as "web"')
        why = why_no_redirect(redirect) if isinstance(redirect, str) else "is no text"
        if why:
            raise refused(instance, attribute, f"has {redirect!r:.100} for {name!r}, which {why}")
