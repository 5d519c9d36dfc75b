"""The developer's pages of a served pool: the outbox as JSON and as a page, and, if asked for, the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from html import escape
from typing import Any

from attrs import asdict, evolve

from watchword.algebra.flow import FailAuthentication, Flow
from watchword.analysis.state_space import every_outcome_of
from watchword.contract.kinds import RESERVED_PUBLIC
from watchword.errors import ConfigurationError
from watchword_adapters.poolserver.http.application import Page
from watchword_adapters.poolserver.http.json_protocol import Response, refusal_response
from watchword_adapters.poolserver.inspector import Inspector, RightAnswer, Shown
from watchword_adapters.qr_code import qr_svg
from watchword_adapters.sign_in_page.page import (
    COMPONENT,
    POLICY,
    SCRIPT,
    STYLE,
    PageSettings,
    component,
    page,
    script,
    speaks,
    style,
)
from watchword_adapters.userpool import LocalUserPool, SentMessage

_REFRESH_SECONDS = 3
_PICTURE = re.compile(r"data:image/(?:webp|png|jpeg|gif);base64,[A-Za-z0-9+/]+=*")
# Nothing is loaded, nothing runs, nobody frames it: what is shown was made by strangers.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}"
    "article{border:1px solid #bbb;border-radius:6px;padding:.5rem 1rem;margin:1rem 0}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin:.2rem 0}p{margin:.3rem 0}"
    "svg{max-width:16rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:1rem}img{border:1px solid #bbb}.quiet{color:#555}"
    ".loud{background:#8b0000;color:#fff;padding:.5rem 1rem;border-radius:6px}"
)


def pages_of(
    pool: LocalUserPool, backstage: Inspector, flow: Callable[[], Flow | None] = lambda: None
) -> dict[str, Page]:
    """Return the pages by name: ``sign-in`` with its files, ``outbox``, ``outbox.json``, and ``answers.json`` if *backstage* peeks.

    *flow* gives the flow as it was last read, or None if the triggers are somebody else's: the form asks for a password
    first if there is no way without.
    """
    pages: dict[str, Page] = {
        **_sign_in_pages(pool, flow),
        "outbox": lambda _: _outbox_page(backstage),
        "outbox.json": lambda _: _json([asdict(mail) for mail in tuple(backstage.mails)]),
    }
    if backstage.peeking:
        pages["answers.json"] = partial(_answers, pool, backstage)
    return pages


def _sign_in_pages(pool: LocalUserPool, flow: Callable[[], Flow | None]) -> dict[str, Page]:
    """Return the page with the sign-in form, and the files that it loads. Its query may say the attributes ``flow`` and ``locale``."""
    settings = PageSettings("/", pool.client_id, pool_id=pool.pool_id)
    with_password = evolve(settings, flow="custom-srp")
    html, policy = "text/html; charset=utf-8", POLICY.format(connect="'self'")

    def shown(query: Mapping[str, str]) -> Response:
        first = "custom-srp" if needs_password(flow()) else "custom"
        asked = with_password if query.get("flow", first) == "custom-srp" else settings
        locale = query.get("locale", "")
        return text_page(html, page(evolve(asked, locale=locale if speaks(locale) else "")), policy)

    javascript = "text/javascript; charset=utf-8"
    return {
        "sign-in": shown,
        COMPONENT: lambda _: text_page(javascript, component(), policy),
        SCRIPT: lambda _: text_page(javascript, script(), policy),
        STYLE: lambda _: text_page("text/css; charset=utf-8", style(), policy),
    }


def needs_password(flow: Flow | None) -> bool:
    """Say whether there are users whom *flow* refuses at once if they do not begin with the password."""
    if flow is None:
        return False
    outcomes = every_outcome_of(flow.conditions)
    return any(isinstance(flow.given(*each).decide(), FailAuthentication) for each in outcomes)


def text_page(kind: str, text: str, policy: str) -> Response:
    """Return *text* of the media type *kind* as a page, with the Content-Security-Policy *policy*."""
    headers = (
        ("Content-Type", kind),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )
    return Response(200, text.encode("utf-8", "replace"), headers)


def _answers(pool: LocalUserPool, backstage: Inspector, query: Mapping[str, str]) -> Response:
    name = query.get("username")
    if not name:
        return refusal_response("InvalidParameterException", "Say whose: answers.json?username=NAME")
    known = backstage.answers_for(pool.username_of(name))
    last = known[-1] if known else RightAnswer("", "", None, 0.0)
    return _json(
        {
            "username": name,
            "step": last.step,
            "kind": last.kind,
            "answer": last.text,
            "at": last.at,
            "answers": {each.step or each.kind: each.text for each in known},
        }
    )


def _json(value: Any) -> Response:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Response(200, json.dumps(value).encode(), headers)


def _outbox_page(backstage: Inspector) -> Response:
    loud = '<p class="loud">--dev-answers is on: whoever reaches this port is told the answers.</p>'
    shown = [(mail.at, _mail(mail)) for mail in tuple(backstage.mails)]
    shown += [(picture.at, _picture(picture)) for picture in tuple(backstage.pictures)]
    articles = "".join(html for _, html in sorted(shown, key=lambda each: each[0], reverse=True))
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Outbox</title><link rel="icon" href="data:,">'
        f'<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="{_REFRESH_SECONDS}">'
        f"<style>{_STYLE}</style></head><body><main><h1>What your users got</h1>{loud if backstage.peeking else ''}"
        f"<p class='quiet'>Messages and pictures of the local user pool, newest first. Nothing was sent to anybody.</p>"
        f"{articles or '<p>Nothing yet: sign up, or sign in.</p>'}</main></body></html>"
    )
    return text_page("text/html; charset=utf-8", body, _POLICY)


def _mail(mail: SentMessage) -> str:
    whose = f" (user {escape(mail.username)})" if mail.username else ""
    return (
        f"<article><h2>{escape(mail.subject or f'A message by {mail.channel}')}</h2><p class='quiet'>to {escape(mail.to)}{whose}, {_time(mail.at)}</p>"
        f"<pre>{escape(mail.text)}</pre></article>"
    )


def _picture(shown: Shown) -> str:
    public = shown.public
    drawn = [_qr_code(public["otpauth_uri"])] if "otpauth_uri" in public else []
    drawn += _image(public) if "image" in public else []
    title = "A QR code for an authenticator app" if "otpauth_uri" in public else "A picture"
    if "enrol" in public:
        # What a kind shows once, such as codes to be written down, whoever wrote the kind.
        title = f"An enrolment: {escape(public.get('step', ''))}"
        own = (f"{name}: {value}" for name, value in public.items() if name not in RESERVED_PUBLIC | {"image"})
        drawn.append(f"<pre>{escape(chr(10).join(own))}</pre>")
    whose = f"<p class='quiet'>for {escape(shown.username)}, {_time(shown.at)}</p>"
    return f"<article><h2>{title}</h2>{whose}{''.join(drawn)}</article>" if drawn else ""


def _image(public: Mapping[str, str]) -> list[str]:
    image = public["image"]
    if not image.startswith("data:"):
        image = f"data:{public.get('media_type', '')};base64,{image}"
    return [f'<img src="{image}" alt="what the user was shown">'] if _PICTURE.fullmatch(image) else []


def _qr_code(uri: str) -> str:
    try:
        drawn = qr_svg(uri)
    except ConfigurationError as error:  # nothing to draw with, or a URI of a plugin that is too long
        drawn = f"<p>{escape(str(error))}</p>"
    return f"{drawn}<pre>{escape(uri)}</pre>"


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"
