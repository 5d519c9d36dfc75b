"""Audit sinks: one line for each event, and a sink that fails changes nothing."""

import io
import itertools
import json
import logging
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Flow
from watchword.algebra import derivative
from watchword.contract.ports import AuditEvent
from watchword_adapters.audit import AuditFanOut, MemoryAudit, NoAudit, StructuredLog, as_line
from watchword_adapters.deploy.build import define_handler
from watchword_plugins.email_otp import EmailOtp

EVENT = AuditEvent("authn_login_fail", 1000.5, "acme", "0123", "ABCDEFGH", {"step": "email_otp"})


class Broken:
    def __init__(self, error):
        self.error = error

    def record(self, event):
        raise self.error


def test_an_event_is_logged_as_one_line_of_json(caplog):
    """The line holds the name, time, flow, user, reference and detail, at INFO."""
    StructuredLog().record(EVENT)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("watchword.audit", logging.INFO)
    assert json.loads(record.getMessage()) == {
        "event": "authn_login_fail",
        "at": 1000.5,
        "flow": "acme",
        "user": "0123",
        "ref": "ABCDEFGH",
        "detail": {"step": "email_otp"},
    }


def test_what_is_empty_is_left_out():
    """An event without user, reference and detail is short."""
    assert as_line(AuditEvent("sys_startup", 1.0, "acme")) == '{"event": "sys_startup", "at": 1.0, "flow": "acme"}'


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_one_event_is_one_line_whatever_it_holds(name, flow, detail):
    """Line ends, escapes and controls of every sort are escaped and come back as they were (L-02)."""
    line = as_line(AuditEvent(name, 1.0, flow, detail=detail))
    assert line.isascii()
    assert line.isprintable()
    said = json.loads(line)
    assert (said["event"], said["flow"], said.get("detail", {})) == (name, flow, detail)


@pytest.mark.parametrize("hostile", ["\r\nfake", "\x1b[2J", "\x7f", "\x85", "\u2028", "\ud800", '"}', "%s %d"])
def test_hostile_text_is_logged_as_text(caplog, hostile):
    """Nothing in an event ends the line, moves the cursor or is taken for a format."""
    StructuredLog().record(AuditEvent("n", 1.0, hostile, detail={hostile: hostile}))
    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert json.loads(message)["detail"] == {hostile: hostile}


def test_a_fact_that_is_no_text_is_written_as_text():
    """A plugin that puts something else into the detail loses no event."""
    assert json.loads(as_line(AuditEvent("n", 1.0, "f", detail={"count": {1}})))["detail"] == {"count": "{1}"}


def test_a_level_that_was_set_is_kept(caplog):
    """Whoever silenced the audit logger has silenced it."""
    logging.getLogger("quiet.audit").setLevel(logging.ERROR)
    StructuredLog("quiet.audit").record(EVENT)
    assert caplog.records == []


def by_the_engine():
    """Record an event as Create and Verify do."""
    StructuredLog().record(EVENT)


def by_the_define_function():
    """Record the end of a sign-in as a built Define function does: one round that no flow knows."""
    flow = Flow(EmailOtp(), name="acme")
    request = {"userAttributes": {}, "session": [{"challengeName": "X", "challengeResult": True}]}
    define_handler.define_event(
        {"userName": "ann", "request": request}, [(flow.name, flow.program)], derivative.evaluate_session
    )


def handlers(name, kept):
    """Return the handlers that a runtime may have set up, and whether they write what is at INFO."""
    writing, severe = logging.StreamHandler(kept), logging.StreamHandler(kept)
    severe.setLevel(logging.WARNING)
    return {"none": [], "null": [logging.NullHandler()], "severe": [severe], "writing": [severe, writing]}[name]


@pytest.mark.parametrize("record", [by_the_engine, by_the_define_function])
@pytest.mark.parametrize("propagates", [True, False])
def test_in_lambda_an_event_reaches_the_log_once_whatever_the_runtime_set_up(record, propagates, monkeypatch, capsys):
    """Whichever loggers have a handler, and whatever the root's level is: one line, and with two writers one each."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "acme")
    loggers = [logging.getLogger(), logging.getLogger("watchword"), logging.getLogger("watchword.audit")]
    monkeypatch.setattr(loggers[1], "propagate", propagates)
    for named in itertools.product(["none", "null", "severe", "writing"], repeat=3):
        kept = io.StringIO()
        for logger, name in zip(loggers, named, strict=True):
            monkeypatch.setattr(logger, "handlers", handlers(name, kept))
        record()
        heard = [name for name, heard in zip(named, (propagates, True, True), strict=True) if heard]
        lines = kept.getvalue().splitlines() + capsys.readouterr().out.splitlines()
        assert max(1, heard.count("writing")) == len(lines), named
        assert all(json.loads(line)["event"] == "authn_login_fail" for line in lines)


@pytest.mark.parametrize("record", [by_the_engine, by_the_define_function])
def test_a_program_outside_lambda_and_a_silenced_logger_print_nothing(record, monkeypatch, capsys):
    """Standard output is the program's own, and who silenced the audit in Lambda has silenced it."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    record()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "acme")
    logging.getLogger("watchword.audit").setLevel(logging.ERROR)
    try:
        record()
    finally:
        logging.getLogger("watchword.audit").setLevel(logging.INFO)
    assert ("", "") == capsys.readouterr()


def test_no_audit_forgets_and_memory_audit_keeps():
    """The one keeps nothing, the other everything in order."""
    NoAudit().record(EVENT)
    memory = MemoryAudit()
    memory.record(EVENT)
    memory.record(AuditEvent("second", 2.0, "acme"))
    assert memory.names() == ["authn_login_fail", "second"]
    assert memory.events[0] is EVENT


@pytest.mark.parametrize("error", [OSError("disk"), RecursionError(), SystemExit(1), MemoryError()])
def test_a_sink_that_raises_changes_nothing_and_is_counted(error):
    """The sinks before and after it have the event, the caller sees nothing, and the failure is counted."""
    before, after = MemoryAudit(), MemoryAudit()
    audit = AuditFanOut([before, Broken(error), after])
    audit.record(EVENT)
    audit.record(EVENT)
    assert (before.events, after.events, audit.failures) == ([EVENT] * 2, [EVENT] * 2, 2)


def test_failures_of_many_threads_are_all_counted():
    """No failure is lost."""
    audit = AuditFanOut([Broken(OSError())])
    threads = [Thread(target=lambda: [audit.record(EVENT) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.failures == 1600


def test_an_interrupt_gets_through():
    """Ctrl-C still ends the program."""
    with pytest.raises(KeyboardInterrupt):
        AuditFanOut([Broken(KeyboardInterrupt())]).record(EVENT)
