"""Tickets: good for one user, app client, step and sign-in, once; odd in any way, they are a wrong answer."""

import base64
import json

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.engine_host import Riddle
from kit.linking_kinds import Linked, redirect_of, ticket_of
from watchword import (
    Challenge,
    ConfigurationError,
    Flow,
    Limits,
    Verdict,
    all_of,
    ask_first,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.contract.ports import Limit
from watchword.contract.powers import powers_of
from watchword.runtime.keyring import Keyring
from watchword.runtime.sign_ins.tickets import LONGEST_TICKET, Tickets
from watchword.runtime.wire import LONGEST_CLAIM, new_claim
from watchword.testing.driver import FlowUser
from watchword.testing.requests import NOW, create_request, verify_request
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.srp import Srp

RING = Keyring.of(bytes(range(32)))
KEY = RING.current
CLAIM = new_claim(KEY, "ab" * 16, NOW)
LINKED = Linked()
FLOW = Flow(ask_first(LINKED))
ANYWHERE = Flow(ask_first(Linked(opens="anywhere")))


def tickets(**changed):
    """Return the tickets of one step."""
    step = FLOW.steps["linked"]
    made = Tickets(RING.find, ("pool", "client", "user"), step, "5" * 32)
    return evolve(made, **changed)


def written(**changed):
    """Return a ticket."""
    return tickets(**changed).write(KEY, CLAIM, "ann", issued=int(NOW), expires=int(NOW) + 180)


def user(flow=FLOW, **fields):
    """Return somebody who signs in through *flow*."""
    return FlowUser(flow, **{"ledger": MemoryLedger(), **fields})


def asked(who):
    """Return a sign-in that has been sent a link, and the ticket in it."""
    begun = who.signs_in().is_asked("select").chooses("linked").is_asked("linked")
    return begun, ticket_of(who.outbox.messages[-1])


def reasons(who):
    """Return the reasons of all events."""
    return [event.detail.get("reason") for event in who.events]


def test_a_ticket_says_what_the_page_needs_and_is_read_back():
    """The user's name and the times can be read by the page that the link leads to."""
    text = written()
    head = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
    assert {"userName": "ann", "iat": int(NOW), "exp": int(NOW) + 180} == head
    read = tickets().read(text)
    assert (CLAIM, int(NOW) + 180, True) == (read.claim, read.expires, read.own)
    assert "=" not in text
    assert len(text) < 300


def test_a_ticket_that_opens_anywhere_says_so():
    """So the page offers to sign in only where that can be."""
    anywhere = written(step=ANYWHERE.steps["linked"])
    said = json.loads(base64.urlsafe_b64decode(anywhere.split(".")[0] + "=="))
    assert {"userName": "ann", "iat": int(NOW), "exp": int(NOW) + 180, "opens": "anywhere"} == said
    assert len(anywhere) < 330


@pytest.mark.parametrize("name", ["a" * 128, "é" * 128, "\N{WATER BUFFALO}" * 128, '"\\' * 64, "\ud800"])
def test_the_longest_name_of_any_script_leaves_it_short_enough(name):
    """Cognito's user names have 128 characters (UsernameType)."""
    text = tickets().write(KEY, CLAIM, name, issued=int(NOW), expires=int(NOW) + 180)
    assert len(text) < 1024
    assert tickets().read(text).own
    said = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))["userName"]
    assert name == said


@pytest.mark.parametrize(
    "changed",
    [
        {"binding": ("pool2", "client", "user")},
        {"binding": ("pool", "client2", "user")},
        {"binding": ("pool", "client", "user2")},
        {"step": Flow(ask_first(named("other", LINKED))).steps["other"]},
        {"find": lambda id_: None},
        {"find": lambda id_: Keyring.of(bytes(range(100, 132))).current},
    ],
    ids=["pool", "client", "user", "step", "no key", "another key"],
)
def test_a_ticket_is_for_one_user_client_pool_and_step(changed):
    """Whatever is another makes it none."""
    assert tickets(**changed).read(written()) is None


def test_another_sign_in_reads_it_as_not_its_own():
    """It is genuine, and good where links open anywhere."""
    other = tickets(signin="6" * 32)
    assert other.read(written()).own is False
    assert Verdict(right=False, reason="other_browser", redeems=written()) == other.verdict(written(), NOW)
    anywhere = evolve(other, step=ANYWHERE.steps["linked"])
    assert anywhere.verdict(written(), NOW).right


def test_a_ticket_ends_with_its_challenge():
    """At exactly its end it is over."""
    text = written()
    assert tickets().verdict(text, NOW + 179.9).right
    assert Verdict(right=False, reason="expired") == tickets().verdict(text, NOW + 180)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_every_other_text_is_no_ticket(data):
    """One character changed, cut, added or put in: nothing else is read as this ticket."""
    text = written()
    place = data.draw(st.integers(0, len(text)))
    put = data.draw(st.text(max_size=3))
    cut = data.draw(st.integers(0, 3))
    changed = text[:place] + put + text[place + cut :]
    told = "".join(changed.split()).rpartition("#")[2]
    assert (told == text) is (tickets().read(changed) is not None)


@pytest.mark.parametrize(
    "form", ["#{}", "https://app.example/in#{}", " {}\r\n", "<https://a.example/#x>#{}", "wrapped"]
)
def test_a_ticket_is_read_in_the_forms_in_which_links_are_copied(form):
    """As a whole link, and with the line ends of a mail program that wraps."""
    text = written()
    wrapped = "\r\n".join(text[place : place + 40] for place in range(0, len(text), 40))
    assert tickets().read(wrapped if form == "wrapped" else form.format(text)) == tickets().read(text) is not None


@given(st.one_of(st.text(max_size=80), st.text("Ab-_.=é1", max_size=300), st.binary(max_size=200).map(repr)))
@settings(max_examples=200, deadline=None)
def test_no_text_of_a_stranger_raises(text):
    """It is no ticket, and a wrong answer."""
    assert tickets().read(text) is None
    assert tickets().read(f"{written()}{text}") is None or not text.strip()


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "A" * 10**6, f"{'A' * LONGEST_TICKET}.AAAA", "\ud800.\ud800", "é.é"]
)
def test_odd_texts_are_no_tickets(text):
    """Long ones are not even decoded."""
    assert tickets().read(text) is None


def test_a_ticket_has_2048_characters_at_most():
    """Hosts without Cognito have longer names: whatever fits is read, and nothing that does not."""
    read = {}
    for length in range(1300, 1500):
        text = tickets().write(KEY, CLAIM, "a" * length, issued=int(NOW), expires=int(NOW) + 180)
        read[len(text)] = tickets().read(text) is not None
    assert {each <= LONGEST_TICKET for each in read} == {True, False}
    assert {length: length <= LONGEST_TICKET for length in read} == read


def test_a_claim_that_is_longer_than_any_is_none():
    """Whoever wrote it."""
    text = tickets().write(KEY, CLAIM.ljust(LONGEST_CLAIM, "0"), "ann", issued=int(NOW), expires=int(NOW) + 180)
    assert tickets().read(text) is not None
    text = tickets().write(KEY, CLAIM.ljust(LONGEST_CLAIM + 2, "0"), "ann", issued=int(NOW), expires=int(NOW) + 180)
    assert tickets().read(text) is None


def test_the_sign_in_that_asked_signs_in_by_the_link():
    """At once, and the other way too: the code of the same mail."""
    who = user()
    begun, ticket = asked(who)
    begun.answers(ticket).gets_tokens()
    begun, _ = asked(who)
    begun.answers_rightly().gets_tokens()


def test_a_retry_by_the_host_changes_nothing():
    """Create makes one message, Verify says the same three times."""
    who = user()
    begun, ticket = asked(who)
    begun.host_retries(3)
    assert len(who.outbox.messages) == 1
    begun.answers(ticket)
    begun.host_retries(3)
    begun.gets_tokens()


def test_another_sign_in_is_told_so_and_nothing_is_charged_or_used_up():
    """The one that asked can use the link all the same; a wrong code afterwards is told as one."""
    who = user()
    first, ticket = asked(who)
    who.clock.advance(61)
    second, _ = asked(who)
    second.answers(ticket).is_asked("linked", error="other_browser", attempts_left="2")
    second.answers("12345678").is_asked("linked", error="wrong", attempts_left="1")
    assert reasons(who)[-2:] == ["other_browser", "wrong"]
    first.answers(ticket).gets_tokens()


@pytest.mark.parametrize("messages", [10, 49], ids=["with own tries", "without"])
@pytest.mark.parametrize("form", ["{}", "https://app.example/in#{}", " {}\n"])
def test_the_ticket_of_another_browser_costs_no_guess(messages, form):
    """However often it is tried, the budget of guesses is as it was: a stranger's visits lock nobody out."""
    limits = Limits(guesses=(Limit(5, 3600),), messages=(Limit(messages, 86_400),))
    who = user(Flow(ask_first(Linked(attempts=10)), limits=limits))
    first, ticket = asked(who)
    for _ in range(2):
        sign_in = who.signs_in().is_asked("select").chooses("linked")
        for _ in range(9):
            sign_in.answers(form.format(ticket)).is_asked("linked", error="other_browser")
    assert "guesses_used_up" not in reasons(who)
    first.answers(ticket).gets_tokens()


@pytest.mark.parametrize("answer", ["link", "code"])
@pytest.mark.parametrize("repeats", [0, 3])
def test_the_link_of_an_earlier_mail_leaves_the_own_try_of_the_later_one(answer, repeats):
    """Whoever begins anew has two mails, and may open the first: also where strangers have emptied the budget."""
    who = user(Flow(ask_first(LINKED), limits=Limits(guesses=(Limit(3, 86_400),), messages=(Limit(9, 86_400),))))
    for _ in range(2):
        stranger, _ = asked(who)
        stranger.answers_wrongly(2)
    assert "guesses_used_up" not in reasons(who)
    _, ticket = asked(who)
    later, own = asked(who)
    later.answers(ticket).is_asked("linked", error="other_browser")
    if repeats:
        later.host_retries(repeats)
    if answer == "link":
        later.answers(own)
    else:
        later.answers_rightly()
    later.gets_tokens()


def test_a_ticket_of_elsewhere_gives_no_more_guesses_than_one():
    """Where the own try alone pays, a wrong code after it spends that."""
    who = user(Flow(ask_first(LINKED), limits=Limits(guesses=(Limit(1, 86_400),), messages=(Limit(9, 86_400),))))
    stranger, ticket = asked(who)
    stranger.answers("12345678")
    later, _ = asked(who)
    later.answers(ticket).is_asked("linked", error="other_browser")
    later.answers("12345678").is_asked("linked", error="wrong")
    later.answers_rightly()
    assert "guesses_used_up" in reasons(who)
    with pytest.raises(AssertionError):
        later.gets_tokens()


@pytest.mark.parametrize(
    "flow", [ask_first(LINKED), ask_first(Linked(opens="anywhere"))], ids=["same browser", "anywhere"]
)
@pytest.mark.parametrize("form", ["{}", "https://app.example/in#{}", " {}\n"])
def test_an_own_ticket_signs_in_whatever_became_of_the_budget(flow, form):
    """Nobody guesses one: neither strangers who have emptied it, nor a wrong code that took the own try, make a link dead."""
    who = user(Flow(flow, limits=Limits(guesses=(Limit(1, 86_400),), messages=(Limit(9, 86_400),))))
    stranger, _ = asked(who)
    stranger.answers_wrongly(2)
    begun, ticket = asked(who)
    begun.answers("12345678").is_asked("linked", error="wrong").answers("12345679").is_asked("linked", error="wrong")
    assert "guesses_used_up" in reasons(who)
    begun.host_retries(3)
    begun.answers(form.format(ticket)).gets_tokens()


def test_a_ticket_is_used_once():
    """Also where it may be opened anywhere."""
    who = user(ANYWHERE)
    first, ticket = asked(who)
    second = who.signs_in().is_asked("select")
    second.answers_offer("linked", ticket).gets_tokens()
    third = who.signs_in().is_asked("select")
    third.answers_offer("linked", ticket)
    assert reasons(who)[-1] == "used_before"
    first.answers(ticket)
    assert reasons(who)[-1] == "used_before"


def test_the_link_of_the_message_before_is_good_in_its_sign_in():
    """Until it expires, and it uses up both."""
    who = user()
    begun, ticket = asked(who)
    who.clock.advance(61)
    begun.asks_for_resend().is_asked("linked")
    assert ticket != ticket_of(who.outbox.messages[-1])
    begun.answers(ticket).gets_tokens()


def test_a_link_leads_where_the_client_says_by_name():
    """A name that the kind does not have counts as none."""
    for said, lead in (("app", "mobile"), ("web", "sign-in"), ("https://evil.example", "sign-in"), ("", "sign-in")):
        who = user()
        metadata = {"watchword_choice": "linked", "watchword_redirect": said}
        created = who.engine.create(who.request((), metadata))
        assert "linked" == created.public["step"]
        assert redirect_of(who.outbox.messages[-1]).endswith(lead)


@pytest.mark.parametrize("flow", [FLOW, ANYWHERE], ids=["same_browser", "anywhere"])
@pytest.mark.parametrize("name", ["ann", "漢" * 128, "\U0001f600" * 128, '"\\' * 64, "\ud800"])
def test_a_link_is_good_for_whatever_name(flow, name):
    """Cognito's names have 128 characters at most, of any script: the page reads the name, and the whole link is an answer."""
    who = user(flow, name=name)
    begun, ticket = asked(who)
    head = json.loads(base64.urlsafe_b64decode(ticket.split(".")[0] + "=="))
    assert name == head["userName"]
    assert len(ticket) + 1000 <= LONGEST_TICKET
    begun.answers(ticket).gets_tokens()


def test_strangers_lock_nobody_out_of_links_that_open_anywhere():
    """However many tickets they make up in offers: nobody guesses one, so none is charged, and a code's budget is as it was."""
    who = user(Flow(ask_first(Linked(opens="anywhere")), limits=Limits(guesses=(Limit(3, 3600),))))
    for answer in ("a.b", "12345678", "c.d") * 3:
        who.signs_in().is_asked("select").answers_offer("linked", answer)
    assert "guesses_used_up" not in reasons(who)
    who.clock.advance(3600)
    _, ticket = asked(who)
    for _ in range(3):
        who.signs_in().is_asked("select").answers_offer("linked", "a.b")
    who.signs_in().is_asked("select").answers_offer("linked", ticket).gets_tokens()


class Guesser(Linked):
    """A kind that takes a code where it is offered, although no message had it."""

    def offer(self, request):
        """Seal a code that nobody was sent."""
        return Challenge(private={"digest": request.seal("12345678")})


def test_no_code_is_right_where_a_link_is_offered():
    """Whatever the kind says: those answers are not counted, so one that can be guessed would be."""
    who = user(Flow(ask_first(Guesser(opens="anywhere"))))
    who.signs_in().is_asked("select").answers_offer("linked", "12345678").is_asked("linked", error="wrong")


class Liar(Linked):
    """A kind that says right, and redeems what is no good ticket here."""

    def verify(self, request):
        """Lie."""
        return Verdict(right=True, redeems=request.answer)


def test_the_engine_reads_a_ticket_itself():
    """A kind that takes any text for a redeemed ticket lets nobody in."""
    flow = Flow(ask_first(Liar()))
    who = user(flow)
    first, ticket = asked(who)
    second, _ = asked(who)
    second.answers(ticket).is_asked("linked", error="other_browser")
    second.answers("a.b").is_asked("linked", error="wrong")
    first.answers(ticket).gets_tokens()


def test_who_dies_between_the_two_claims_reads_right_again():
    """The ticket's claim is used up in the name of the round; a repeat goes on from there, and nobody else does."""
    who = user()
    begun, ticket = asked(who)
    who.clock.advance(61)
    begun.asks_for_resend().is_asked("linked")
    ledger, consume, calls = who.ledger, who.ledger.consume, []

    def dies(claim_id, **rest):
        calls.append(claim_id)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return consume(claim_id, **rest)

    call = who.answer(ticket, begun._created.private, {})
    ledger.consume = dies
    with pytest.raises(Exception):  # noqa: B017 - whatever killed it
        who.engine.verify(call)
    ledger.consume = consume
    assert len(calls) == 2
    assert who.engine.verify(call).right
    assert who.engine.verify(call).right
    assert not who.engine.verify(evolve(call, answer=f"{ticket} ")).right


def test_the_kit_makes_and_redeems_tickets():
    """As the engine does; a kind without links is told so."""
    request = create_request(LINKED)
    challenge = LINKED.create(request)
    ticket = ticket_of(challenge.messages[0])
    assert ticket == request.ticket()
    assert verify_request(LINKED, challenge, "").redeem(ticket).right
    assert verify_request(LINKED, challenge, "", signin="0" * 32).redeem(ticket).reason == "other_browser"
    assert verify_request(LINKED, challenge, "", now=NOW + 180).redeem(ticket).reason == "expired"
    with pytest.raises(ConfigurationError, match="give it redirects and opens"):
        create_request(Riddle()).ticket()
    with pytest.raises(ConfigurationError, match="give it redirects and opens"):
        verify_request(Riddle(), {}, "").redeem("a.b")


GOOD = [
    ask_first(LINKED),
    sequence(Riddle(), LINKED),
    one_of(Riddle(), LINKED),
    all_of(Riddle(), LINKED),
    fallback(Riddle(), LINKED),
    one_of(sequence(Srp(), Riddle()), named("r2", Riddle()), LINKED),
    sequence(Srp(), ask_first(LINKED)),
    sequence(Srp(), Riddle(), LINKED),
    when(client("web"), ask_first(LINKED), Riddle()),
    sequence(when(client("web"), Riddle(), named("r2", Riddle())), LINKED),
]
BAD = [
    LINKED,
    named("mail", LINKED),
    sequence(LINKED, Riddle()),
    fallback(LINKED, Riddle()),
    sequence(Srp(), LINKED),
    when(client("web"), LINKED, Riddle()),
    sequence(when(client("web"), Riddle()), LINKED),
    one_of(sequence(Srp(), Riddle()), LINKED),
]


@pytest.mark.parametrize("body", GOOD)
def test_a_link_may_stand_behind_a_round_of_the_flows_own(body):
    """There the sign-in is older than its message."""
    assert Flow(body).steps


@pytest.mark.parametrize("body", BAD)
def test_a_link_may_not_be_what_a_flow_begins_with(body):
    """The remedy is named."""
    with pytest.raises(
        ConfigurationError, match=r"write ask_first\(Linked\(…\)\), in TOML ask_first = { kind = \"linked\", … }"
    ):
        Flow(body)


def test_a_link_is_offered_only_where_it_opens_anywhere():
    """Elsewhere no answer to an offer could be right."""
    assert not FLOW.steps["linked"].offered
    assert ANYWHERE.steps["linked"].offered


def test_links_go_out_in_messages():
    """A kind with links and without a channel is refused."""

    class Mute(Riddle):
        redirects = {"web": "https://app.example/"}  # noqa: RUF012
        opens = "anywhere"

    assert powers_of(Mute()).links
    with pytest.raises(ConfigurationError, match="no channel"):
        Flow(ask_first(Mute()))
