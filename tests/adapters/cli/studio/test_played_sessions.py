"""A session that is played goes from node to node along the arrows of the diagram, to where Define would be."""

import pytest

from kit.checked_flows import BROKEN, SOUND
from watchword import Flow, one_of, sequence
from watchword.analysis.checks import check
from watchword.analysis.diagram import collapsed
from watchword_adapters.cli.studio.played_sessions import played_words
from watchword_adapters.drawing.layout import BEGIN
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp

FLOWS = {name: (flow, asked) for name, (flow, asked, *_) in {**BROKEN, **SOUND}.items()}


def stops_of(report, finding):
    return played_words(
        report.exploration,
        finding.session,
        attributes=finding.attributes,
        client=finding.client,
        choice=finding.choice,
        enrolled=finding.enrolled,
    )


@pytest.mark.parametrize("name", FLOWS)
def test_each_finding_is_played_along_the_arrows(name):
    """Also those with attributes, clients, choices and what is enrolled."""
    flow, asked = FLOWS[name]
    report = check(flow, **asked)
    diagram = collapsed(report.exploration)
    arrows = {(edge.source, edge.target) for edge in diagram.edges}
    nodes = {node.id for node in diagram.nodes}
    for finding in report.findings:
        if finding.session is None:
            continue
        stops = stops_of(report, finding)
        assert {stop["node"] for stop in stops} <= nodes
        for before, stop in zip([BEGIN, *(stop["node"] for stop in stops)], stops, strict=False):
            assert stop["came"] == before or (not stop["came"] and before == stop["node"]), (finding.code, stops)
            assert not stop["came"] or (before, stop["node"]) in arrows, (finding.code, finding.session, stops)
        assert len(stops) > len(finding.session)


@pytest.mark.parametrize("words", ["email_otp+", "captcha+ captcha+"])
def test_a_round_that_breaks_the_sign_in_comes_along_no_arrow(words):
    """The arrow from there to the failure is for tries that are used up."""
    stops = played_words(check(Flow(sequence(Captcha(), EmailOtp()), name="two")).exploration, words.split())
    assert (stops[-1]["node"], stops[-1]["came"]) == ("fail", "")
    assert "broken" in stops[-1]["why"]
    tries = played_words(check(Flow(sequence(Captcha(), EmailOtp()), name="two")).exploration, ["captcha-"] * 3)
    assert (tries[-1]["node"], tries[-1]["came"]) == ("fail", "step_captcha")


def test_a_choice_that_comes_with_a_resend_is_followed():
    """The diagram has an arrow for it: the client asks for another message, of another step."""
    flow = Flow(one_of(EmailOtp(), SmsOtp(countries=("+49",))), name="either")
    exploration = check(flow).exploration
    stops = played_words(exploration, ["email_otp~", "sms_otp+"])
    assert [each["node"] for each in stops] == ["choose_email_otp", "step_email_otp", "step_sms_otp", "tokens"]
    assert [each["came"] for each in stops] == ["[*]", "choose_email_otp", "step_email_otp", "step_sms_otp"]


def test_a_word_that_is_none_of_the_flow_breaks_the_session():
    """As where another flow's session is played in this one."""
    exploration = check(Flow(sequence(Captcha(), EmailOtp()), name="two")).exploration
    *begin, last = played_words(exploration, ["sms_otp+", "captcha+"])
    assert begin == played_words(exploration, [])
    assert (last["word"], last["node"], last["came"]) == ("sms_otp+", "fail", "")
