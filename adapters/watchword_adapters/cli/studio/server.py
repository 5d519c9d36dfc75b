"""The studio as it is served: the page, its files, its API, and the local pool behind the form."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from importlib.resources import files

from attrs import evolve

from watchword_adapters.cli.local.server_log import defect_on_stderr
from watchword_adapters.cli.studio.api import MOST_ASKED, StudioApi
from watchword_adapters.cli.studio.workshop import Workshop
from watchword_adapters.drawing.svg import DIAGRAM_STYLE
from watchword_adapters.poolserver.http.application import Application, Page
from watchword_adapters.poolserver.http.json_protocol import Response
from watchword_adapters.poolserver.pages import text_page
from watchword_adapters.sign_in_page.page import COMPONENT, POLICY, component

API_PATH = "/_studio"
PAGE_PATH = "/_watchword/studio"

OPERATIONS_OF_FORM = ("InitiateAuth", "RespondToAuthChallenge")
"""What the sign-in form calls. Nobody else changes the pool: a program that deletes its user would leave a page on which nothing works."""

_POLICY = POLICY.format(connect="'self'")
_KINDS = {
    "studio.html": "text/html; charset=utf-8",
    "studio.js": "text/javascript; charset=utf-8",
    "studio.css": "text/css; charset=utf-8",
}


def studio_application(workshop: Workshop, hosts: frozenset[str] | None, token: str) -> Application:
    """Return the application of the studio for *workshop*, which answers for *hosts* and to the page that knows *token*."""
    origins = frozenset(f"http://{host}" for host in hosts or ())
    api = StudioApi(workshop, token, origins)
    told = workshop.sign_ins.record
    return Application(
        workshop.pool,
        hosts,
        _pages(),
        {API_PATH: api},
        origins=origins,
        front="studio",
        operations=OPERATIONS_OF_FORM,
        told=told,
        max_body=MOST_ASKED,
        defect=defect_on_stderr,
    )


def new_token() -> str:
    """Return a new token for the page: 128 random bits (ASVS 5.0 11.5.1)."""
    return secrets.token_urlsafe(16)


def address(endpoint: str, token: str) -> str:
    """Return the address to open."""
    return f"{endpoint}{PAGE_PATH}?token={token}"


def _pages() -> dict[str, Page]:
    def page(name: str) -> Page:
        # The diagrams have one style, wherever they are shown.
        also = DIAGRAM_STYLE if name.endswith(".css") else ""
        return lambda _: _response(
            _KINDS[name], also + files("watchword_adapters.cli.studio").joinpath(name).read_text("utf-8")
        )

    def form(_: Mapping[str, str]) -> Response:
        return _response("text/javascript; charset=utf-8", component())

    return {
        "studio": page("studio.html"),
        **{name: page(name) for name in ("studio.js", "studio.css")},
        COMPONENT: form,
    }


def _response(kind: str, text: str) -> Response:
    made = text_page(kind, text, _POLICY)
    return evolve(made, headers=(*made.headers, ("Cross-Origin-Resource-Policy", "same-origin")))
