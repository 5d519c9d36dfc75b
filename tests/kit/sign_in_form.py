"""The sign-in form in Chromium: pools that serve it, a user with a keyboard alone, and whatever a challenge may say."""

import json
import os
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from kit.chromium import Page
from kit.user_pool import PASSWORD
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.clock import SystemClock
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver.http.application import Application
from watchword_adapters.poolserver.http.server import hosts_of, open_sockets, port_of, running
from watchword_adapters.poolserver.inspector import Inspector
from watchword_adapters.poolserver.pages import pages_of
from watchword_adapters.rest.local_tokens import LocalAccessTokens
from watchword_adapters.userpool import LocalUserPool

KEPT = "WATCHWORD_ARTEFACTS"
"""The variable that names a folder for pictures and accessibility trees."""

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
ANN = {
    "email": "ann@example.com",
    "email_verified": "true",
    "phone_number": "+4915112345678",
    "phone_number_verified": "true",
}
NEW_PASSWORD = "N3w-Passw0rd!"


def artefacts(otherwise, of="sign-in-form"):
    """The folder in which pictures *of* something are kept: one in what the environment names, or *otherwise*."""
    folder = Path(os.environ[KEPT]) / of if os.environ.get(KEPT) else otherwise
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@frozen
class Site:
    """A served pool with Ann, whose page has the form."""

    origin: str
    pool: LocalUserPool
    inspector: Inspector

    @property
    def page(self):
        return f"{self.origin}/_watchword/sign-in"

    @property
    def message(self):
        """The last message."""
        return self.inspector.mails[-1]

    def answer(self, step):
        """What is right for *step* of Ann."""
        return next(each.text for each in self.inspector.answers_for("ann") if each.step == step)


@contextmanager
def site(made_of, *, password=PASSWORD, wrap=lambda name, trigger: trigger, clock=None, courier=None):
    """Serve the flow that *made_of* makes of the origin, while the block runs."""
    with ExitStack() as cleaning:
        sockets = open_sockets(None, 0)
        for each in sockets:
            cleaning.callback(each.close)
        origin = f"http://localhost:{port_of(sockets)}"
        clock = clock or SystemClock()
        tokens = LocalAccessTokens()
        inspector = Inspector(clock, peeking=True)
        flow = made_of(origin)
        channels = {step.powers.channel for step in flow.steps.values()} - {""} | {"email"}
        made = triggers(
            flow,
            courier=courier or dict.fromkeys(channels, inspector.courier()),
            key=inspector.keyring(bytes(range(32))),
            ledger=MemoryLedger(),
            credentials=MemoryCredentials(),
            clock=clock,
            pad_to=0,
            environment={},
            tokens=tokens,
        )
        named = {"define": made.define, "create": made.create, "verify": made.verify}
        watched = [inspector.watch(name, wrap(name, trigger)) for name, trigger in named.items()]
        pool = LocalUserPool(
            *watched, clock=clock, outbox=inspector.mails, client_id="local", pool_id="us-east-1_Abc123"
        )
        tokens.pool = pool
        pool.add_user("ann", password=password, attributes=ANN)
        cleaning.enter_context(running(Application(pool, hosts_of(sockets), pages_of(pool, inspector)), sockets))
        yield Site(origin, pool, inspector)


@frozen
class Keyboard:
    """A user of *page* who has a keyboard alone, and sees where the focus is."""

    page: Page

    def reach(self, name):
        at = self.page.reach(name)
        assert at["visible"], f"the focus on {name} is not seen"

    def fill(self, label, text):
        self.reach(label)
        self.page.keys("Control+a")
        self.page.write(text)

    def enter(self, label, text):
        """Fill in the field called *label*, and press Enter."""
        self.fill(label, text)
        self.page.keys("Enter")

    def press(self, name, key="Enter"):
        """Press the button called *name*."""
        self.reach(name)
        self.page.keys(key)


TAKES_STEPS = """({ challenges, name }) => {
    const form = document.querySelector('watchword-sign-in')
    globalThis.taken = []
    const next = (...given) => {
        globalThis.taken.push(given)
        const challenge = challenges[Math.min(globalThis.taken.length, challenges.length) - 1]
        return challenge.tokens ? { done: challenge } : { challenge, name }
    }
    form.handler = { begin: async (...given) => next(...given), respond: async (...given) => next(...given) }
    form.forget(); form.start(); form.removeAttribute('username')
    return form.begin('ann', '')
}"""
"""Lets the form show *challenges*, one after the other; what it is told stands in `taken`."""


def shows(page, *challenges, name="CUSTOM_CHALLENGE"):
    """Have the form on *page* show the first of *challenges*, and the next at each answer."""
    page.run(TAKES_STEPS, challenges=challenges, name=name)


LATER = 4_000_000_000
_BASE = {"attempts_left": "3", "expires_at": str(LATER), "ref": "BCDFGHJK"}
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_GET = json.dumps({"challenge": "AAAA", "rpId": "localhost", "timeout": 60000})
_INPUT = json.dumps(
    [
        {"name": "colour", "label": "Your favourite colour", "help": "As you said when you signed up"},
        {"name": "pet", "label": "Your first pet", "maxlength": 40},
    ]
)


def state(kind, /, **more):
    """The public parameters of a challenge of *kind*."""
    return {"kind": kind, "step": kind, **_BASE, **more}


STATES = {
    "choice": state("select", choices="email_otp,passkey,totp,my_own_step"),
    "code_to_nobody_in_particular": state("email_otp", destination="", resend_after="1"),
    "code_with_countdown": state("email_otp", destination="a***@e***", resend_after=str(LATER)),
    "code_wrong": state("email_otp", destination="a***@e***", resend_after="1", error="wrong", attempts_left="2"),
    "code_expired": state("email_otp", destination="", resend_after="1", error="expired"),
    "code_no_more": state("sms_otp", destination="+*******0100", error="resends_used_up"),
    "code_later": state("sms_otp", destination="+*******0100", resend_after="1", error="try_later"),
    "unavailable": state("email_otp", destination="", attempts_left="0", error="unavailable"),
    "link": state("magic_link", destination="", link="same_browser", resend_after="1"),
    "app": state("totp", digits="6"),
    "app_new": state("totp", digits="6", enrol="1", otpauth_uri="otpauth://totp/A:ann?secret=ABCDEFGH", secret="ABCDEFGH" * 4),
    "recovery": state("recovery_codes", codes_left="7"),
    "recovery_new": state("recovery_codes", enrol="1", codes=" ".join(f"BCDF-GHJK-{n:04}" for n in range(10))),
    "picture": state("captcha", image=_PIXEL, media_type="image/png", alt="Type the letters"),
    "passkey": state("passkey", options=_GET),
    "passkey_new": state("passkey", options=_GET, enrol="1"),
    "work": state("proof_of_work", challenge=json.dumps({"parameters": {
        "algorithm": "PBKDF2/SHA-256", "cost": 100000, "keyLength": 32, "keyPrefix": "ff" * 16, "nonce": "00" * 16, "salt": "00" * 16}})),
    "fields_of_its_own": state("questions", title="Two questions", input=_INPUT),
    "question": state("question", question="What is the name of your first pet?"),
}  # fmt: skip
"""What the form may be asked to show, by what it is."""
