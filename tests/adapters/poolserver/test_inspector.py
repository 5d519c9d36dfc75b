"""What the developer of a served pool sees: mails with the names of their users, pictures, and answers if asked for."""

import json
import threading
from html.parser import HTMLParser

import pytest

from kit.pool_server import application_of, asked, called
from kit.threaded_clock import ThreadedClock
from kit.user_pool import START, CodeByMail
from watchword import Flow, attribute, one_of, sequence, when
from watchword.contract.kinds import Email
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver.inspector import Inspector, gathering, texts
from watchword_adapters.poolserver.pages import pages_of
from watchword_adapters.userpool import LocalUserPool, SentMessage
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

CLIENT = "4f8k2m9q1r7s3t5v6w0x2y4z8a"
SECRET = bytes(range(32))


class World:
    """A flow behind an application, with its backstage."""

    def __init__(self, flow=None, handlers=None, *, peeking=False, **settings):
        self.clock = ThreadedClock(START)
        self.backstage = Inspector(self.clock, peeking=peeking)
        made = (handlers.define, handlers.create, handlers.verify) if handlers else self.triggers_of(flow)
        watched = [self.backstage.watch(*each) for each in zip(("define", "create", "verify"), made, strict=True)]
        settings = {"clock": self.clock, "outbox": self.backstage.mails, **settings}
        self.pool = LocalUserPool(*watched, **settings)
        self.told = []
        self.flow = flow
        pages = pages_of(self.pool, self.backstage, lambda: self.flow)
        self.application = application_of(self.pool, pages=pages, told=self.told.append)

    def triggers_of(self, flow):
        return triggers(
            flow,
            courier=dict.fromkeys(("email", "sms"), self.backstage.courier()),
            key=self.backstage.keyring(SECRET),
            ledger=MemoryLedger(),
            clock=self.clock,
            pad_to=0,
            environment={},
        )

    def add(self, name, **attributes):
        address = {"email": f"{name}@example.com", "email_verified": "true"}
        self.pool.add_user(name, attributes={**address, **attributes})

    def begin(self, name):
        parameters = {"ClientId": CLIENT, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": name}}
        return called(self.application, "InitiateAuth", parameters).json

    def answer(self, reply, name, text):
        parameters = {
            "ClientId": CLIENT,
            "ChallengeName": "CUSTOM_CHALLENGE",
            "Session": reply["Session"],
            "ChallengeResponses": {"USERNAME": name, "ANSWER": text},
        }
        return called(self.application, "RespondToAuthChallenge", parameters).json

    def outbox(self):
        return asked(self.application, "GET", "/_watchword/outbox.json").json

    def page(self):
        return asked(self.application, "GET", "/_watchword/outbox")

    def sign_in_page(self, query=""):
        return asked(self.application, "GET", "/_watchword/sign-in", query=query.encode())

    def answers(self, name):
        return asked(self.application, "GET", "/_watchword/answers.json", query=f"username={name}".encode())


@pytest.mark.parametrize(
    ("block", "first"),
    [
        (EmailOtp(), "custom"),
        (sequence(Srp(), EmailOtp()), "custom-srp"),
        (one_of(Srp(), EmailOtp()), "custom"),
        (sequence(when(attribute("custom:staff", "yes"), Srp()), EmailOtp()), "custom-srp"),
    ],
)
def test_the_form_asks_for_the_password_first_if_somebody_cannot_do_without(block, first):
    """Whoever opens the served page need not know how the client has to begin; the query still decides."""
    world = World(Flow(block))
    assert f'flow="{first}"' in world.sign_in_page().body.decode()
    for asked_for in ("custom", "custom-srp"):
        assert f'flow="{asked_for}"' in world.sign_in_page(f"flow={asked_for}").body.decode()


def test_the_form_follows_a_flow_that_is_read_again():
    """``--reload`` reads another one; triggers of somebody else's have none."""
    world = World(Flow(EmailOtp()))
    world.flow = Flow(Srp())
    assert 'flow="custom-srp"' in world.sign_in_page().body.decode()
    world.flow = None
    assert 'flow="custom"' in world.sign_in_page().body.decode()


def test_the_outbox_has_the_mails_of_the_pool_and_of_the_flow_newest_last():
    """One list with one form: who looks for a code need not know who sent it."""
    world = World(Flow(EmailOtp()))
    email = [{"Name": "email", "Value": "bob@example.com"}]
    signing_up = {"ClientId": CLIENT, "Username": "bob", "Password": "Passw0rd!x", "UserAttributes": email}
    called(world.application, "SignUp", signing_up)
    called(world.application, "AdminConfirmSignUp", {"UserPoolId": world.pool.pool_id, "Username": "bob"})
    world.clock.advance(5)
    world.add("ann")
    world.begin("ann")

    first, second = world.outbox()

    assert first.keys() == second.keys() == {"to", "subject", "text", "html", "at", "username", "channel", "link"}
    assert (first["username"], first["to"]) == ("bob", "bob@example.com")
    assert (second["username"], second["to"]) == ("ann", "ann@example.com")
    assert second["at"] == first["at"] + 5
    assert second["html"]


def test_a_text_message_is_in_the_outbox_too():
    """With its channel, and no subject; the page shows it under one."""
    world = World(Flow(SmsOtp(countries=("+1",), origin="https://example.com")))
    world.add("ann", phone_number="+15555550100", phone_number_verified="true")
    reply = world.begin("ann")

    (message,) = world.outbox()

    assert ("sms", "+15555550100", "", "ann") == tuple(
        message[name] for name in ("channel", "to", "subject", "username")
    )
    code = message["text"][:6]
    assert message["text"].endswith(f"\n\n@example.com #{code}")
    assert "<h2>A message by sms</h2>" in world.page().body.decode()
    assert "AuthenticationResult" in world.answer(reply, "ann", code)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Open com.example.app:/#t.u now", "com.example.app:/#t.u"),
        ("Your code is 12345678.", ""),
        (
            "Open https://app.example/sign-in?as=web#H.S_-~=\nor type 12345678",
            "https://app.example/sign-in?as=web#H.S_-~=",
        ),
        ("Open http://127.0.0.1:8080/a. Then https://b.example", "http://127.0.0.1:8080/a"),
        ("(see <https://app.example/a,b>)", "https://app.example/a,b"),
        ("HTTPS://App.Example/ is it", "HTTPS://App.Example/"),
        ("Open com.example.app:/sign-in?x=1#H.S_- in the app", "com.example.app:/sign-in?x=1#H.S_-"),
        ("com.example.app:/sign-in", ""),
        ("ftp://app.example xhttps://app.example https:", ""),
    ],
)
def test_a_message_says_the_link_that_it_carries(text, link):
    """The first URL of the web in its text, without what ends the sentence; nothing if there is none."""
    assert link == SentMessage("ann@example.com", "", text, "", 0, "ann").link


def test_a_mail_has_the_name_of_its_user_however_many_sign_in_at_once():
    """Messages do not say whose they are; each is told apart by the run of Create that sent it."""
    world = World(Flow(EmailOtp()))
    names = [f"user{number}" for number in range(16)]
    for name in names:
        world.add(name)
    together = threading.Barrier(len(names))

    def begin(name):
        together.wait()
        world.pool.initiate_auth(ClientId=CLIENT, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})

    threads = [threading.Thread(target=begin, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    mails = world.outbox()
    assert sorted(mail["username"] for mail in mails) == sorted(names)
    assert all(mail["to"] == f"{mail['username']}@example.com" for mail in mails)


def test_an_outbox_is_bounded():
    """A server that runs for weeks keeps the newest thousand."""
    backstage = Inspector(ThreadedClock(START))
    for number in range(1200):
        backstage.courier().send(Email("a@example.com", f"No {number}", "text", id=str(number)), 1)
    assert len(backstage.mails) == 1000
    assert backstage.mails[-1].subject == "No 1199"
    assert backstage.mails[0].username == ""


class Elements(HTMLParser):
    """The names and attributes of the elements of a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">&\'"'


def test_the_page_shows_what_strangers_wrote_as_text():
    """A name or a subject may hold anything; on the page it is letters."""
    world = World(handlers=CodeByMail())
    world.backstage.mails.append(SentMessage(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, HOSTILE))

    page = world.page()

    elements = Elements(page.body.decode())
    assert {"script", "img"}.isdisjoint(tag for tag, _ in elements.found)
    assert "&lt;script&gt;" in page.body.decode()
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"


def test_the_page_shows_mails_and_pictures_newest_first():
    """Whoever tries a flow reads the code and the picture there."""
    world = World(Flow(sequence(Captcha(), EmailOtp(length=8))), peeking=True)
    world.add("ann")
    reply = world.begin("ann")
    world.clock.advance(1)
    world.answer(reply, "ann", world.answers("ann").json["answer"])

    page = world.page().body.decode()

    (picture,) = [attributes for tag, attributes in Elements(page).found if tag == "img"]
    assert picture["src"].startswith("data:image/webp;base64,")
    assert picture["alt"]
    assert page.index("ann@example.com") < page.index("data:image")


def test_a_picture_that_is_none_is_left_out():
    """Hand-written triggers may call anything an image; only pictures are put into the page."""

    class Odd(CodeByMail):
        def create(self, event, context):
            event = super().create(event, context)
            event["response"]["publicChallengeParameters"] = {"image": 'data:text/html;base64,"><script>x</script>'}
            return event

    world = World(handlers=Odd())
    world.add("ann")
    world.begin("ann")

    page = world.page().body.decode()

    assert {"img", "script"}.isdisjoint(tag for tag, _ in Elements(page).found)


class Enrolling(CodeByMail):
    """Shows a URI for an app, as a kind that enrols does."""

    uri = "otpauth://totp/Acme:ann?secret=AAAA&issuer=Acme"

    def create(self, event, context):
        event = super().create(event, context)
        event["response"]["publicChallengeParameters"] = {"otpauth_uri": self.uri}
        return event


def outbox_of(handlers):
    """The page when ann has begun to sign in."""
    world = World(handlers=handlers)
    world.add("ann")
    world.begin("ann")
    return world.page().body.decode()


def test_what_an_app_reads_is_drawn():
    """Whoever tries a flow scans it off the page; beside it is the text."""
    page = outbox_of(Enrolling())
    assert {"svg", "path"} <= {tag for tag, _ in Elements(page).found}
    assert "otpauth://totp/Acme:ann?secret=AAAA&amp;issuer=Acme" in page


class EnrollingByList(CodeByMail):
    """Shows codes to be written down, as a kind of a stranger may."""

    def create(self, event, context):
        event = super().create(event, context)
        said = {"enrol": "1", "step": "enrol_list", "codes": "AAAA BBBB", "note": HOSTILE, "ref": "REFERENCE"}
        event["response"]["publicChallengeParameters"] = said
        return event


def test_what_any_kind_shows_of_an_enrolment_is_there():
    """Codes are shown once, and somebody has to read them; a stranger's text is text."""
    page = outbox_of(EnrollingByList())
    assert "An enrolment: enrol_list" in page
    assert "codes: AAAA BBBB" in page
    assert "REFERENCE" not in page
    assert {"img", "script"}.isdisjoint(tag for tag, _ in Elements(page).found)


@pytest.mark.parametrize("uri", ["x" * 3000, HOSTILE * 200, "\ud800"])
def test_what_cannot_be_drawn_is_said(uri):
    """A plugin may call anything a URI; it is text on the page."""
    handlers = Enrolling()
    handlers.uri = uri
    page = outbox_of(handlers)
    assert {"svg", "script", "img"}.isdisjoint(tag for tag, _ in Elements(page).found)
    assert "has no QR code" in page


def test_an_empty_outbox_says_what_to_do():
    """The page is opened before anybody has signed in."""
    assert "Nothing yet" in World(handlers=CodeByMail()).page().body.decode()


def test_answers_are_told_only_where_that_was_asked_for():
    """Never by default: there is no such page, and nothing is noted that it could tell."""
    world = World(Flow(Captcha()))
    world.add("ann")
    world.begin("ann")
    assert world.answers("ann").status == 404
    assert world.backstage.answers_for("ann") == ()


def test_the_answers_are_those_that_are_right_now():
    """The text of a picture, though it is in nothing that travels, and then the code; a wrong answer makes a new text."""
    world = World(Flow(sequence(Captcha(), EmailOtp(length=8))), peeking=True)
    world.add("ann")
    reply = world.begin("ann")
    first = world.answers("ann").json
    reply = world.answer(reply, "ann", "-")
    second = world.answers("ann").json
    assert first["answer"] != second["answer"] == second["answers"]["captcha"]
    assert (second["username"], second["step"], second["kind"]) == ("ann", "captcha", "captcha")

    reply = world.answer(reply, "ann", second["answer"])
    third = world.answers("ann").json

    assert third["step"] == "email_otp"
    assert third["answers"] == {"captcha": second["answer"], "email_otp": third["answer"]}
    assert "AuthenticationResult" in world.answer(reply, "ann", third["answer"])


def test_work_is_told_as_an_answer_and_not_while_it_is_only_offered():
    """A test gets past it at once; to a choice, what is offered in it is no answer."""
    for asked_for, told in ((ProofOfWork(work=100_000), True), (one_of(ProofOfWork(), Captcha()), False)):
        world = World(Flow(asked_for), peeking=True)
        world.add("ann")
        reply = world.begin("ann")
        answer = world.answers("ann").json["answer"]
        assert told == (answer is not None)
        assert told == ("AuthenticationResult" in world.answer(reply, "ann", answer or "-"))


def test_answers_are_found_by_any_name_of_the_user():
    """Sign-ins go by address too; and nobody is told another's."""
    world = World(Flow(Captcha()), peeking=True)
    world.add("ann")
    world.begin("ann")
    assert world.answers("ann@example.com").json["answer"] == world.answers("ann").json["answer"]
    assert world.answers("bob").json == {
        "username": "bob", "step": "", "kind": "", "answer": None, "at": 0.0, "answers": {}
    }  # fmt: skip


def test_answers_of_nobody_are_refused():
    """The parameter is named."""
    world = World(Flow(Captcha()), peeking=True)
    answered = asked(world.application, "GET", "/_watchword/answers.json")
    assert answered.status == 400
    assert "username=" in answered.json["message"]


def test_answers_of_hand_written_triggers_are_those_that_verify_reads():
    """By custom under ``answer``."""
    world = World(handlers=CodeByMail("314159"), peeking=True)
    world.add("ann")
    world.begin("ann")
    assert world.answers("ann").json["answer"] == "314159"


def test_the_page_says_loudly_that_answers_are_told():
    """Nobody should mistake such a server for another."""
    assert "--dev-answers" in World(Flow(Captcha()), peeking=True).page().body.decode()
    assert "--dev-answers" not in World(Flow(Captcha())).page().body.decode()


def test_each_call_is_told_with_the_runs_of_its_own_triggers():
    """Two sign-ins at the same time are not mixed up, although triggers run in other threads."""
    world = World(handlers=CodeByMail())
    together = threading.Barrier(8)
    found = {}

    def begin(name):
        world.add(name)
        with gathering() as runs:
            together.wait()
            world.pool.initiate_auth(ClientId=CLIENT, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})
        found[name] = [(run.trigger, run.event["userName"]) for run in runs]

    threads = [threading.Thread(target=begin, args=(f"user{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [("define", name), ("create", name)] for name in found}
    assert len(found) == 8


def test_what_a_trigger_raises_is_told_too():
    """It is what somebody who debugs handlers looks for."""

    class Broken(CodeByMail):
        def create(self, event, context):
            raise KeyError("answer")

    world = World(handlers=Broken())
    world.add("ann")
    world.begin("ann")
    (told,) = world.told
    assert [(run.trigger, run.error) for run in told.runs] == [("define", ""), ("create", "'answer'")]
    assert (told.operation, told.error) == ("InitiateAuth", "UserLambdaValidationException")


def test_secrets_are_in_no_representation():
    """Objects end up in logs and tracebacks."""
    world = World(Flow(EmailOtp(length=8)), peeking=True)
    world.add("ann")
    world.begin("ann")
    code = world.answers("ann").json["answer"]
    shown = repr([world.told, world.backstage.answers_for("ann"), tuple(world.backstage.mails)])
    assert code not in shown
    assert "ann@example.com" not in shown


@pytest.mark.parametrize(
    "returned", [None, 7, [], {}, {"response": None}, {"response": {"public": 7}}, {"response": []}]
)
def test_what_triggers_return_is_looked_at_with_care(returned):
    """They may return anything; looking on must not change how that ends."""
    assert texts(returned, "public") == {}


def test_only_strings_are_taken_from_what_triggers_return():
    """Others cannot be shown as parameters."""
    assert texts({"response": {"public": {"a": "b", "c": 1, 2: "d"}}}, "public") == {"a": "b"}


def test_the_json_of_the_outbox_is_not_cached():
    """A test that polls it would see yesterday's code."""
    world = World(handlers=CodeByMail())
    answered = asked(world.application, "GET", "/_watchword/outbox.json")
    assert answered.headers["cache-control"] == "no-store"
    assert json.loads(answered.body) == []
