"""The link and the code in one mail: what it sends, to whom, where it leads, and which answers it takes."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from watchword import Challenge, Email, Flow, User, ask_first, load_flow, sequence
from watchword.contract import powers
from watchword.errors import ConfigurationError
from watchword.testing import ANN, NOBODY, FlowUser, Mailbox, create_request, recorded_codes, verify_request
from watchword.testing.hostile import HOSTILE_ADDRESSES
from watchword.testing.requests import NOW
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins import magic_link
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.srp import Srp

WEB, MOBILE = "https://app.example/sign-in?from=mail&x=1", "com.example.app:/sign-in"
TEMPLATES = Path(magic_link.__file__).parent / "templates"
OPENS: tuple[Any, ...] = ("same_browser", "anywhere")
LANGUAGES = sorted(file.stem for file in (TEMPLATES / "link").glob("*.html"))


def of(**settings: Any) -> MagicLink:
    """Return the kind, with two redirects."""
    return MagicLink(**{"redirects": {"web": WEB, "app": MOBILE}, **settings})


def make(kind: MagicLink, user: User = ANN, **how: Any) -> tuple[Challenge, str]:
    """Return the challenge and its code."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind, user=user, **how))
    return challenge, codes[-1].text


def mail(challenge: Challenge) -> Email:
    """Return the one mail."""
    (message,) = challenge.messages
    assert isinstance(message, Email)
    return message


def link_in(message: Email) -> str:
    """Return the link in a mail."""
    (link,) = re.findall(r"^\S+#\S+$", message.text, re.MULTILINE)
    return str(link)


def somebody(**attributes: str) -> User:
    """Return Ann with other attributes."""
    return evolve(ANN, attributes={**ANN.attributes, **attributes})


def right(kind: MagicLink, challenge: Challenge, answer: Any, **how: Any) -> bool:
    """Say whether *answer* is right."""
    return kind.verify(verify_request(kind, challenge, answer, **how)).right


# The message


@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_link_and_a_code_are_in_one_mail_and_both_are_right(locale: str, opens: Any) -> None:
    """In the text and in the HTML, in no subject."""
    kind = of(redirects={"web": WEB}, opens=opens, app="Acme & Co")
    kind.prepare()
    challenge, code = make(kind, somebody(locale=locale))
    message = mail(challenge)
    link = link_in(message)
    assert link.startswith(f"{WEB}#")
    (href,) = re.findall(r'href="([^"]*)"', message.html)
    assert link == unescape(href)
    for text in (message.text, unescape(message.html)):
        assert re.search(rf"\b{code}\b", text)
        assert "Acme & Co" in text
        assert create_request(kind).ref in text
        assert "3 min" in text or locale != "en"
    assert "#" not in message.subject
    assert code not in message.subject
    assert right(kind, challenge, code)
    assert right(kind, challenge, link.partition("#")[2])


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_mail_says_where_the_link_works(locale: str) -> None:
    """In the browser that asked, or in the one that the reader chooses; the rest is the same."""
    user, said = somebody(locale=locale), dict[str, Email]()
    for opens in OPENS:
        kind = of(redirects={"web": WEB}, opens=opens)
        said[opens] = mail(make(kind, user)[0])
    here, anywhere = said.values()
    assert here.subject == anywhere.subject
    for one, other in ((here.text, anywhere.text), (here.html, anywhere.html)):
        lines = [set(re.sub(r"#[^\s\"]*|\d{8}", "", text).splitlines()) for text in (one, other)]
        assert len(lines[0] - lines[1]) == len(lines[1] - lines[0]) == 2


def test_the_mail_says_for_how_long_it_is_good() -> None:
    """In whole minutes."""
    for lifetime, minutes in ((60, 1), (119, 1), (120, 2), (600, 10)):
        assert f"for {minutes} min." in mail(make(of(lifetime=lifetime))[0]).text


def test_both_sorts_of_texts_are_in_the_same_languages() -> None:
    """Whoever adds a language adds both."""
    assert {each.name for each in (TEMPLATES / "link").iterdir()} == {
        each.name for each in (TEMPLATES / "link_anywhere").iterdir()
    }


def test_your_own_templates_are_taken_wherever_the_link_opens(tmp_path: Path) -> None:
    """They say what holds for the setting that they are written for."""
    for part, text in (("subject.txt", "Hello"), ("txt", "own $link $code"), ("html", "<p>own $link $code</p>")):
        (tmp_path / f"en.{part}").write_text(text, "utf-8")
    for opens in OPENS:
        assert mail(make(of(redirects={"web": WEB}, opens=opens, templates=str(tmp_path)))[0]).text.startswith("own ")


def test_the_page_can_read_whom_the_link_is_for_and_until_when() -> None:
    """The form of the passwordless client: H.S behind the #, H in base64url of JSON."""
    head = link_in(mail(make(of())[0])).partition("#")[2].partition(".")[0]
    said = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert said == {"userName": "ann", "iat": int(NOW), "exp": int(NOW) + 180}


@pytest.mark.parametrize(
    ("said", "leads"), [("web", WEB), ("app", MOBILE), ("", WEB)], ids=["the first", "the second", "none"]
)
def test_a_link_leads_where_the_client_says_by_name(said: str, leads: str) -> None:
    """The first where it says none."""
    assert link_in(mail(make(of(), redirect=said)[0])).startswith(f"{leads}#")


@pytest.mark.parametrize("said", ["https://evil.example/", "WEB", "web ", "__class__", "app\n", "#", "\ud800"])
def test_client_metadata_leads_a_link_nowhere_else(said: str) -> None:
    """What is no name of the operator's list counts as none."""
    user = FlowUser(Flow(ask_first(of())), ledger=MemoryLedger())
    user.engine.create(user.request((), {"watchword_choice": "magic_link", "watchword_redirect": said}))
    assert link_in(user.outbox.messages[-1]).startswith(f"{WEB}#")


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("en.txt", "only $code", r"template en\.txt has no [$]link"),
        ("en.txt", "only $link", r"template en\.txt has no [$]code"),
        ("en.html", "only $link", r"template en\.html has no [$]code"),
        ("en.subject.txt", "$link", r"template en\.subject\.txt has [$]link; there is only [$]app, [$]minutes, [$]ref"),
        ("en.txt", "$link $code $user", r"template en\.txt has [$]user"),
    ],
)
def test_own_templates_are_checked(tmp_path: Path, name: str, text: str, match: str) -> None:
    """Each fault names the file, before anybody is written to."""
    for file in ("en.txt", "en.html"):
        (tmp_path / file).write_text("$link $code", "utf-8")
    (tmp_path / "en.subject.txt").write_text("Sign in", "utf-8")
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=f"magic_link: {match}"):
        of(templates=str(tmp_path)).prepare()


# To whom


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_nothing_but_one_address_gets_a_message(address: str) -> None:
    """Nor a ticket: there is nothing that could be right."""
    kind, user = of(), somebody(email=address)
    challenge, code = make(kind, user)
    assert challenge.messages == ()
    assert challenge.reason == ("unusable_address" if address else "no_address")
    assert not right(kind, challenge, code, user=user)


@pytest.mark.parametrize("user", [ANN, NOBODY, somebody(email=""), somebody(email_verified="false")])
def test_before_a_factor_all_are_asked_alike(user: User) -> None:
    """A stranger may be looking on."""
    challenge, _ = make(of(), user)
    assert challenge.public == {"destination": "", "link": "same_browser"}
    assert {*challenge.private} == {"digest"}
    assert bool(challenge.messages) == (user is ANN)


def test_nobody_unknown_or_unverified_signs_in_by_a_code() -> None:
    """The code that was drawn for them is wrong."""
    kind = of()
    for user in (NOBODY, somebody(email_verified="false"), somebody(email="")):
        challenge, code = make(kind, user)
        assert not right(kind, challenge, code, user=user)
        assert not right(kind, challenge, f"unsent:{code}", user=user)
    assert make(of(verified_only=False), somebody(email_verified="false"))[0].messages


# Answers


@pytest.mark.parametrize(
    "spelling",
    ["{ticket}", "#{ticket}", "{link}", " {link}\r\n", "{wrapped}", "<https://a.example/#x>#{ticket}", "{ticket}\n"],
)
def test_a_ticket_is_found_in_what_people_paste(spelling: str) -> None:
    """With the #, as a whole link, and with the line ends of a mail program that wraps."""
    kind = of()
    challenge, _ = make(kind)
    link = link_in(mail(challenge))
    ticket = link.partition("#")[2]
    wrapped = "\r\n".join(link[start : start + 40] for start in range(0, len(link), 40))
    assert right(kind, challenge, spelling.format(link=link, ticket=ticket, wrapped=wrapped))


@pytest.mark.parametrize("spelling", ["{0}.", ".{0}", "{0}#", "x{0}", "{0}=", "{0} and more", "{0}\u200b", "{0}\uff0e"])
def test_nothing_else_about_a_ticket_is_passed_over(spelling: str) -> None:
    """One text is a ticket."""
    kind = of()
    challenge, _ = make(kind)
    ticket = link_in(mail(challenge)).partition("#")[2]
    assert not right(kind, challenge, spelling.format(ticket))


@pytest.mark.parametrize("spelling", ["{0}", " {0}\n", "{1}-{2}", "{1} {2}", "\ufeff{1}\u00a0{2}"])
def test_spaces_and_hyphens_in_a_code_do_not_count(spelling: str) -> None:
    """As people type and paste codes."""
    kind = of()
    challenge, code = make(kind)
    assert right(kind, challenge, spelling.format(code, code[:3], code[3:]))


@given(st.one_of(st.text(max_size=300), st.text("0123456789.#", max_size=12), st.none(), st.integers()))
def test_no_other_answer_passes(answer: Any) -> None:
    """Whatever is drawn; and nothing raises."""
    kind = of()
    challenge, code = make(kind)
    verdict = kind.verify(verify_request(kind, challenge, answer))
    assert not verdict.right or re.sub(r"[^0-9]", "", answer) == code
    assert verdict.right or verdict.reason in ("wrong", "malformed")


def test_a_whole_link_fits_into_an_answer() -> None:
    """Of a user with the longest name, in a script that JSON spells out."""
    kind = of()
    user = evolve(ANN, name="\u3042" * 128)
    link = link_in(mail(make(kind, user)[0]))
    assert len(link) < kind.longest_answer
    assert right(kind, make(kind, user)[0], link, user=user)


def test_to_what_is_offered_only_a_ticket_is_right() -> None:
    """It sends nothing, so no code fits it."""
    kind = MagicLink(redirects={"web": WEB}, opens="anywhere")
    challenge, code = make(kind)
    ticket = link_in(mail(challenge)).partition("#")[2]
    offered = kind.offer(create_request(kind))
    assert Challenge(public={"link": "anywhere"}) == offered
    assert not right(kind, offered, code)
    assert right(kind, offered, ticket, signin="0" * 32)


# Settings


def test_it_is_a_value() -> None:
    """The order of the redirects counts, since the first is the default; nobody changes them."""
    given_redirects = {"web": WEB, "app": MOBILE}
    kind = MagicLink(redirects=given_redirects)
    given_redirects["web"] = "https://evil.example/"
    assert kind == of()
    assert hash(kind) == hash(of())
    assert kind != of(redirects={"app": MOBILE, "web": WEB})
    with pytest.raises(TypeError):
        kind.redirects["web"] = "https://evil.example/"  # type: ignore[index]


def test_where_links_lead_is_no_part_of_the_fingerprint() -> None:
    """An address may change while people sign in; where links sign in may not."""
    flow, other = Flow(ask_first(of())), Flow(ask_first(of(redirects={"web": WEB})))
    assert flow.fingerprint == other.fingerprint
    assert Flow(ask_first(of(redirects={"web": WEB}, opens="anywhere"))).fingerprint != flow.fingerprint


def test_it_has_links_and_offers() -> None:
    """The powers that the engine reads."""
    found = powers.powers_of(of())
    assert found.links
    assert found.offers
    assert found.longest_answer == 2048
    assert of(length=6, alphabet="letters").guess_probability() == pytest.approx(20**-6)


def test_an_app_scheme_opens_in_no_other_browser() -> None:
    """Any app on a device may claim it (RFC 8252 8.1), and the link alone would sign it in."""
    with pytest.raises(ConfigurationError, match='magic_link: opens must be "same_browser" with an app\'s own scheme'):
        of(opens="anywhere")
    with pytest.raises(ConfigurationError, match='magic_link: opens must be "same_browser" or "anywhere", not'):
        of(opens="everywhere")


def test_a_flow_file_names_it(tmp_path: Path) -> None:
    """In TOML as in Python, the redirects as a table."""
    (tmp_path / "flow.toml").write_text(
        f"""
[[steps]]
[steps.ask_first]
kind = "magic_link"
length = 6
[steps.ask_first.redirects]
web = "{WEB}"
app = "{MOBILE}"
""",
        "utf-8",
    )
    assert load_flow(tmp_path / "flow.toml") == Flow(ask_first(of(length=6)))
    (tmp_path / "flow.toml").write_text(
        '[[steps]]\nask_first = { kind = "magic_link", redirects = { web = "http://app.example/" } }\n', "utf-8"
    )
    with pytest.raises(ConfigurationError, match=r"line 2: steps\[0\]\.ask_first\.redirects: .*is not https"):
        load_flow(tmp_path / "flow.toml")


# Whole sign-ins


def test_a_link_signs_in_where_it_was_asked_for() -> None:
    """At once; the ticket is used up with it."""
    ann = FlowUser(Flow(ask_first(of())), ledger=MemoryLedger())
    sign_in = ann.signs_in().is_asked("select").chooses("magic_link").is_asked("magic_link", destination="")
    link = ann.outbox.link
    assert link == link_in(ann.outbox.messages[-1])
    sign_in.opens_link().gets_tokens()
    ann.clock.advance(61)
    ann.signs_in().chooses("magic_link").opens_link(link).is_asked("magic_link", error="other_browser")


def test_a_link_that_opens_anywhere_signs_in_in_another_browser() -> None:
    """In the choice with which its sign-in begins; the code of the same mail is used up too."""
    ann = FlowUser(Flow(ask_first(of(redirects={"web": WEB}, opens="anywhere"))), ledger=MemoryLedger())
    sign_in = ann.signs_in().chooses("magic_link")
    code = ann.outbox.code
    ann.signs_in().is_asked("select", offers="magic_link").opens_link().gets_tokens()
    sign_in.answers(code).is_asked("magic_link")
    with pytest.raises(AssertionError, match="no step with links is offered here"):
        FlowUser(Flow(ask_first(of())), ledger=MemoryLedger()).signs_in().opens_link("x#a.b")


@pytest.mark.parametrize("kind", [of(), of(redirects={"app": MOBILE})])
def test_the_mailbox_finds_the_link_of_a_message(kind: MagicLink) -> None:
    """Of the web or of an app; a message without one is told."""
    mailbox = Mailbox()
    with pytest.raises(AssertionError, match="no message was sent"):
        _ = mailbox.link
    mailbox.messages.append(mail(make(kind)[0]))
    assert mailbox.link == link_in(mailbox.messages[-1])
    mailbox.messages.append(Email("a@b.example", "x", "https://app.example/ 1234"))
    with pytest.raises(AssertionError, match="the last message holds no link"):
        _ = mailbox.link


def test_behind_a_password_the_address_is_masked() -> None:
    """As that of a code by mail."""
    ann = FlowUser(Flow(sequence(Srp(), ask_first(of()))), ledger=MemoryLedger())
    sign_in = ann.signs_in().is_asked("srp").answers(ann.password).is_asked("select").chooses("magic_link")
    sign_in.is_asked("magic_link", destination="a***@e***").answers_rightly().gets_tokens()
