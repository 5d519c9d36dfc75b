"""The arena's own interpreter of flows never calls tokens unlawful that the engine issues, whatever the flow asks."""

from hypothesis import event, given, settings
from hypothesis import strategies as st

from kit.random_flows import SETTINGS, facts, flows, walks
from kit.sessions import judged, results, session
from watchword_adapters.attacks.arena.session_policy import may_issue


@settings(max_examples=250)
@given(st.data())
def test_tokens_of_the_engine_are_lawful(data):
    """By attributes, app client and what was enrolled when the sign-in began, which the metadata alone tells."""
    flow = data.draw(flows(remembering=data.draw(st.booleans())))
    who = data.draw(SETTINGS)
    had = data.draw(st.sampled_from([(), ("had",), ("lacking",), ("had", "lacking")]))
    told = facts(flow, who["attributes"], who["client"], had)

    def decide(words):
        return judged(words, flow, **who, had=had, facts=told)

    words = data.draw(walks(flow, decide, lucky=True))
    decided = decide(words)[0]
    event(decided)
    rounds = results(session(words, flow, facts=told))
    if decided == "tokens":
        assert may_issue([flow], rounds, who["attributes"], who["client"])
