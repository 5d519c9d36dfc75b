"""A plain page with the sign-in form: three files, of which a site may take each."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from typing import Any, Literal

from attrs import Attribute, field, frozen

from watchword.contract import choice, line
from watchword.errors import ConfigurationError

COMPONENT = "watchword-sign-in.js"
"""The file that defines the element."""

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt")
"""The languages of the form's texts."""

STYLE = "sign-in.css"
SCRIPT = "sign-in.js"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src {connect}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy of the page: it loads its own files alone and talks to the endpoint alone."""

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
<script type="module" src="{script}"></script>
<script type="module" src="{component}"></script>
</head>
<body>
<main>
<watchword-sign-in endpoint="{endpoint}" client-id="{client_id}" flow="{flow}"{pool}{locale} heading-level="1"></watchword-sign-in>
</main>
</body>
</html>
"""

_STYLE = """html { color-scheme: light dark; background: Canvas }
body { margin: 0; min-height: 100vh; display: grid; place-items: start center; padding: 1rem }
"""

_SCRIPT = """// What becomes of the tokens is yours to say. They stand in the event, and this page keeps them nowhere.
const form = document.querySelector('watchword-sign-in')
if (!form.hasAttribute('locale')) {
  document.documentElement.lang = navigator.language
  customElements.whenDefined('watchword-sign-in').then(() => (document.documentElement.lang = form.locale))
}
form.addEventListener('watchword:signed-in', ({ detail }) => {
  console.info('signed in; the tokens are in event.detail:', Object.keys(detail ?? {}).join(', '))
})
form.addEventListener('watchword:error', ({ detail }) => {
  console.info('not signed in:', detail.code, detail.ref)
})
"""


_TAG = re.compile(r"([a-z]{2,3})(?:-[a-z0-9]{2,8})*")


def speaks(locale: str) -> bool:
    """Say whether the form has texts for the language tag *locale*, such as ``de`` or ``de-AT``."""
    tag = _TAG.fullmatch(locale.lower())
    return tag is not None and tag[1] in LANGUAGES


def _spoken(_: PageSettings, __: Attribute[Any], value: str) -> None:
    if value and not speaks(value):
        known = ", ".join(LANGUAGES)
        why = f"the sign-in form has no texts for the locale {value[:35]!r}: write one of {known}, or leave it out for the browser's"
        raise ConfigurationError(why)


@frozen
class PageSettings:
    """What the page signs in to.

    *endpoint* is where Cognito's operations are posted to, such as ``https://cognito-idp.eu-west-1.amazonaws.com/``; *client_id* the app
    client. With *flow* ``custom-srp`` a password comes first, and *pool_id* is needed. *locale* is one of the form's languages, or
    a tag that begins with one; that of the browser if empty.
    """

    endpoint: str = field(default="/", validator=line(2000))
    client_id: str = field(default="", validator=line(128))
    flow: Literal["custom", "custom-srp"] = field(default="custom", validator=choice("custom", "custom-srp"))
    pool_id: str = field(default="", validator=line(64))
    locale: str = field(default="", validator=[line(35), _spoken])


def page(settings: PageSettings, *, title: str = "Sign in", below: str = "") -> str:
    """Return the HTML of the page called *title*; its files are found at *below* and their names."""
    return _PAGE.format(
        language=escape(settings.locale or "en"),
        title=escape(title),
        style=escape(f"{below}{STYLE}"),
        component=escape(f"{below}{COMPONENT}"),
        script=escape(f"{below}{SCRIPT}"),
        endpoint=escape(settings.endpoint),
        client_id=escape(settings.client_id),
        flow=settings.flow,
        pool=f' user-pool-id="{escape(settings.pool_id)}"' if settings.pool_id else "",
        locale=f' locale="{escape(settings.locale)}"' if settings.locale else "",
    )


def component() -> str:
    """Return the JavaScript of the element."""
    return files("watchword_adapters.sign_in_page").joinpath(COMPONENT).read_text("utf-8")


def style() -> str:
    """Return the style of the page around the form."""
    return _STYLE


def script() -> str:
    """Return the page's own JavaScript: where the tokens go."""
    return _SCRIPT
