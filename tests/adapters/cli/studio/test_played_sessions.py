"""A session that is played goes from node to node along the arrows of the diagram, to where Define would be."""

import pytest

from kit.checked_flows import BROKEN, SOUND
from watchword.analysis.checks import check
from watchword.analysis.diagram import collapsed
from watchword_adapters.cli.studio.played_sessions import played_words

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
        stops = [stop["node"] for stop in stops_of(report, finding)]
        assert set(stops) <= nodes
        for before, after in zip(["[*]", *stops], stops, strict=False):
            assert before == after or (before, after) in arrows, (finding.code, finding.session, stops)
        assert len(stops) > len(finding.session)


def test_a_word_that_is_none_of_the_flow_ends_the_session():
    """As where another flow's session is played in this one."""
    flow, _ = next(iter(FLOWS.values()))
    exploration = check(flow).exploration
    assert played_words(exploration, ["nonsense+"]) == played_words(exploration, [])
