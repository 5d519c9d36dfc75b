"""The bounds of settings: what the reference says is allowed is taken, and one beyond is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from kit.paths import DOCS
from watchword.errors import ConfigurationError
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.totp import Totp

WEB = {"redirects": {"web": "https://app.example/sign-in"}}
KINDS: dict[type[Any], dict[str, Any]] = {
    Captcha: {},
    EmailOtp: {},
    MagicLink: WEB,
    ProofOfWork: {},
    RecoveryCodes: {},
    SmsOtp: {"countries": ("+1",)},
    Totp: {},
}
ROW = re.compile(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| [^|]* \| ((?:[\d,]+ to [\d,]+(?:, )?)+) \|", re.MULTILINE)


def bounds() -> Iterator[tuple[type[Any], str, int, int]]:
    """Return the bounds that the pages of the reference print, by kind and setting."""
    for kind in KINDS:
        page = (DOCS / "reference" / f"{kind.kind.replace('_', '-')}.md").read_text("utf-8")
        for names, allowed in ROW.findall(page):
            pairs = re.findall(r"(\d[\d,]*) to (\d{1,3}(?:,\d{3})*)", allowed)
            for name, (least, most) in zip(re.findall(r"\w+", names), pairs, strict=True):
                yield kind, name, int(least.replace(",", "")), int(most.replace(",", ""))


BOUNDS = list(bounds())


@pytest.mark.parametrize(("kind", "name", "least", "most"), BOUNDS, ids=lambda each: getattr(each, "kind", str(each)))
def test_settings_are_taken_within_their_bounds_and_not_beyond(
    kind: type[Any], name: str, least: int, most: int
) -> None:
    """The last number on either side is allowed; the error of the next one names the setting."""
    for value in (least, most):
        assert getattr(kind(**KINDS[kind], **{name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ConfigurationError, match=f"^{kind.kind}: {name} "):
            kind(**KINDS[kind], **{name: value})


def test_the_bounds_of_every_kind_are_read() -> None:
    """So that a page in another form does not take them from the test."""
    assert {kind for kind, *_ in BOUNDS} == set(KINDS)
    assert len(BOUNDS) > 25


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "app" in attrs.fields_dict(kind)])
def test_the_name_of_the_application_has_64_characters_at_most(kind: type[Any]) -> None:
    """In one line."""
    assert kind(**KINDS[kind], app="x" * 64).app
    for app in ("x" * 65, "a\nb"):
        with pytest.raises(ConfigurationError, match="app"):
            kind(**KINDS[kind], app=app)
