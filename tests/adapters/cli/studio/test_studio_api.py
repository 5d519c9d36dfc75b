"""The studio's API: only the page asks, a broken text harms nothing, nothing is overwritten, no secret is shown."""

import json
from decimal import Decimal

import pytest

from kit.paths import FLOWS
from kit.studio import EVENT, answered, begun
from watchword import ConfigurationError
from watchword.contract import write_token_answer
from watchword_adapters.cli import main
from watchword_adapters.cli.messages.message_costs import MessagePrice
from watchword_adapters.cli.studio.api import TOKEN_HEADER, StudioApi
from watchword_adapters.cli.studio.flow_view import step_lines, view_of
from watchword_adapters.cli.studio.workshop import PASSWORD, Workshop, mark_of
from watchword_adapters.poolserver.http.server import LOOPBACK
from watchword_adapters.rest.exchange import HttpRequest
from watchword_adapters.userpool.api.errors import UserLambdaValidationException

TOKEN = "t" * 22
ORIGIN = f"http://{LOOPBACK}:9480"
TEXT = (FLOWS / "email_code.toml").read_text()


@pytest.fixture
def workshop(tmp_path):
    """A flow in a folder of its own."""
    file = tmp_path / "flow.toml"
    file.write_text(TEXT)
    return Workshop(file)


@pytest.fixture
def ask(workshop):
    """Ask the API as the page does."""
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))

    def asked(path, status=200, headers=None, method="POST", **given):
        sent = {TOKEN_HEADER: TOKEN, "origin": ORIGIN} if headers is None else headers
        reply = api(HttpRequest(method, f"/{path}", {}, sent, json.dumps(given).encode()))
        assert status == reply.status, reply.body
        return json.loads(reply.body)

    return asked


def signed_in(workshop):
    """Sign the user in at the studio's pool; return the code, and the reply with tokens."""
    reply = begun(workshop)
    code = workshop.inspector.answers_for("ann")[-1].text
    return code, answered(workshop, reply, code)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({TOKEN_HEADER: "wrong", "origin": ORIGIN}, 403),
        ({TOKEN_HEADER: TOKEN, "origin": "https://evil.example"}, 403),
        ({TOKEN_HEADER: TOKEN, "origin": "null"}, 403),
        ({TOKEN_HEADER: TOKEN}, 200),
    ],
)
def test_only_who_has_the_address_asks(ask, headers, status):
    """A page of another origin gets nothing, whatever it knows."""
    ask("flow", status, headers=headers)


def test_a_broken_text_keeps_the_last_good_flow(ask, workshop):
    """The error has its line; the flow that is played is the one from before."""
    good = workshop.good
    view = ask("edit", text=TEXT.replace("email_otp", "email_opt"))
    assert view["line"] > 0
    assert "did you mean email_otp" in view["error"]
    assert good is workshop.good
    assert "svg" in ask("edit", text=TEXT)


def test_a_page_that_comes_later_is_shown_the_last_good_flow_too(ask, workshop):
    """Where the file was broken meanwhile, by whatever program."""
    workshop.path.write_text("[")
    found = ask("flow")
    assert found["text"] == "["
    assert found["view"]["error"]
    assert found["good"]["name"] == "email_code"


@pytest.mark.parametrize("text", ["", "[", "name = 7", "steps = []", "[[steps]]\n" * 500, "\0", "x" * 200_000])
def test_no_text_ends_the_studio(ask, text):
    """Whatever somebody types: an error that begins with a word and is beside a line that there is, and the page goes on."""
    view = ask("edit", text=text)
    assert view["error"][0].isalnum()
    assert not view["error"].startswith("is ")
    assert 1 <= view["line"] <= len(text.split("\n"))
    assert "svg" in ask("edit", text=TEXT)


def test_an_edit_is_in_use_for_the_next_sign_in_and_the_last_goes_on(ask, workshop):
    """Under its own rules."""
    pool = workshop.pool
    begun = pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    ask("edit", text='name = "other"\n[[steps]]\nkind = "email_otp"\nlength = 10\n')
    code = workshop.inspector.answers_for("ann")[-1].text
    given = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": {"USERNAME": "ann", "ANSWER": code}}
    assert "AuthenticationResult" in pool.respond_to_auth_challenge(
        ClientId=pool.client_id, Session=begun["Session"], **given
    )
    workshop.clock.forward(600)
    pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    assert len(workshop.inspector.answers_for("ann")[-1].text) == 10


def test_saving_never_overwrites_what_changed_meanwhile(ask, workshop):
    """The page says so, and nothing is written."""
    mark = ask("flow")["mark"]
    workshop.path.write_text(f"{TEXT}# by another editor\n")
    assert "has changed on disk" in ask("save", 400, text=TEXT, mark=mark)["message"]
    assert workshop.path.read_text().endswith("# by another editor\n")
    assert ask("events")["changed_on_disk"]
    mark = ask("flow")["mark"]
    assert mark_of("new") == ask("save", text="new", mark=mark)["mark"]
    assert workshop.path.read_text() == "new"
    assert [workshop.path] == list(workshop.path.parent.iterdir())


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("edit", {"text": "# \ud800"}),
        ("diff", {"text": f"{TEXT}# \ud800"}),
        ("save", {"text": "\ud800"}),
        ("replay", {"events": "\ud800"}),
        ("host", {"forward": 10**400}),
        ("host", {"forward": float("nan")}),
        ("host", {"forward": True}),
        ("host", {"repeats": True}),
        ("host", {"repeats": 2.0}),
    ],
)
def test_what_json_can_say_and_no_file_or_clock_holds_is_refused(ask, workshop, path, given):
    """With a 400; nothing is written, and nothing is left beside the file."""
    ask(path, 400, **given, mark=ask("flow")["mark"])
    assert workshop.path.read_text() == TEXT
    assert [workshop.path] == list(workshop.path.parent.iterdir())


def test_what_happened_is_told_without_secrets(ask, workshop):
    """Each run of a trigger, and where the sign-in stands; no code, no address, no name, no claim."""
    code, done = signed_in(workshop)
    assert "AuthenticationResult" in done
    found = ask("events")["events"]
    assert [each["trigger"] for each in found] == ["define", "create", "verify", "define"]
    assert [each["node"] for each in found if each["trigger"] == "define"] == ["step_email_otp", "tokens"]
    told = json.dumps(found)
    claims = [run for run in (each["event"]["request"].get("privateChallengeParameters") for each in found) if run]
    assert claims
    for secret in (code, "ann@example.com", PASSWORD, '"ann"'):
        assert secret not in told
    assert not ask("events", since=found[-1]["number"])["events"]


def test_the_host_can_be_made_slow_and_stubborn(ask, workshop):
    """The mail is stopped, each trigger is called three times, the clock goes on."""
    before = workshop.clock.now()
    ask("host", forward=3600, stopped={"email": True}, repeats=3)
    assert workshop.clock.now() - before >= 3600
    found = ask("events")
    assert found["channels"] == {"email": True}
    assert found["repeats"] == 3
    ask("host", stopped={"email": False})
    assert "AuthenticationResult" in signed_in(workshop)[1]
    assert len(workshop.inspector.mails) == 1
    for wrong in ({"forward": -1}, {"forward": 1e9}, {"repeats": 7}, {"forward": "x"}, {"stopped": {"email": 3}}):
        ask("host", 400, **wrong)
    ask("host", 400, stopped=3)
    ask("events", 400, sessions=3)


def test_a_step_up_takes_the_token_of_a_sign_in_at_the_studio(workshop, ask):
    """AWS is not asked for the user: its pool is here."""
    _, done = signed_in(workshop)
    ask("edit", text='name = "up"\n[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\nlength = 8\nwith_token = true\n')
    pool = workshop.pool
    reply = pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    text = write_token_answer(done["AuthenticationResult"]["AccessToken"], workshop.inspector.mails[-1].text[:8])
    given = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": {"USERNAME": "ann", "ANSWER": text}}
    again = pool.respond_to_auth_challenge(ClientId=pool.client_id, Session=reply["Session"], **given)
    assert "AuthenticationResult" in again


def test_findings_stand_beside_their_lines(ask):
    """Each with the session that shows it, as a way through the diagram."""
    view = ask("edit", text=(FLOWS / "captcha_only.toml").read_text())
    found = {each["code"]: each for each in view["findings"]}["WW101"]
    assert [each["node"] for each in found["rounds"]] == ["step_captcha", "tokens"]
    assert found["line"] == step_lines((FLOWS / "captcha_only.toml").read_text())["captcha"]
    assert not view["sound"]


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_node_that_is_played_is_drawn(path):
    """Of each example, and of each session that a finding has."""
    from watchword.loading.registry import Registry

    view = view_of(path.read_text(), path, Registry()).shown()
    for finding in view["findings"]:
        for each in finding["rounds"] or ():
            assert f'data-node="{each["node"]}"' in view["svg"], (finding["code"], each)


def test_a_file_keeps_its_mode_and_a_link_leads_where_it_led(workshop, ask):
    """Saving writes what the link leads to."""
    target = workshop.path.with_name("real.toml")
    workshop.path.rename(target)
    workshop.path.symlink_to(target)
    target.chmod(0o640)
    ask("save", text="new\r\n", mark=ask("flow")["mark"])
    assert workshop.path.is_symlink()
    assert target.read_bytes() == b"new\r\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert {target, workshop.path} == set(target.parent.iterdir())


def test_a_file_that_is_gone_is_made_anew_only_where_that_is_said(workshop, ask):
    """By a mark that is empty, and never over what is there; what happens goes on being told."""
    mark = ask("flow")["mark"]
    assert "has changed on disk" in ask("save", 400, text="new", mark="")["message"]
    workshop.path.unlink()
    assert ask("events")["gone_from_disk"]
    for path, given in (("save", {"text": TEXT, "mark": mark}), ("flow", {})):
        assert ask(path, 410, **given)["message"] == "flow.toml is no longer on disk"
    assert not list(workshop.path.parent.iterdir())
    assert ask("save", text="new", mark="")["mark"] == mark_of("new")
    assert workshop.path.read_text() == "new"
    found = ask("events")
    assert not found["gone_from_disk"]
    assert not found["changed_on_disk"]


@pytest.mark.parametrize("text", ["", TEXT[:7]])
def test_a_file_that_another_process_truncated_is_not_overwritten(workshop, ask, text):
    """Half a file is another file."""
    mark = ask("flow")["mark"]
    workshop.path.write_text(text)
    assert "has changed on disk" in ask("save", 400, text=TEXT, mark=mark)["message"]
    assert workshop.path.read_text() == text


def test_a_folder_that_cannot_be_written_is_told(workshop, ask, monkeypatch):
    """Nothing is written, and the message has no path of the machine."""
    mark = ask("flow")["mark"]

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refused)
    message = ask("save", 400, text="new", mark=mark)["message"]
    assert message == "flow.toml cannot be written: Permission denied"
    assert workshop.path.read_text() == TEXT


def test_an_edit_that_took_longer_than_a_later_one_is_not_taken(workshop, monkeypatch):
    """The later text is in use, whichever is read first."""
    later = TEXT.replace("email_code", "later")
    read = workshop._viewed

    def slow(text):
        if "slow" in text:
            monkeypatch.setattr(workshop, "_viewed", read)
            workshop.edit(later)
        return read(text)

    monkeypatch.setattr(workshop, "_viewed", slow)
    workshop.edit(TEXT.replace("email_code", "slow"))
    assert workshop.good.flow.name == "later"


def test_a_sign_in_outlasts_any_number_of_edits(workshop, ask):
    """A flow comes with nearly every key; only those under which a sign-in began are kept."""
    pool = workshop.pool
    begun = pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    code = workshop.inspector.answers_for("ann")[-1].text
    for attempts in range(3, 33):
        ask("edit", text=f'name = "n{attempts}"\n[[steps]]\nkind = "email_otp"\nlength = 10\n')
    given = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": {"USERNAME": "ann", "ANSWER": code}}
    assert "AuthenticationResult" in pool.respond_to_auth_challenge(
        ClientId=pool.client_id, Session=begun["Session"], **given
    )


def test_each_call_of_a_trigger_is_told(workshop, ask):
    """A host that calls three times is seen to, and one message is sent."""
    ask("host", repeats=3)
    signed_in(workshop)
    told = [each["trigger"] for each in ask("events")["events"]]
    assert told == [name for name in ("define", "create", "verify", "define") for _ in range(3)]
    assert len(workshop.inspector.mails) == 1


def steps(count):
    """So many steps, as a list of inline tables."""
    return ", ".join(f'{{kind = "captcha", name = "s{each}"}}' for each in range(count))


@pytest.mark.parametrize(
    ("block", "count", "why"),
    [("sequence", 61, "61 steps"), ("one_of", 1000, "1000 steps"), ("all_of", 8, "20000 states")],
)
def test_a_flow_that_is_too_big_is_said_to_be(ask, block, count, why):
    """Nothing of it is broken. The last one goes on; neither is it compared."""
    text = f'name = "big"\n[[steps]]\n{block} = [{steps(count)}]\n'
    view = ask("edit", text=text)
    assert view["too_large"]
    assert why in view["error"]
    assert view["playing"] != view["mark"]
    assert "too large for the studio" in ask("diff", 400, text=text)["message"]
    assert not ask("edit", text="[")["too_large"]


def test_what_cannot_be_drawn_has_its_findings_all_the_same(ask):
    """A picture of a thousand arrows is none."""
    view = ask("edit", text=f'name = "wide"\n[[steps]]\none_of = [{steps(30)}]\n')
    assert "too many for a picture" in view["undrawn"]
    assert view["findings"]
    assert view["svg"] == ""


def test_money_is_told_at_the_price_that_was_given(tmp_path):
    """A price for a channel that the flow does not use is for another one."""
    file = tmp_path / "flow.toml"
    file.write_text('name = "x"\n[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\n')
    workshop = Workshop(file, prices={"sms": MessagePrice(Decimal("0.08")), "fax": MessagePrice(Decimal(1))})
    found = dict(workshop.money())
    assert "; 0.08 USD a part" in found["cost of SMS a day"]
    assert workshop.money() is workshop.money()
    workshop.edit(TEXT)
    assert workshop.money() == []


def test_figures_are_told_as_check_tells_them(ask, capsys):
    """In the same words: what is certain is said to be, and no figure has a form of its own."""
    path = FLOWS / "captcha_only.toml"
    main(["check", str(path)])
    printed = capsys.readouterr().out
    for words, value in ask("edit", text=path.read_text())["figures"]:
        assert f"{words}  " in printed
        assert value in printed
    assert "for certain" in printed


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_session_of_a_difference_leads_through_both_diagrams(ask, path):
    """To a node that is drawn."""
    found = ask("diff", text=path.read_text())
    for each in found["differences"]:
        for side, drawn in zip(each.get("rounds", ()), found["drawn"], strict=False):
            assert side
            assert all(f'data-node="{stop["node"]}"' in drawn["svg"] for stop in side), each


def test_captured_events_are_explained(ask):
    """In any form; what cannot be read is told, and never what stands there."""
    told = ask("replay", events=json.dumps(EVENT))
    assert told["events"][0]["decision"] == "present email_otp"
    assert [each["node"] for each in told["events"][0]["rounds"]] == ["step_email_otp"]
    assert "secret-name" not in json.dumps(told)
    assert "hush" not in ask("replay", 400, events="hush {")["message"]


def test_a_log_of_many_events_is_explained_as_far_as_it_is_shown(ask):
    """That there are more is told."""
    assert not ask("replay", events=json.dumps([EVENT] * 50))["more"]
    found = ask("replay", events=json.dumps([EVENT] * 51))
    assert (len(found["events"]), found["more"]) == (50, True)


def captured(workshop, sign_in):
    """What the triggers of *workshop* were told while *sign_in* ran: a log, as JSON."""
    events, record = [], workshop.sign_ins.record
    workshop.sign_ins.record = lambda call: events.extend(run.event for run in call.runs) or record(call)
    sign_in()
    return json.dumps(events)


def explained(workshop, events):
    """What the API of *workshop* says of captured *events*."""
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))
    body = json.dumps({"events": events}).encode()
    return json.loads(api(HttpRequest("POST", "/replay", {}, {TOKEN_HEADER: TOKEN}, body)).body)


def test_events_of_an_older_flow_are_explained_by_it(tmp_path):
    """In its own diagram; without it they are events of a flow that nobody knows."""
    (tmp_path / "old.toml").write_text('name = "old"\n[[steps]]\nkind = "captcha"\n[[steps]]\nkind = "email_otp"\n')
    (tmp_path / "flow.toml").write_text(TEXT)
    old = Workshop(tmp_path / "old.toml")
    events = captured(old, lambda: answered(old, begun(old), old.inspector.answers_for("ann")[-1].text))
    unknown = explained(Workshop(tmp_path / "flow.toml"), events)
    assert all("--previous OLD" in each["why"] for each in unknown["events"][2:])
    assert not unknown["drawn"]
    found = explained(Workshop(tmp_path / "flow.toml", previous=[old.good.flow]), events)
    assert [each["flow"] for each in found["events"]] == [0, 0, 1, 1, 1]  # whatever began is the newest flow's
    assert [each["decision"] for each in found["events"][2:4]] == ["undecided", "present email_otp"]
    drawn = found["drawn"]["1"]
    assert drawn["name"] == "old"
    for each in found["events"][2:]:
        assert all(f'data-node="{stop["node"]}"' in drawn["svg"] for stop in each["rounds"])


def test_events_are_read_in_the_words_of_their_client(tmp_path):
    """As `watchword replay --dialect` reads them."""
    link = '{kind = "magic_link", redirects = {web = "https://app.example/in"}}'
    (tmp_path / "flow.toml").write_text(f'name = "either"\n[[steps]]\none_of = [{link}, {{kind = "captcha"}}]\n')
    pool = Workshop(tmp_path / "flow.toml")
    said = {"signInMethod": "MAGIC_LINK", "alreadyHaveMagicLink": "no", "redirectUri": "https://app.example/in"}
    events = captured(pool, lambda: answered(pool, begun(pool), **said))
    for dialect, decision in ((None, "select"), ("passwordless", "present magic_link")):
        found = explained(Workshop(tmp_path / "flow.toml", dialect=dialect), events)
        assert decision == found["events"][3]["decision"]


def test_two_flows_are_compared(ask):
    """What changes, a session for each, and both pictures."""
    found = ask("diff", text=(FLOWS / "captcha_only.toml").read_text())
    assert not found["same"]
    for each in found["differences"]:
        for side, drawn in zip(each.get("rounds", ()), found["drawn"], strict=False):
            assert all(f'data-node="{stop["node"]}"' in drawn["svg"] for stop in side), each
    assert any("rounds" in each for each in found["differences"])
    assert {"refused"} <= {each["kind"] for each in found["differences"]}
    assert ask("diff", text=TEXT)["same"]
    assert "no flow" in ask("diff", 400, text="[")["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7", b"\xff", b"[" * 100_000])
def test_odd_bodies_are_refused(workshop, body):
    """With a 400, and no traceback."""
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))
    assert api(HttpRequest("POST", "/edit", {}, {TOKEN_HEADER: TOKEN}, body)).status == 400


def test_a_file_that_is_broken_is_opened_to_be_mended(tmp_path):
    """With its text and its error. Nobody signs in, and nothing is explained or compared, before there is a flow."""
    file = tmp_path / "flow.toml"
    file.write_text("[")
    workshop = Workshop(file)
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))

    def ask(path, **given):
        reply = api(HttpRequest("POST", f"/{path}", {}, {TOKEN_HEADER: TOKEN}, json.dumps(given).encode()))
        return reply.status, json.loads(reply.body)

    status, found = ask("flow")
    assert (status, found["text"], found["good"]) == (200, "[", None)
    assert "line 1" in found["view"]["error"]
    assert ask("money") == (200, {"rows": []})
    for path, given in (("replay", {"events": json.dumps(EVENT)}), ("diff", {"text": TEXT})):
        assert ask(path, **given) == (400, {"message": "there is no flow in use yet: mend the text first"})
    assert isinstance(begun(workshop), UserLambdaValidationException)
    assert ask("events")[1]["channels"] == {}
    assert "svg" in ask("edit", text=TEXT)[1]
    assert "AuthenticationResult" in signed_in(workshop)[1]


def test_a_file_that_cannot_be_read_is_refused_at_the_start(tmp_path):
    """By its name."""
    with pytest.raises(ConfigurationError, match="there is no such file"):
        Workshop(tmp_path / "none.toml")
