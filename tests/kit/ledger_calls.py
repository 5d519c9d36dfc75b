"""Hypothesis strategies: calls of a ledger in any order, at times that jump; and the same call made of any ledger."""

from hypothesis import strategies as st

from watchword.contract.ports import ChargeRequest, Limit

NOW = 1_800_000_000.0

few = st.sampled_from(["a", "b", "c"])
moments = st.integers(-1500, 1500).map(lambda tenths: NOW + tenths / 10)
limits = st.lists(st.builds(Limit, st.integers(1, 3), st.sampled_from([10, 60, 100])), min_size=1, max_size=2)
until = moments.map(lambda at: at + 30)
# A value that is over is removed soon, so a clock that goes back may find it or not: these are over for good or last.
lasting = st.sampled_from([NOW - 300, NOW - 200, NOW + 200])
operations = st.one_of(
    st.tuples(st.just("claim"), st.tuples(few, few), st.fixed_dictionaries({"lease": st.just(16), "now": moments})),
    st.tuples(
        st.just("settle"),
        st.tuples(few, few, st.sampled_from(["sent", "unsent"])),
        st.fixed_dictionaries({"own_until": until}),
    ),
    st.tuples(st.just("resume"), st.tuples(few, few), st.just({})),
    st.tuples(
        st.just("charge"),
        st.tuples(few, few),
        st.fixed_dictionaries(
            {"key": few, "owner": few, "claim_id": few, "limits": limits, "keep": until, "now": moments}
        ),
    ),
    st.tuples(st.just("forgive"), st.tuples(few), st.fixed_dictionaries({"key": few, "claim_id": few})),
    st.tuples(
        st.just("count"),
        st.tuples(few),
        st.fixed_dictionaries({"event": few, "owner": few, "limits": limits, "now": moments}),
    ),
    st.tuples(
        st.just("consume"),
        st.tuples(few),
        st.fixed_dictionaries({"by": few, "refund": few, "keep": until, "slot": st.sampled_from(["", "a", "b", "c"])}),
    ),
    st.tuples(st.just("consumed"), st.tuples(few), st.fixed_dictionaries({"by": st.one_of(st.none(), few)})),
    st.tuples(st.just("put"), st.tuples(few, st.text(max_size=3)), st.fixed_dictionaries({"expires": lasting})),
    st.tuples(st.sampled_from(["peek", "take"]), st.tuples(few), st.just({"now": NOW - 200})),
    st.tuples(st.just("forget"), st.tuples(few), st.just({})),
)


def outcome(ledger, number, operation):
    """What *ledger* answers; every key is one of the example's own, so that one file serves all examples."""
    name, places, named = operation
    own = [f"{number}-{value}" if isinstance(value, str) else value for value in places]
    named = {key: f"{number}-{value}" if isinstance(value, str) else value for key, value in named.items()}
    if name == "settle":
        own[2] = places[2]
    if name == "charge":
        own, named = [ChargeRequest(*own, **named)], {}
    return getattr(ledger, name)(*own, within=3600.0, **named)
