"""The alarms of a template: on the functions' own metrics, and on what the audit and the log say, counted by filters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from watchword.contract.messages.channel_names import words_for
from watchword_adapters.deploy.stack.http_api import logical_name

_Json = dict[str, Any]

ALARMED = "Alarmed"
"""The condition that there is a topic: an alarm that tells nobody is not made."""

FAILURES_AN_HOUR = 1000
SLOW = 4000
"""Milliseconds: Cognito calls again after five seconds."""
STOPPED = 1800
"""Seconds without a success, while there are attempts, after which sign-ins are taken to have stopped."""
_ATTEMPTS = 20
"""Calls of Define in half of this time that are traffic and no single user: a sign-in has two or more."""

_SPENDING = {
    "sms-voice": ("SmsVoiceSpending", "AWS/SMSVoice", "TextMessageMonthlySpend"),
    "sns": ("SnsSpending", "AWS/SNS", "SMSMonthToDateSpentUSD"),
}
"""By the scheme of a courier that is paid for each part: the alarm, and the metric of what the account has spent in this month."""
SPENT = "SmsSpendingUsd"
SPENDING_PARAMETER: _Json = {
    "Type": "Number",
    "Default": 20,
    "MinValue": 0,
    "Description": "US dollars for SMS in one month, by all of the account in the region, at which the alarm goes off",
}


def are_paid(schemes: Iterable[str]) -> bool:
    """Say whether one of the couriers of *schemes* costs money for each part, so that spending has an alarm."""
    return not _SPENDING.keys().isdisjoint(schemes)


_OWN = {"Fn::Sub": "Watchword/${AWS::StackName}"}
_TRY_LATER = '"ended with TRY_LATER"'


def alarms(
    triggers: Iterable[str],
    apis: Iterable[str] = (),
    *,
    sends: bool,
    channels: Collection[str] = (),
    schemes: Iterable[str] = (),
) -> Iterator[tuple[str, _Json]]:
    """Give the metric filters and the alarms of *triggers* and *apis*, by their logical names.

    *sends* says whether a kind sends, *channels* by which, and *schemes* by which couriers.
    """
    for trigger in triggers:
        yield from _function(trigger, excused="TryLater" if sends and trigger == "create" else "")
        slow = _metric("AWS/Lambda", "Duration", of=_of(trigger), statistic="Maximum")
        why = f"{trigger} nears the five seconds after which Cognito calls again"
        yield f"{trigger.capitalize()}Slow", _alarm(why, SLOW, slow)
    for api in apis:
        yield from _function(api)
    yield from _counted(
        "Failures", "Define", "authn_login_fail", FAILURES_AN_HOUR, "more sign-ins fail than by mistake"
    )
    yield from _counted("Locks", "Verify", "authn_login_lock", 20, "the guesses of users are used up")
    if sends:
        yield from _counted(
            "CourierFailures", "Create", "sys_courier_failed", 5, f"{words_for(channels)}: not accepted"
        )
        yield from _counted(
            "MessagesRefused",
            "Create",
            "excess_rate_limit_exceeded",
            50,
            f"somebody asks for more {words_for(channels)} than users do",
        )
        yield from _counted(
            "RecipientsRefused", "Create", "sys_message_refused", 20, "addresses or messages are refused"
        )
        for scheme in _SPENDING.keys() & set(schemes):
            name, space, metric = _SPENDING[scheme]
            # What was spent since the month began: it only grows, so the greatest is the last.
            spent = _metric(space, metric, statistic="Maximum", seconds=3600)
            yield f"{name}Alarm", _alarm("SMS have cost as much as was planned for the month", {"Ref": SPENT}, spent)
        yield "TryLaterMetric", _filter("TryLater", "Create", _TRY_LATER)
    yield "SuccessesMetric", _filter("Successes", "Define", _event("authn_login_success"))
    yield "SignInsStoppedAlarm", _stopped()


def _of(function: str) -> list[_Json]:
    return [{"Name": "FunctionName", "Value": {"Ref": f"{logical_name(function)}Function"}}]


def _function(trigger: str, *, excused: str = "") -> Iterator[tuple[str, _Json]]:
    name, of = logical_name(trigger), _of(trigger)
    errors = _metric("AWS/Lambda", "Errors", of=of)
    why = f"{trigger} ends with errors"
    if excused:
        # A user who is told to try later is told so by an error: Cognito knows no other way. It is no fault.
        unexpected = [
            _query("errors", errors),
            _query("excused", _metric(_OWN, excused)),
            _result("unexpected", "errors - FILL(excused, 0)"),
        ]
        yield f"{name}Errors", _alarm(why, 5, {"Metrics": unexpected})
    else:
        yield f"{name}Errors", _alarm(why, 5, errors)
    yield f"{name}Throttles", _alarm(f"{trigger} is throttled", 1, _metric("AWS/Lambda", "Throttles", of=of))


def _counted(metric: str, logs: str, event: str, threshold: int, why: str) -> Iterator[tuple[str, _Json]]:
    yield f"{metric}Metric", _filter(metric, logs, _event(event))
    yield f"{metric}Alarm", _alarm(why, threshold, _metric(_OWN, metric, seconds=3600))


def _stopped() -> _Json:
    of = _of("define")
    period = STOPPED // 2
    metrics = [
        _query("attempts", _metric("AWS/Lambda", "Invocations", of=of, seconds=period)),
        _query("successes", _metric(_OWN, "Successes", seconds=period)),
        _result("stopped", f"IF(attempts >= {_ATTEMPTS} AND FILL(successes, 0) == 0, 1, 0)"),
    ]
    return _alarm("nobody signs in, though people try", 1, {"Metrics": metrics, "EvaluationPeriods": 2})


def _event(name: str) -> str:
    # A search by pattern: an audit event is JSON behind the runtime's own words.
    return f"%{name}%"


def _metric(
    space: object, name: str, *, of: list[_Json] | None = None, statistic: str = "Sum", seconds: int = 300
) -> _Json:
    return {
        "Namespace": space,
        "MetricName": name,
        "Dimensions": of or [],
        "Statistic": statistic,
        "Period": seconds,
    }


def _query(name: str, metric: _Json) -> _Json:
    of = {each: metric[each] for each in ("Namespace", "MetricName", "Dimensions") if metric[each]}
    stat = {"Metric": of, "Stat": metric["Statistic"], "Period": metric["Period"]}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def _result(name: str, expression: str) -> _Json:
    return {"Id": name, "Expression": expression, "Label": name, "ReturnData": True}


def _alarm(why: str, threshold: int | _Json, watched: _Json) -> _Json:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": ALARMED,
        "Properties": {
            "AlarmDescription": f"Watchword: {why}; what to do is in the guide Run it in production, under Alarms",
            "EvaluationPeriods": 1,
            **watched,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AlarmTopicArn"}],
        },
    }


def _filter(metric: str, logs: str, pattern: str) -> _Json:
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": {"Ref": f"{logs}Logs"},
            "FilterPattern": pattern,
            "MetricTransformations": [
                {"MetricName": metric, "MetricNamespace": _OWN, "MetricValue": "1", "DefaultValue": 0}
            ],
        },
    }
