"""The alarms: what users meet every day raises none, what an operator must know does, and each has a page to act by."""

import json
import logging
import re

import pytest

from kit.checked_flows import Toy
from kit.hosts import event, triggers_of
from kit.paths import DOCS
from kit.template_flows import KEYS
from watchword import Flow, Limits, sequence
from watchword.contract.ports import AuditEvent
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import as_line
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS
from watchword_adapters.deploy.target import Target
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

PAGE = DOCS / "how-to" / "run-it-in-production.md"
TARGET = Target("arm64", "3.12")
MAIL = Flow(sequence(Srp(), EmailOtp(length=6)), name="mail")
TEXTED = Flow(sequence(Srp(), SmsOtp(countries=("+49",))), name="texted")
COURIERS = {
    "SmsVoiceSpendingAlarm": "sms-voice://?origination=pool-0123&max_price=0.10",
    "SnsSpendingAlarm": "sns://?max_price=0.10",
}
SILENT = Flow(sequence(Srp(), Toy("pin", frozenset({"knowledge"}))), name="silent")


def resources(flow, sort, **settings):
    """Return the properties of the resources of this *sort* in the template of *flow*, by their names."""
    made = Template(flow, TARGET, **settings).document()["Resources"]
    return {name: each["Properties"] for name, each in made.items() if each["Type"] == f"AWS::{sort}"}


def matches(pattern, line):
    """Say whether a metric filter with *pattern* counts *line*: an expression between % or a phrase in quotes."""
    expression = re.fullmatch(r"%([\w]+)%", pattern)
    return expression[1] in line if expression else json.loads(pattern) in line


def test_alarms_are_those_that_the_flow_needs():
    """They are made if there is a topic to tell; messages are watched only where there are messages."""
    functions = {
        f"{trigger.capitalize()}{what}" for trigger in POOL_TRIGGERS for what in ("Errors", "Throttles", "Slow")
    }
    always = functions | {"FailuresAlarm", "LocksAlarm", "SignInsStoppedAlarm"}
    assert always == set(resources(SILENT, "CloudWatch::Alarm"))
    mail = resources(MAIL, "CloudWatch::Alarm")
    assert always | {"CourierFailuresAlarm", "RecipientsRefusedAlarm", "MessagesRefusedAlarm"} == set(mail)
    assert all([{"Ref": "AlarmTopicArn"}] == each["AlarmActions"] for each in mail.values())
    document = Template(MAIL, TARGET).document()
    assert {"Alarmed"} == {document["Resources"][name].get("Condition") for name in mail}
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]} == document["Conditions"]["Alarmed"]
    assert {"notBreaching"} == {each["TreatMissingData"] for each in mail.values()}


@pytest.mark.parametrize("flow", [MAIL, SILENT])
def test_what_an_alarm_watches_is_there(flow):
    """Each metric of our own comes from a filter of the same name, over a log of the template."""
    filters = resources(flow, "Logs::MetricFilter")
    logs = set(resources(flow, "Logs::LogGroup"))
    assert {each["LogGroupName"]["Ref"] for each in filters.values()} <= logs
    made = {each["MetricTransformations"][0]["MetricName"] for each in filters.values()}
    watched = set()
    for alarm in resources(flow, "CloudWatch::Alarm").values():
        for query in alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}]):
            metric = query.get("MetricStat", {}).get("Metric", {"Namespace": "AWS/Lambda"})
            if metric["Namespace"] != "AWS/Lambda":
                watched.add(metric["MetricName"])
    assert made == watched


@pytest.mark.parametrize("flow", [MAIL, SILENT])
def test_an_alarm_by_an_expression_names_its_metrics(flow):
    """One result; every name in it is a metric beside it, and the periods are the same."""
    for alarm in resources(flow, "CloudWatch::Alarm").values():
        if "Metrics" not in alarm:
            continue
        results = [each for each in alarm["Metrics"] if each["ReturnData"]]
        sources = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if not each["ReturnData"]}
        assert 1 == len(results)
        assert set(sources) == set(re.findall(r"[a-z]\w*", results[0]["Expression"]))
        assert 1 == len({each["Period"] for each in sources.values()})
        assert not {"MetricName", "Namespace", "Period", "Statistic", "Dimensions"} & set(alarm)


def test_a_log_has_no_more_filters_than_are_allowed():
    """Five by expression for each log group (CloudWatch Logs, filter pattern syntax), of letters that one may hold."""
    expressions = {}
    for each in resources(MAIL, "Logs::MetricFilter").values():
        if each["FilterPattern"].startswith("%"):
            assert re.fullmatch(r"%[a-z_]+%", each["FilterPattern"])
            expressions.setdefault(each["LogGroupName"]["Ref"], []).append(each)
    assert all(5 >= len(each) for each in expressions.values())


def test_a_filter_counts_its_events_and_no_others():
    """By the lines that the audit writes; a success after a wrong answer is one, running out of tries is a failure."""
    counted = {
        "Successes": {"authn_login_success", "authn_login_successafterfail"},
        "Failures": {"authn_login_fail", "authn_login_fail_max"},
        "Locks": {"authn_login_lock"},
        "CourierFailures": {"sys_courier_failed"},
        "RecipientsRefused": {"sys_message_refused"},
        "MessagesRefused": {"excess_rate_limit_exceeded"},
        "TryLater": set(),
    }
    names = set(re.findall(r"^\| `(\w+)` \|", (PAGE.parents[1] / "reference" / "audit.md").read_text(), re.MULTILINE))
    assert set().union(*counted.values()) <= names
    for each in resources(MAIL, "Logs::MetricFilter").values():
        lines = {name: as_line(AuditEvent(name, 1.0, "acme", "u", "REF", {"step": "code"})) for name in names}
        found = {name for name, line in lines.items() if matches(each["FilterPattern"], line)}
        assert counted[each["MetricTransformations"][0]["MetricName"]] == found


def test_try_later_is_no_error_in_the_alarm(caplog):
    """Cognito shows it to a client only if the function fails: so many failures of Create are taken off, and no others."""
    clock = VirtualClock()
    flow = Flow(EmailOtp(), limits=Limits(messages="1/day"))
    made = triggers_of(flow, clock=clock, audit=None)  # the log
    given = event("create", challengeName="CUSTOM_CHALLENGE", session=[])
    raised = []
    with caplog.at_level(logging.INFO):
        for _ in range(4):
            try:
                made.create(given)
            except TriggerError as error:
                raised.append(str(error))
            clock.advance(3600)
        with pytest.raises(TriggerError, match="BAD_REQUEST"):
            made.create({**given, "triggerSource": "PostConfirmation_ConfirmSignUp"})
    assert ["TRY_LATER"] * 3 == [each.split()[0] for each in raised]
    lines = [record.getMessage() for record in caplog.records]
    filters = resources(MAIL, "Logs::MetricFilter")
    assert 3 == sum(matches(filters["TryLaterMetric"]["FilterPattern"], line) for line in lines)
    assert 3 == sum(matches(filters["MessagesRefusedMetric"]["FilterPattern"], line) for line in lines)
    watched = resources(MAIL, "CloudWatch::Alarm")
    assert "errors - FILL(excused, 0)" == watched["CreateErrors"]["Metrics"][-1]["Expression"]
    assert "Errors" == watched["VerifyErrors"]["MetricName"]


@pytest.mark.parametrize(("alarm", "url"), COURIERS.items())
def test_what_sms_cost_has_an_alarm(alarm, url):
    """At a sum that is a parameter, on what the service has spent in this month; the greatest value, since it only grows."""
    watched = resources(TEXTED, "CloudWatch::Alarm", courier=url)
    (name,) = {each for each in watched if "Spending" in each}
    assert alarm == name
    assert ({"Ref": "SmsSpendingUsd"}, "Maximum", []) == tuple(
        watched[name][each] for each in ("Threshold", "Statistic", "Dimensions")
    )
    assert "Number" == Template(TEXTED, TARGET, courier=url).document()["Parameters"]["SmsSpendingUsd"]["Type"]


def test_the_metric_of_each_service_is_its_own():
    """As AWS's documentation names them."""
    named = {
        name: (each["Namespace"], each["MetricName"])
        for url in COURIERS.values()
        for name, each in resources(TEXTED, "CloudWatch::Alarm", courier=url).items()
        if name in COURIERS
    }
    voice, sns = ("AWS/SMSVoice", "TextMessageMonthlySpend"), ("AWS/SNS", "SMSMonthToDateSpentUSD")
    assert {"SmsVoiceSpendingAlarm": voice, "SnsSpendingAlarm": sns} == named


def test_mail_has_no_alarm_on_spending():
    """Nor a parameter for one."""
    assert not any("Spending" in each for each in resources(MAIL, "CloudWatch::Alarm"))
    assert "SmsSpendingUsd" not in Template(MAIL, TARGET).document()["Parameters"]


@pytest.mark.parametrize("url", COURIERS.values())
def test_alarms_call_a_message_by_its_channel(url):
    """Nobody is told of mail by a flow that sends SMS."""
    told = [each["AlarmDescription"] for each in resources(TEXTED, "CloudWatch::Alarm", courier=url).values()]
    assert not [each for each in told if re.search(r"\bmails?\b", each)]
    assert any("SMS" in each for each in told)


def test_every_alarm_has_a_paragraph_of_what_to_do():
    """Under its name, in the guide that the alarm's description names."""
    page = PAGE.read_text()
    alarms = resources(MAIL, "CloudWatch::Alarm")
    alarms |= resources(KEYS, "CloudWatch::Alarm", credentials_api=True, dialect="passwordless")
    alarms |= {
        name: each
        for url in COURIERS.values()
        for name, each in resources(TEXTED, "CloudWatch::Alarm", courier=url).items()
    }
    for name, alarm in alarms.items():
        section = re.search(rf"^### [^\n]*`{name}`[^\n]*\n\n(.+?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        assert section, name
        assert "**Do:**" in section[1], name
        assert "Run it in production" in alarm["AlarmDescription"]
    named = set(re.findall(r"`(\w+(?:Errors|Throttles|Slow|Alarm))`", page))
    assert named == set(alarms)
