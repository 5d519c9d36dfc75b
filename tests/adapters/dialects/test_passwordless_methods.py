"""Links and the step-up by SMS in the dialect of the passwordless client: what its calls come to, and what it is told."""

import base64
import json
from itertools import product

import pytest

from kit.engine_host import ANN, DeadLedger, Mail, Post, Riddle
from kit.hosts import event, triggers_of
from kit.linking_kinds import REDIRECTS, Linked, redirect_of, ticket_of
from kit.passkeys import StandIn, assertion
from kit.passwordless_client import FIDO2, PAGE, STEP_UP, Client, challenge_in, link_metadata
from watchword import ConfigurationError, Flow, Limits, ask_first, one_of, sequence
from watchword.errors import FAILURE_TEXTS
from watchword.testing import access_token
from watchword.testing.requests import knows_access_token
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.dialects.passwordless import ANYTHING_ELSE, NOT_SUPPORTED
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.sms_otp import SmsOtp

LINK = Linked(opens="anywhere")
STEP = SmsOtp(countries=("+1",), with_token=True)
USER = ANN | {"phone_number": "+15555550100", "phone_number_verified": "true"}
TOKEN = access_token(USER["sub"])
FLOWS = {
    "link": Flow(ask_first(LINK)),
    "step-up": Flow(ask_first(STEP)),
    "all": Flow(one_of(StandIn(), LINK, STEP, Mail())),
}
NO_LINK_NOW = "We can't send you a magic link right now, please try again in a minute"


class Place:
    """Triggers that speak to the client, and what they send."""

    def __init__(self, flow=FLOWS["all"], **settings):
        self.mail, self.phone, self.clock, self.audit = Post(), Post(), VirtualClock(), MemoryAudit()
        courier = {"email": self.mail, "sms": self.phone}
        ports = {"courier": courier, "clock": self.clock, "audit": self.audit, "tokens": knows_access_token}
        self.triggers = triggers_of(flow, dialect="passwordless", **(ports | settings))

    def client(self, user=USER):
        return Client(self.triggers, user)

    @property
    def ticket(self):
        return ticket_of(self.mail.sent[-1])

    @property
    def code(self):
        return self.phone.sent[-1].text[:6]


@pytest.fixture(params=["link", "all"])
def links(request):
    return Place(FLOWS[request.param])


@pytest.fixture(params=["step-up", "all"])
def step_up(request):
    return Place(FLOWS[request.param])


def test_a_link_in_the_same_browser_signs_in(links):
    """At the session of the request: tokens at once."""
    client = links.client()
    asked = client.requests_link()

    assert isinstance(asked, dict)
    assert "challenge" not in asked
    assert PAGE == redirect_of(links.mail.sent[-1])
    assert "tokens" == client.opens_link(links.ticket)


def test_a_link_in_a_fresh_sign_in_signs_in(links):
    """Where the browser keeps no session: the answer to the parameters round, and no other message."""
    links.client().requests_link()

    assert "tokens" == links.client().opens_link(links.ticket)
    assert 1 == len(links.mail.sent)


def test_the_head_of_the_ticket_is_what_the_client_reads(links):
    """The name of the user, and two times; it looks at its own clock. What else there is, it passes over."""
    links.client().requests_link()
    head = json.loads(base64.urlsafe_b64decode(links.ticket.split(".")[0] + "=="))

    now = int(links.clock.now())
    assert {"userName": "ann", "iat": now, "exp": now + 180, "opens": "anywhere"} == head


@pytest.mark.parametrize("fresh", [False, True], ids=["same browser", "fresh"])
@pytest.mark.parametrize("spoil", ["twice", "tampered", "expired", "another user's", "text", "dummy"])
def test_a_bad_link_ends_the_sign_in(links, fresh, spoil):
    """One wrong link is a failure, since the client takes another challenge for an invalid link."""
    client = links.client()
    client.requests_link()
    ticket = links.ticket
    if spoil == "twice":
        assert "tokens" == links.client().opens_link(ticket)
    if spoil == "tampered":
        ticket = ticket[:-2] + ("A" if ticket[-2] != "A" else "B") + ticket[-1]
    if spoil == "expired":
        links.clock.advance(180)
    user = USER | {"sub": "22222222-2222-4333-8444-555555555555"} if spoil == "another user's" else USER
    ticket = {"text": "x", "dummy": "__dummy__"}.get(spoil, ticket)
    if fresh or spoil == "another user's":
        client = links.client(user)

    assert "failure" == client.opens_link(ticket)
    assert 1 == len(links.mail.sent)


def test_a_code_is_no_link(links):
    """The client has no field for the code that stands in the same mail; an application of one's own types it, and says no method."""
    client = links.client()
    client.requests_link()
    code = links.mail.sent[-1].text.split("\n")[0]

    assert "tokens" == client.answer(code, None)


def test_a_second_request_in_the_same_session_is_no_other_message(links):
    """The client begins anew for each; whoever does not is at the end."""
    client = links.client()
    client.requests_link()

    assert "failure" == client.answer("__dummy__", link_metadata("no"))
    assert 1 == len(links.mail.sent)


@pytest.mark.parametrize("page", list(REDIRECTS.values()))
def test_a_link_leads_where_the_client_is_if_the_kind_lists_it(links, page):
    """By exact address; the client knows no name."""
    links.client().requests_link(page)

    assert page == redirect_of(links.mail.sent[-1])


ODD_PAGES = [
    *(f"{PAGE}/", f"{PAGE}?a=b", f"{PAGE}#", PAGE.upper(), f" {PAGE}", "web", "", "https://evil.example/sign-in"),
    *(
        "https://app.example",
        "https://app.example.evil.example/sign-in",
        "javascript:alert(1)",
        "//app.example/sign-in",
    ),
]


@pytest.mark.parametrize("page", ODD_PAGES)
def test_a_link_leads_nowhere_else(links, page):
    """The client is told so in the words of the sample, and nothing goes out."""
    with pytest.raises(Exception, match="redirectUri") as raised:
        links.client().requests_link(page)
    assert f"Invalid redirectUri: {page}" == str(raised.value)
    assert [] == links.mail.sent


@pytest.mark.parametrize("page", [None, 7, ["x"], "a\nb", "x" * 301])
def test_what_is_no_line_is_not_repeated(links, page):
    """The text goes into a log and to a screen."""
    with pytest.raises(Exception, match="redirectUri") as raised:
        links.client().requests_link(page)
    assert "Invalid redirectUri: " == str(raised.value)


def test_whom_nothing_is_sent_to_sees_the_same(links):
    """Somebody unknown, and somebody without an address: no text says who exists, though the sample's do."""
    shown = []
    for user in (USER, {}, {"sub": "33333333-2222-4333-8444-555555555555"}):
        client = links.client(user)
        asked = client.requests_link()
        shown.append((sorted(asked), client.opens_link("x.y")))

    assert shown[0] == shown[1] == shown[2]
    assert 1 == len(links.mail.sent)


def test_an_empty_budget_is_said_in_the_words_of_the_sample():
    """For those whom nothing would be sent to as well."""
    flow = Flow(ask_first(LINK), limits=Limits(messages="1/h"))
    for user in (USER, {}):
        place = Place(flow)
        place.client(user).requests_link()
        place.clock.advance(400)
        with pytest.raises(Exception, match="magic link") as raised:
            place.client(user).requests_link()
        assert NO_LINK_NOW == str(raised.value)


def test_each_request_has_a_link_of_its_own(links):
    """Each is counted in the budget for messages; the client waits for none. Who signs in by the older uses both up."""
    links.client().requests_link()
    first, again = links.ticket, links.client()
    again.requests_link()

    assert 2 == len(links.mail.sent)
    assert "tokens" == again.opens_link(first)
    assert ["failure"] * 2 == [links.client().opens_link(each) for each in (first, links.ticket)]


def test_a_code_by_sms_with_the_users_token_signs_in(step_up):
    """The number is a constant: the sign-in has proven nothing yet."""
    client = step_up.client()
    asked = client.begins_step_up()

    assert "+***********" == asked["phoneNumber"]
    assert "tokens" == client.types_code(TOKEN, step_up.code)


def test_a_wrong_code_is_asked_for_again_twice(step_up):
    """By the same message; the third wrong one is a failure."""
    client = step_up.client()
    client.begins_step_up()
    for _ in range(2):
        assert "+***********" == client.types_code(TOKEN, "000000")["phoneNumber"]

    assert 1 == len(step_up.phone.sent)
    assert "tokens" == client.types_code(TOKEN, step_up.code)
    other = step_up.client()
    step_up.clock.advance(400)
    other.begins_step_up()
    assert ["failure"] == [other.types_code(TOKEN, "000000") for _ in range(3)][2:]


@pytest.mark.parametrize("token", ["", access_token("another"), "x" * 7000, "é"])
def test_a_right_code_without_the_users_token_is_a_wrong_one(step_up, token):
    """It is asked for again, as for a wrong code."""
    client = step_up.client()
    client.begins_step_up()

    assert "sms_otp" == client.types_code(token, step_up.code)["step"]
    assert "sms_otp" == client.answer(step_up.code, STEP_UP)["step"]
    assert "tokens" == client.types_code(TOKEN, step_up.code)


def test_whom_no_code_is_sent_to_sees_the_same(step_up):
    """Somebody unknown, and somebody without a number."""
    shown = []
    for user in (USER, {}, ANN | {"sub": "33333333-2222-4333-8444-555555555555"}):
        client = step_up.client(user)
        asked = client.begins_step_up()
        token = access_token(user.get("sub", "ann"))
        ends = [client.types_code(token, "000000") for _ in range(3)]
        shown.append((sorted(asked), asked["phoneNumber"], [sorted(each) for each in ends[:2]], ends[2]))

    assert shown[0] == shown[1] == shown[2]
    assert 1 == len(step_up.phone.sent)


def test_the_first_round_sends_nothing_whatever_the_flow_has():
    """Whoever looks at it a hundred times has neither message nor budget spent."""
    place = Place()
    for user in (USER, {}):
        for _ in range(50):
            assert "PROVIDE_AUTH_PARAMETERS" == place.client(user).begin()["challenge"]

    assert ([], []) == (place.mail.sent, place.phone.sent)


def test_a_flow_without_a_passkey_shows_no_options():
    """The client says itself that there is no passkey challenge."""
    assert all("fido2options" not in Place(FLOWS[name]).client().begin() for name in ("link", "step-up"))


@pytest.mark.parametrize(
    ("name", "metadata", "text"),
    [
        ("link", FIDO2, "Sign-in with FIDO2 (Face/Touch) not supported"),
        ("link", STEP_UP, "Step-up authentication with SMS OTP not supported"),
        ("step-up", link_metadata("no"), "Sign-in with Magic Link not supported"),
        ("step-up", link_metadata("yes"), "Sign-in with Magic Link not supported"),
    ],
)
def test_a_method_that_the_flow_does_not_have_is_said(name, metadata, text):
    """In the words of the sample; nothing is sent."""
    place = Place(FLOWS[name])
    client = place.client()
    client.begin()
    with pytest.raises(Exception, match="not supported") as raised:
        client.answer("__dummy__", metadata)

    assert text == str(raised.value)
    assert ([], []) == (place.mail.sent, place.phone.sent)


def test_an_outage_is_an_internal_server_error():
    """For each method; the log has the reference."""
    for metadata in (link_metadata("no"), link_metadata("yes"), STEP_UP):
        place = Place(ledger=DeadLedger())
        client = place.client()
        client.begin()
        with pytest.raises(Exception, match=r"^Internal Server Error$"):
            client.answer("x.y", metadata)


SHOWN = {"link": {"step": "linked"}, "sms": {"step": "sms_otp"}, "passkey": {"step": "passkey"}}


def _rights(place, client):
    """The right answer for each method, of messages that others had sent."""
    place.client().requests_link()
    place.client().begins_step_up()
    return {
        "FIDO2": assertion(challenge_in(client.begin())),
        "MAGIC_LINK": place.ticket,
        "SMS_OTP_STEPUP": json.dumps({"jwt": TOKEN, "secretCode": place.code}),
    }


SAID = {"FIDO2": FIDO2, "MAGIC_LINK": link_metadata("yes"), "SMS_OTP_STEPUP": STEP_UP}


@pytest.mark.parametrize(("given", "said"), list(product(SAID, SAID)))
def test_the_right_answer_to_one_method_is_wrong_for_another(given, said):
    """In the first round, whatever the client says of it. A step-up is never answered there: it is only chosen."""
    place = Place()
    client = place.client()
    rights = _rights(place, client)
    end = client.answer(rights[given], SAID[said])
    expected = "failure" if given != said else "tokens"

    assert end["step"] == "sms_otp" if said == "SMS_OTP_STEPUP" else end == expected


@pytest.mark.parametrize("said", ["FIDO2", "SMS_OTP_STEPUP", "ANOTHER"])
def test_a_method_answers_for_no_other_step(said):
    """At the link's own round: what was asked is what is answered."""
    place = Place()
    client = place.client()
    client.requests_link()

    with pytest.raises(Exception, match=r"not supported|Internal Server Error"):
        client.answer(place.ticket, {"signInMethod": said})


def test_define_and_verify_hear_the_same_whatever_differs_between_them():
    """Only a host that lies could tell them different things; even then tokens come for a right answer to what Define has asked."""
    place = Place()
    victim = place.client()
    rights = _rights(place, victim)
    private, metadata = victim.created["privateChallengeParameters"], victim.created["challengeMetadata"]
    for method, said in SAID.items():
        answered = event(
            "verify", user=USER, privateChallengeParameters=private, challengeAnswer=rights[method], clientMetadata=said
        )
        right = place.triggers.verify(answered, None)["response"]["answerCorrect"]
        for other in (*SAID.values(), link_metadata("no"), {}):
            rounds = [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": right, "challengeMetadata": metadata}]
            told = event("define", user=USER, session=rounds, clientMetadata=other)
            got = place.triggers.define(told, None)["response"]["issueTokens"]
            assert got == (
                right and other.get("signInMethod") in {"FIDO2", "MAGIC_LINK"} and other != link_metadata("no")
            )


# The lists of the reference: what was asked, what the client said with its answer, whether that was right, and what follows.
LISTS = [
    ("a link is asked for", [("parameters", "link: no", False)], "link"),
    ("a link in the same browser", [("parameters", "link: no", False), ("link", "link: yes", True)], "tokens"),
    ("a bad one", [("parameters", "link: no", False), ("link", "link: yes", False)], "failure"),
    ("a link in a fresh session", [("parameters", "link: yes", True)], "tokens"),
    ("a bad one there", [("parameters", "link: yes", False)], "failure"),
    ("a passkey", [("parameters", "passkey", True)], "tokens"),
    ("a wrong one", [("parameters", "passkey", False)], "failure"),
    ("a step-up", [("parameters", "sms", False)], "sms"),
    ("a wrong code", [("parameters", "sms", False), ("sms", "sms", False)], "sms"),
    ("two", [("parameters", "sms", False), *[("sms", "sms", False)] * 2], "sms"),
    ("three", [("parameters", "sms", False), *[("sms", "sms", False)] * 3], "failure"),
    ("a right one", [("parameters", "sms", False), ("sms", "sms", False), ("sms", "sms", True)], "tokens"),
]
SPOKEN = {"link: no": link_metadata("no"), "link: yes": link_metadata("yes"), "passkey": FIDO2, "sms": STEP_UP}


@pytest.mark.parametrize(("rounds", "end"), [each[1:] for each in LISTS], ids=[each[0] for each in LISTS])
def test_session_lists_of_the_client_come_to_what_it_expects(rounds, end):
    """With the answers that make them so."""
    place = Place()
    client = place.client()
    rights = _rights(place, client)
    asked = client.created["publicChallengeParameters"]
    for what, said, right in rounds:
        assert {"parameters": "select"}.get(what, SHOWN.get(what, {}).get("step")) == asked["step"]
        method = SPOKEN[said]["signInMethod"]
        wrong = {"FIDO2": assertion("x"), "MAGIC_LINK": "x.y"}.get(
            method, json.dumps({"jwt": TOKEN, "secretCode": "0"})
        )
        # A code is of this sign-in alone; a link that another one had sent is as good.
        rights["SMS_OTP_STEPUP"] = json.dumps({"jwt": TOKEN, "secretCode": place.code})
        asked = client.answer(rights[method] if right else wrong, SPOKEN[said])
        assert right == client.session[-1]["challengeResult"]

    assert asked == end if end not in SHOWN else asked["step"] == SHOWN[end]["step"]


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (Flow(ask_first(Linked())), r'write opens = "anywhere", and read what that means for mail scanners'),
        (Flow(one_of(StandIn(), Linked())), r'write opens = "anywhere"'),
        (
            Flow(STEP),
            "sends nothing, and the flow .* begins with 'sms_otp', which sends: put it into a choice, or under ask_first",
        ),
        (Flow(sequence(ask_first(LINK), Riddle())), "'linked', and the flow .* goes on behind it"),
        (Flow(sequence(ask_first(STEP), Riddle())), "'sms_otp', and the flow .* goes on behind it"),
        (Flow(sequence(StandIn(), ask_first(LINK))), "'passkey', and the flow|begins with passkey"),
        (Flow(ask_first(SmsOtp(countries=("+1",)))), "no step that the passwordless client can sign in with"),
    ],
)
def test_a_flow_that_the_client_cannot_pass_by_each_method_is_refused(flow, why):
    """When the triggers are made, with the step and the remedy."""
    with pytest.raises(ConfigurationError, match=why):
        Place(flow)


ODD = [None, 7, True, [], ["MAGIC_LINK"], {}, "", "magic_link", "MAGIC_LINK ", "x" * 100_000, "\ud800", "\0"]
TEXTS = {*NOT_SUPPORTED.values(), ANYTHING_ELSE, "Invalid redirectUri: "}


@pytest.mark.parametrize("name", ["signInMethod", "redirectUri", "alreadyHaveMagicLink"])
@pytest.mark.parametrize("have", ["yes", "no"])
def test_odd_words_bring_nothing(name, have):
    """Of whatever type: a text of the sample's, one of the engine's, another round, or the end. Never tokens for a wrong answer."""
    for value in ODD:
        place = Place()
        client = place.client()
        client.begin()
        try:
            end = client.answer("x.y", link_metadata(have) | {name: value})
        except TriggerError as error:
            printed = str(error).removesuffix(str(value))
            assert printed in TEXTS or printed.split()[0] in FAILURE_TEXTS
        else:
            assert end == "failure" or isinstance(end, dict)


def test_nobody_counts_the_requests_of_the_first_round():
    """The ledger is left alone until a method is chosen."""
    ledger = MemoryLedger()
    place = Place(ledger=ledger)
    place.client().begin()
    before = repr(vars(ledger))
    place.client().begin()

    assert before == repr(vars(ledger))


@pytest.mark.parametrize("own", [True, False])
def test_a_sign_in_that_is_named_is_heard_in_the_words_of_the_client_too(own):
    """Tokens tell nothing of the sign-in that is said in another one, in whichever words it is said; nor do those of that one."""
    place = Place()

    def told(user_client, name):
        assert "tokens" == user_client
        said = {"userAttributes": USER, "clientMetadata": {"watchword_signin": name}}
        return place.triggers.evidence(event("pre_token", user=USER) | {"request": said})

    first, second = place.client(), place.client()
    name = first.begin()["signin"]
    challenge = challenge_in(second.begin())
    first.answer("", {"watchword_choice": "mail"})
    code = place.mail.sent[-1].text
    assert "flow" in told(first.answer(code, {"watchword_signin": name}), name).get("sign_in_flow", "flow")
    named = second.created["publicChallengeParameters"]["signin"] if own else name
    tokens = second.answer(assertion(challenge), FIDO2 | {"watchword_signin": named})
    assert own == ("sign_in_at" in told(tokens, named))
    assert own == ("sign_in_at" in told("tokens", name))
