"""`watchword trace` and `watchword who`: from the screen to the log lines, and from a user to the digest and back."""

import base64
import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY, Mail, Post
from watchword import Flow, UnavailableError
from watchword.contract.kinds import User
from watchword.runtime.keyring import Keyring
from watchword.runtime.services import user_key
from watchword.runtime.wire import reference
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.cli import main
from watchword_adapters.cli.commands.trace import _lines_about

REF = reference("somebody's claim")
OTHER = reference("another's claim")
EVENT = {"event": "authn_login_fail", "at": 1800000000.5, "flow": "acme", "user": "5f1c", "ref": REF}
EVENT["detail"] = {"step": "email_otp", "reason": "wrong"}
TOLD = "2027-01-15T08:00:00.500+00:00 authn_login_fail flow=acme step=email_otp reason=wrong user=5f1c"
FORMS = {
    "bare": json.dumps(EVENT),
    "behind a level": "INFO:watchword.audit:" + json.dumps(EVENT),
    "as Lambda logs text": "[INFO]\t2027-01-15T08:00:00.500Z\t7c1f0a52\t" + json.dumps(EVENT),
    "as Lambda logs JSON": json.dumps({"level": "INFO", "message": json.dumps(EVENT)}),
    "as filter-log-events prints it": '            "message": ' + json.dumps(json.dumps(EVENT) + "\n") + ",",
}


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS)
def test_an_event_is_found_in_whatever_a_log_puts_around_it(line, tmp_path, capsys):
    """It is told in words: when, what, and the short facts."""
    log = tmp_path / "service.log"
    log.write_text(f"nothing\n{line}\n{line.replace(REF, OTHER)}\nx{REF}x\n")
    assert 0 == main(["trace", REF.lower(), str(log)])
    assert TOLD == capsys.readouterr().out.strip()


def replies(message):
    """Return what the AWS command line prints of a log event of *message*, by the command and the form of its output."""
    entry = {"logStreamName": "2027/01/15/[$LATEST]7c1f", "timestamp": 1800000000500, "message": message}
    insights = {"results": [[{"field": "@timestamp", "value": "2027"}, {"field": "@message", "value": message}]]}
    for reply in (
        {"events": [entry], "searchedLogStreams": []},
        {"events": [entry, entry]},
        insights,
        [message],
        [entry],
    ):
        for indent in (None, 4, "\t"):
            yield json.dumps(reply, indent=indent)


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS)
def test_an_event_is_found_in_whatever_a_reply_of_cloudwatch_puts_around_it(line, tmp_path, capsys):
    """On one line or over many, one reply or several: nothing but the event is printed, and nothing of another reference."""
    log = tmp_path / "reply.json"
    for reply in replies(line + "\n"):
        log.write_text(f"nothing\n{reply}\n{reply.replace(REF, OTHER)}\n{reply}")
        assert 0 == main(["trace", REF, str(log)])
        assert {TOLD} == set(capsys.readouterr().out.splitlines())


def test_what_is_json_over_many_lines_and_no_event_is_told_by_its_name(tmp_path, capsys):
    """A trigger's event holds the reference under a name; a text of several words is told as it is, a bracket alone as nothing."""
    log = tmp_path / "event.json"
    log.write_text(
        json.dumps({"response": {"ref": REF, "of": 3}, "log": f"create ended (ref {REF})"}, indent=2)
        + f"\n[\nx {REF}\n"
    )
    assert 0 == main(["trace", REF, str(log)])
    assert [f"ref={REF}", f"create ended (ref {REF})", f"x {REF}"] == capsys.readouterr().out.splitlines()


def test_an_event_that_jq_printed_over_many_lines_is_told(tmp_path, capsys):
    """Whatever the order of its keys."""
    log = tmp_path / "event.json"
    log.write_text(json.dumps(EVENT, indent=2, sort_keys=True))
    assert 0 == main(["trace", REF, str(log)])
    assert sorted(TOLD.split()) == sorted(capsys.readouterr().out.split())


@pytest.mark.parametrize("before", ["", "INFO:watchword.audit:"])
def test_a_torn_line_is_said_to_be_torn(before):
    """Wherever it ends; a whole one is told in words."""
    whole = json.dumps({**EVENT, "last": "of all"})
    for end in range(whole.index(REF) + len(REF), len(whole)):
        (told,) = _lines_about(REF, [f"{before}{whole[:end]}\n"])
        assert told == f"{before}{whole[:end]} (torn: the line ends before its event does)"
    assert [f"{TOLD}"] == list(_lines_about(REF, [f"{before}{whole}\n"]))
    assert [f"a line about {REF}"] == list(_lines_about(REF, [f"a line about {REF}\n"]))


def test_every_line_of_a_failed_call_is_found_by_the_reference_of_its_client(caplog, monkeypatch, capsys):
    """The audit event with the reason, and the line of the function: both, and nothing of another call."""
    made = triggers(
        Flow(Mail()), key=KEY, environment={}, pad_to=0, courier=Post(UnavailableError("x", reason="sandbox"))
    )
    event = {"userPoolId": "us-east-1_A", "userName": "ann", "request": {"userAttributes": ANN}}
    with caplog.at_level(logging.INFO), pytest.raises(TriggerError) as first:
        made.create(event)
    with caplog.at_level(logging.INFO), pytest.raises(TriggerError):
        made.create({**event, "userName": "bob", "request": {"userAttributes": {**ANN, "sub": "2"}}})
    monkeypatch.setattr("sys.stdin", io.StringIO(caplog.text))
    assert 0 == main(["trace", str(first.value)[-9:-1], "-"])
    out = capsys.readouterr().out
    assert ["sys_courier_failed" in line for line in out.splitlines()] == [True, False]
    assert "reason=sandbox" in out
    assert "create ended with UNAVAILABLE" in out


def test_what_to_ask_cloudwatch_is_printed_for_each_log_group(capsys):
    """One query for Insights, and a command a group, whichever way they are named."""
    assert 0 == main(["trace", REF, "--stack", "acme"])
    out = capsys.readouterr().out
    assert f"filter @message like /{REF}/" in out
    assert [f"/aws/lambda/acme-{each}" in out for each in ("define", "create", "verify")] == [True] * 3
    assert 0 == main(["trace", REF, "--log-group", "/aws/my group", "--log-group", "/b"])
    out = capsys.readouterr().out
    assert ("'/aws/my group'" in out, "name /b" in out, "STACK" in out) == (True, True, False)
    assert 0 == main(["trace", REF])
    assert "--stack NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["AEIOUAEI"], "eight letters"),
        (["BCDF"], "eight letters"),
        ([REF, "missing.log"], "missing.log"),
        ([REF, "missing.log", "--stack", "acme"], "--stack"),
    ],
)
def test_what_is_given_wrongly_is_named(arguments, words, capsys):
    """Status 2, one line, nothing printed."""
    assert 2 == main(["trace", *arguments])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert words in err


def test_no_line_is_status_one(tmp_path, capsys):
    """Whoever pipes it on can tell that nothing was found."""
    (tmp_path / "log").write_text("nothing\n")
    assert 1 == main(["trace", REF, str(tmp_path / "log")])
    assert REF in capsys.readouterr().err


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.integers()))
def test_a_line_of_a_log_stays_one_line_and_moves_no_terminal(before, after, detail):
    """Whatever stands in a log, and whatever an event holds: one printable line each."""
    event = {**EVENT, "event": before, "at": after, "detail": detail}
    for line in (f"{before} {REF} {after}", f"{before} {json.dumps(event)}"):
        for shown in _lines_about(REF, [line]):
            assert shown.isprintable()


POOL, SUB = "us-east-1_AbCdEf123", "7c1f0a52-0000-4000-8000-93a1f1d7c1aa"


@pytest.fixture(autouse=True)
def the_key(monkeypatch):
    """The key of the triggers is in the environment, and no ledger is."""
    monkeypatch.setenv("WATCHWORD_KEY", base64.b64encode(KEY).decode())
    monkeypatch.delenv("WATCHWORD_LEDGER", raising=False)


def test_a_user_is_told_by_the_digest_of_the_audit(capsys):
    """The digest is the one that events have, for a sub and for a name that nobody has."""
    ring = Keyring.of(KEY)
    assert 0 == main(["who", SUB, "--pool", POOL])
    assert f"{user_key(ring, POOL, User('', {'sub': SUB}))} {SUB}\n" == capsys.readouterr().out
    assert 0 == main(["who", "Bob", "--name", "--pool", POOL, "--json"])
    assert {"Bob": user_key(ring, POOL, User("bob", known=False))} == json.loads(capsys.readouterr().out)


def test_a_digest_is_found_among_the_users_it_may_be(monkeypatch, capsys):
    """Of many users on standard input only the one is printed; nobody's digest is status 1."""
    digest = user_key(Keyring.of(KEY), POOL, User("", {"sub": SUB}))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"one\n{SUB}\n\nthree\n"))
    assert 0 == main(["who", "-", "--pool", POOL, "--digest", digest[:12].upper()])
    assert f"{digest} {SUB}\n" == capsys.readouterr().out
    assert 1 == main(["who", "one", "--pool", POOL, "--digest", digest])
    assert "" == capsys.readouterr().out


def test_standard_input_is_read_like_a_file(monkeypatch, capsys):
    """Whatever the locale says: as UTF-8, without the mark at the beginning; a user whose name is no text is nobody."""

    def given(data, locale="latin-1"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), locale, "surrogateescape"))

    digest = user_key(Keyring.of(KEY), POOL, User("jörg", known=False))
    given("\ufeffjörg\r\n".encode())
    assert 0 == main(["who", "-", "--name", "--pool", POOL])
    assert f"{digest} jörg\n" == capsys.readouterr().out
    given(b"j\xf6rg\n")
    assert 2 == main(["who", "-", "--name", "--pool", POOL])
    assert "- cannot be read: it is no UTF-8" in capsys.readouterr().err
    given(b"\xef\xbb\xbf" + json.dumps(EVENT).encode() + b"\n\xff\n")
    assert 0 == main(["trace", REF, "-"])
    assert TOLD in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x", "--pool", "nowhere"], "--pool"),
        (["", "--pool", POOL], "USER"),
        (["x", "--pool", POOL, "--digest", "xyz"], "--digest"),
    ],
)
def test_a_wrong_argument_of_who_is_named(arguments, words, capsys):
    """Status 2, and nothing printed."""
    assert 2 == main(["who", *arguments])
    out, err = capsys.readouterr()
    assert ("", True) == (out, words in err)


def test_without_the_key_nobody_is_named(monkeypatch, capsys):
    """Digests are made with the key of the triggers."""
    monkeypatch.delenv("WATCHWORD_KEY")
    assert 2 == main(["who", "x", "--pool", POOL])
    assert "WATCHWORD_KEY" in capsys.readouterr().err
