"""Calls of a store of credentials, drawn at random, and what each answers: to compare one store with another."""

from hypothesis import strategies as st

from watchword.contract.credentials import Credential

OWNERS = ("pool#ann", "pool#bob")
KINDS = ("totp", "passkey")

_owners, _kinds, _ids = st.sampled_from(OWNERS), st.sampled_from(KINDS), st.sampled_from(["a", "b", "c", "d"])
_states = st.dictionaries(st.sampled_from(["root", "step", "ä"]), st.text(max_size=5), max_size=2)

operations = st.one_of(
    st.tuples(st.just("list"), _owners),
    st.tuples(st.just("add"), _owners, _kinds, _ids, _states, st.booleans(), st.integers(1, 4)),
    st.tuples(st.just("swap"), _owners, _kinds, _ids, _states, st.integers(0, 2)),
    st.tuples(st.just("remove"), _owners, _kinds, _ids),
)
"""A call with its arguments."""


def outcome(store, number, operation):
    """Make *operation* on *store*, in the names of example *number*; return what it answers, with the owner's credentials."""
    what, owner, *rest = operation
    owner = f"{owner}{number}"
    answer = None
    if what == "add":
        kind, each, state, replace, most = rest
        credential = Credential(f"{each}{number}", owner, kind, "label", 1, 2, state=state, rounds=(each,))
        answer = store.add(credential, replace=replace, most=most, within=3600.0)
    elif what == "swap":
        kind, each, state, version = rest
        credential = Credential(f"{each}{number}", owner, kind, "other", 3, 4, state=state)
        answer = store.swap(credential, version=version, within=3600.0)
    elif what == "remove":
        kind, each = rest
        answer = store.remove(owner, kind, f"{each}{number}", within=3600.0)
    return answer, store.list(owner, within=3600.0)
