"""Every unsound flow is caught by its finding, with the session that shows it; no sound flow is called unsound."""

import re

import pytest

from kit.checked_flows import BROKEN, SOUND
from kit.paths import FLOWS
from kit.sessions import judged
from watchword import check, load_flow
from watchword.analysis.findings import CODES


def facts_and_who(flow):
    """Give every (facts, attributes, client) that the conditions of *flow* tell apart."""
    subjects = [{}], [""]
    for condition in flow.conditions:
        if condition[0] == "client":
            subjects[1].append(condition[1])
        else:
            subjects[0].append({condition[1]: condition[2]})
    for attributes in subjects[0]:
        for client in subjects[1]:
            held = [
                client == each[1] if each[0] == "client" else attributes.get(each[1]) == each[2]
                for each in flow.conditions
            ]
            yield "".join("01"[each] for each in held), attributes, client


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_flow_is_caught(name):
    """By its own finding, as serious as it is, with the shortest session, which really does what it says."""
    flow, asked, code, words = BROKEN[name]
    (finding, *_) = [each for each in check(flow, **asked).findings if each.code == code]
    assert CODES[code][0] == finding.severity
    assert (None if words is None else tuple(words.split())) == finding.session
    if CODES[code][0] == "error":
        assert check(flow, **asked).errors
    if words and code != "WW201":
        tokens = [
            judged(words, flow, attributes=attributes, client=app, facts=facts)
            for facts, attributes, app in facts_and_who(flow)
        ]
        assert ("tokens",) in tokens


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_flow_has_no_error(name):
    """Whatever it is warned of, nothing is called unsound."""
    flow, asked = SOUND[name]
    assert () == check(flow, **asked).errors


def test_there_are_enough_of_both():
    """At least twenty broken ones and ten sound ones, of every block; and every error but two that no flow can show.

    Those on enrolment have a file of their own, `test_enrolment_rules.py`, and so has the length of sessions.
    """
    assert len(BROKEN) >= 20
    assert len(SOUND) >= 10
    caught = {code for _, _, code, _ in BROKEN.values()}
    shown = {code for code, (severity, _) in CODES.items() if severity != "note"} - {"WW206"}
    assert {"WW103", "WW105", "WW108", "WW109", "WW110", "WW210", "WW211"} == shown - caught
    for blocks in (BROKEN, SOUND):
        written = " ".join(repr(flow.body) for flow, *_ in blocks.values())
        assert {"InSequence", "OneOf", "AtLeast", "Fallback", "When"} <= set(re.findall(r"[A-Z]\w+", written))


def test_the_example_flows_are_sound_but_for_the_captcha_alone():
    """The flows of the documents; the CAPTCHA alone is there to be caught."""
    unsound = {path.stem for path in FLOWS.glob("*.toml") if check(load_flow(path)).errors}
    assert {"captcha_only"} == unsound
