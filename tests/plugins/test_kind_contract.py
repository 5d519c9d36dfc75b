"""The built-in kinds under the contract suite that every plugin's author runs."""

from __future__ import annotations

import pyotp

from watchword import Challenge, CreateRequest
from watchword.contract import BeginRequest, Enrolment
from watchword.testing import KindContract
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.totp import Totp


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


class TestSmsOtp(KindContract):
    kind = SmsOtp(countries=("+49", "+1"))
    refused = (
        *(
            {"countries": bad}
            for bad in ((), "+49", ("49",), ("+",), ("+0",), ("+4",), ("+35",), ("+49 ",), ("+\uff14\uff19",), (7,))
        ),
        *(
            {"origin": bad}
            for bad in ("http://a.example", "https://a.example/", "https://a.example:1", "localhost", "A.example")
        ),
        {"templates": "/no/such/folder"},
        {"locale": "xx"},
        {"app": "a\nb"},
        {"lifetime": 601},
    )


class TestSmsOtpWithToken(KindContract):
    kind = SmsOtp(countries=("+49", "+1"), with_token=True)


class TestSmsOtpOfAnOrigin(KindContract):
    kind = SmsOtp(
        length=10, countries=("+1555",), origin="https://example.com", locale="de", app="Acme", verified_only=False
    )


class TestMagicLink(KindContract):
    kind = MagicLink(redirects={"web": "https://app.example/sign-in", "app": "com.example.app:/sign-in"})
    refused = (
        *({"redirects": bad} for bad in ({}, {"Web": "https://a.example/"}, {"web": "http://a.example/"}, {"web": 7})),
        {"redirects": {"web": "https://a.example/#x"}},
        {"opens": "everywhere"},
        {"templates": "/no/such/folder"},
        {"locale": "xx"},
        {"app": "a\nb"},
        {"lifetime": 601},
    )


class TestMagicLinkThatOpensAnywhere(KindContract):
    kind = MagicLink(
        length=6,
        alphabet="letters",
        redirects={"web": "http://localhost:5173/"},
        opens="anywhere",
        app="Acme",
        verified_only=False,
        resend_after=16,
    )


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


class TestTotp(KindContract):
    kind = Totp()
    refused = ({"issuer": "a:b"}, {"issuer": "a\nb"}, {"drift": 3})

    def completes(self, request: BeginRequest, enrolment: Enrolment) -> str:
        return app_of(enrolment, self.kind).at(int(request.now))

    def right(self, request: CreateRequest, challenge: Challenge) -> str:
        return app_of(self.enrolment, self.kind).at(int(request.now))


class TestTotpOfEightDigits(TestTotp):
    kind = Totp(digits=8, period=60, drift=2, issuer="Acme", attempts=1)


def app_of(enrolment: Enrolment, kind: Totp) -> pyotp.TOTP:
    """Return an app that has read what an enrolment shows."""
    return pyotp.TOTP(enrolment.public["secret"], digits=kind.digits, interval=kind.period)


class TestRecoveryCodes(KindContract):
    kind = RecoveryCodes()

    def completes(self, request: BeginRequest, enrolment: Enrolment) -> str:
        return enrolment.public["codes"].split()[-1]

    def right(self, request: CreateRequest, challenge: Challenge) -> str:
        return self.enrolment.public["codes"].split()[0]


class TestOneRecoveryCode(TestRecoveryCodes):
    kind = RecoveryCodes(count=1, attempts=5, lifetime=600)


class TestProofOfWork(KindContract):
    kind = ProofOfWork()
    refused = (
        {"algorithm": "SHA-256"},
        {"algorithm": []},
        {"algorithm": "SCRYPT"},  # with as many iterations as PBKDF2 has
        {"cost": 999},
        {"cost": 100_001},
        {"work": 9},
        {"lifetime": 29},
    )


class TestProofOfWorkInMemory(KindContract):
    kind = ProofOfWork(algorithm="SCRYPT", cost=1024, work=10, attempts=1, lifetime=600)
    refused = ({"cost": 1025}, {"cost": 65_536}, {"algorithm": "ARGON2ID"})
