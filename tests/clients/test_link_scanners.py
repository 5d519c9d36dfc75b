"""Links in Chromium: the page of `watchword serve` signs in where the link was asked for, whatever visits the link before."""

import subprocess
import urllib.request
from contextlib import contextmanager

import pytest

from kit.paths import ROOT
from kit.programs import CLIENTS, find_node
from kit.served_pool import CLIENT_ID
from kit.user_pool import PASSWORD
from watchword import Flow, ask_first
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver import pages
from watchword_adapters.poolserver.http.application import Application
from watchword_adapters.poolserver.http.server import hosts_of, open_sockets, port_of, running
from watchword_adapters.poolserver.inspector import Inspector
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.magic_link import MagicLink

pytestmark = pytest.mark.exhaustive

ASKS = {
    "same_browser": "Open the link in the message in this browser, or type the code.",
    "anywhere": "Open the link in the message, or type the code.",
}
ELSEWHERE = {
    "same_browser": "Open this link in the browser in which you began",
    "anywhere": "You can sign in here with this link.",
}
DONE = "You are signed in."


class Served:
    """A served pool whose links lead to its own page."""

    def __init__(self, origin, opens, inspector, sign_ins):
        self.opens = opens
        self.page = f"{origin}/_watchword/sign-in"
        self._inspector = inspector
        self.sign_ins = sign_ins

    @property
    def link(self):
        """The link of the last mail."""
        return self._inspector.mails[-1].link

    @property
    def code(self):
        """The code of the last mail."""
        return self._inspector.mails[-1].text.split("    ")[1].split()[0]


@contextmanager
def served(opens="same_browser"):
    """Serve a flow with links while the block runs."""
    sockets = open_sockets(None, 0)
    origin = f"http://localhost:{port_of(sockets)}"
    kind = MagicLink(redirects={"web": f"{origin}/_watchword/sign-in"}, opens=opens)
    clock, sign_ins = SystemClock(), []
    inspector = Inspector(clock)
    made = triggers(
        Flow(ask_first(kind)),
        courier=inspector.courier(),
        key=inspector.keyring(bytes(range(32))),
        ledger=MemoryLedger(),
        clock=clock,
        pad_to=0,
        environment={},
    )

    def define(event, context):
        decided = made.define(event, context)
        sign_ins.extend([event["userName"]] * (decided["response"]["issueTokens"] is True))
        return decided

    named = {"define": define, "create": made.create, "verify": made.verify}
    watched = [inspector.watch(*each) for each in named.items()]
    told = {"pre_token_generation": made.pre_token}
    pool = LocalUserPool(*watched, clock=clock, outbox=inspector.mails, client_id=CLIENT_ID, **told)
    pool.add_user("ann", password=PASSWORD, attributes={"email": "ann@example.com", "email_verified": "true"})
    with running(Application(pool, hosts_of(sockets), pages.pages_of(pool, inspector)), sockets):
        yield Served(origin, opens, inspector, sign_ins)


def asked(browser, site):
    """A page in which Ann has asked for a link."""
    page = browser.page(site.page)
    page.type("User name", "ann")
    page.press("Continue")
    page.press("Link by e-mail")
    page.sees(ASKS[site.opens])
    return page


def scan(browser, site):
    """Visit the link as a program does that looks for malware: HEAD, GET, then a browser that runs everything and clicks nothing."""
    link = site.link
    for method in ("HEAD", "GET"):
        with urllib.request.urlopen(urllib.request.Request(link, method=method)) as response:
            assert response.status == 200
    origin = link.partition("/_watchword")[0]
    page = browser.page(f"{origin}/_watchword/outbox.json").tab(link)
    page.sees(ELSEWHERE[site.opens])
    return page


@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
def test_after_a_scanner_the_link_signs_in_where_it_was_asked_for(browser, opens):
    """It has asked the pool nothing; the ticket is taken out of the address, and goes into no request but the answer."""
    with served(opens) as site:
        page = asked(browser, site)
        link = site.link
        scanner = scan(browser, site)
        assert [] == [each for each in scanner.requests() if each.startswith("POST")]
        ticket = link.partition("#")[2]
        assert ticket not in scanner.text()
        opened = page.tab(link)
        opened.sees(DONE)
        page.sees("You signed in in another tab.")
        assert ["ann"] == site.sign_ins
        assert ticket not in opened.text()
        assert not any(ticket.split(".")[1] in each for each in opened.requests() if "#" not in each)


def test_in_another_browser_the_code_signs_in_where_the_sign_in_began(browser):
    """Its page says so, and offers nothing that cannot be: the button only begins another sign-in."""
    with served() as site:
        page = asked(browser, site)
        phone = scan(browser, site)
        assert ["Start again"] == phone.run(
            "() => Array.from(document.querySelectorAll('button'), (b) => b.textContent)"
        )
        phone.press("Start again")
        phone.sees("User name")
        page.type("Code", site.code)
        page.press("Continue")
        page.sees(DONE)
        assert ["ann"] == site.sign_ins


def test_a_link_that_opens_anywhere_signs_in_after_a_click(browser):
    """In a browser that has asked for nothing. Once: then the page says so, and asks for no code, since none was sent."""
    with served("anywhere") as site:
        asked(browser, site)
        phone, late = scan(browser, site), scan(browser, site)
        assert [] == site.sign_ins
        phone.press("Sign in with the link")
        phone.sees(DONE)
        assert ["ann"] == site.sign_ins
        late.press("Sign in with the link")
        late.sees("This link does not work any more.")
        assert ["User name"] == late.run("() => Array.from(document.querySelectorAll('label'), (l) => l.textContent)")
        assert ["ann"] == site.sign_ins


@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
def test_the_page_of_the_guide_signs_in(opens):
    """As it is printed, in plain JavaScript; another browser is told what to do, and calls nothing. The token tells of the link."""
    with served(opens) as site:
        endpoint = site.page.partition("_watchword")[0]
        guide = ROOT / "docs/how-to/sign-in-by-a-link.md"
        command = [find_node(), CLIENTS / "link_page.mjs", guide, endpoint, CLIENT_ID, opens]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (0, "") == (done.returncode, done.stderr)
        assert ["ann"] == site.sign_ins
    told, tokens, proved = done.stdout.splitlines()
    assert "Type the code from the mail where you began to sign in." == told
    assert "AccessToken ExpiresIn IdToken RefreshToken TokenType " == tokens
    assert "link email" == proved


def test_a_page_that_answers_on_load_is_caught(browser, monkeypatch):
    """The twin: with a link that opens anywhere the scanner signs in, and nobody else does."""
    sound, whole = (
        pages.component(),
        "this.draw(this.text('title'), error, submit, [whose",
    )
    assert whole in sound
    monkeypatch.setattr(pages, "component", lambda: sound.replace(whole, f"submit()\n    {whole}"))
    with served("anywhere") as site:
        page = asked(browser, site)
        scanner = browser.page(site.page).tab(site.link)
        scanner.sees(DONE)
        assert ["ann"] == site.sign_ins
        page.tab(site.link)
        assert ["ann"] == site.sign_ins
