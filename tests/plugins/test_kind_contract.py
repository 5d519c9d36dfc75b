"""The built-in kinds under the contract suite that every plugin's author runs."""

from __future__ import annotations

from watchword.testing import KindContract
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp


class TestEmailOtp(KindContract):
    kind = EmailOtp()
    refused = (
        {"templates": "/no/such/folder"},
        {"templates": "a\0b"},
        {"locale": "xx"},
        {"locale": "../en"},
        {"app": "a\nb"},
    )


class TestEmailOtpOfLetters(KindContract):
    kind = EmailOtp(length=6, alphabet="letters", verified_only=False, app="Acme", locale="de", resend_after=16)


class TestCaptcha(KindContract):
    kind = Captcha()
    refused = (
        {"fonts": ("/no/such/font.ttf",)},
        {"fonts": "a.ttf"},
        {"fonts": ("a\0b",)},
        {"alt": "a\nb"},
        {"format": "gif"},
    )


class TestCaptchaAsBarePng(KindContract):
    kind = Captcha(length=4, format="png", encoding="base64", dots=0, arcs=0, locale="de")
