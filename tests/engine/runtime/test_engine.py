"""Define in the engine: pure, told once at the end, and in agreement with Create."""

import pytest
from attrs import evolve

from kit.engine_host import ANN, Host, Mail, Riddle, world
from watchword import (
    ConfigurationError,
    FailAuthentication,
    Flow,
    IssueTokens,
    Present,
    User,
    attribute,
    sequence,
    when,
)
from watchword.algebra.evaluation import SessionRequest, evaluate
from watchword.algebra.flow import Round
from watchword_plugins.srp import Srp

KNOWN = User("ann", ANN)


def test_a_password_counts_as_knowledge_and_opens_the_budgets_of_who_proved_it():
    """PASSWORD_VERIFIER, true, proves a factor; what follows is charged apart."""
    here = world(Flow(sequence(Srp(), Mail())))
    host = Host(here, KNOWN)
    assert FailAuthentication("srp_required") == host.next()
    assert Present("PASSWORD_VERIFIER", host=True) == host.host_round("SRP_A")
    assert host.host_round("PASSWORD_VERIFIER").private["proven"] == "1"
    assert frozenset({"knowledge"}) == evaluate(host.request(), here.engine.flows).factors
    assert IssueTokens() == host.answers(here.post.code)
    host.session[:] = [*host.session]
    assert frozenset({"knowledge", "possession"}) == evaluate(host.request(), here.engine.flows).factors
    assert ["authn_login_fail", "authn_code_sent", "authn_login_success"] == here.events.names()


def test_without_a_round_nothing_is_proven():
    """An empty session proves no factor and has no claim."""
    here = world(Flow(Riddle()))
    evaluation = evaluate(Host(here, KNOWN).request(), here.engine.flows)
    assert (frozenset(), (), "") == (evaluation.factors, evaluation.passed, evaluation.claim)


def test_asking_is_no_end_and_is_not_told():
    """Only tokens and the end of a sign-in are audited by Define."""
    here = world(Flow(Riddle()))
    Host(here, KNOWN).next()
    assert [] == here.events.names()


def test_a_deployment_in_mid_flow_is_judged_by_the_old_flow():
    """A session belongs to the flow that its first metadata names; without `previous` it is over."""
    old, new = Flow(Riddle()), Flow(sequence(Riddle(), Mail()))
    before = world(old)
    host = Host(before, KNOWN)
    host.next()
    kept = world(new, previous=(old,), ledger=before.ledger)
    assert IssueTokens() == Host(kept, KNOWN, session=host.session, pending=host.pending).answers("fish")
    gone = Host(world(new), KNOWN, session=host.session, pending=host.pending)
    assert FailAuthentication("unknown_flow") == gone.next()


@pytest.mark.parametrize("tier", ["gold", "tin"])
def test_conditions_are_part_of_what_travels(tier):
    """The outcome is recorded; an attribute that changes under way ends the sign-in."""
    here = world(Flow(sequence(when(attribute("custom:tier", "gold"), Riddle()), Mail())))
    host = Host(here, User("ann", {**ANN, "custom:tier": tier}))
    assert ("riddle" if tier == "gold" else "mail") == host.next().public["step"]
    host.answers("fish")
    changed = Host(here, User("ann", {**ANN, "custom:tier": "lead" if tier == "gold" else "gold"}), host.session)
    assert FailAuthentication("facts_changed") == changed.next()


def test_a_known_user_is_named_by_sub_alone_and_an_unknown_one_by_the_folded_name():
    """No spelling gives another name, and the names of the unknown never mix with those of the known."""
    engine = world(Flow(Riddle())).engine
    keys = {
        engine.user_key("p", User("ann", known=False)),
        engine.user_key("p", User("bob", known=False)),
        engine.user_key("p", User("ann", {"sub": "ann"})),
        engine.user_key("q", User("ann", {"sub": "ann"})),
    }
    assert 4 == len(keys)
    assert engine.user_key("p", User("x", {"sub": "1"})) == engine.user_key("p", User("y", {"sub": "1"}))
    assert engine.user_key("p", User("ann", known=False)) == engine.user_key("p", User("ANN", known=False))


@pytest.mark.parametrize("attributes", [{}, {"sub": ""}, {"sub": None}, {"sub": 7}, {"email": "ann@example.com"}])
def test_a_known_user_without_sub_is_refused(attributes):
    """By every spelling of the name budgets would begin anew."""
    engine = world(Flow(Riddle())).engine
    with pytest.raises(ConfigurationError, match="a known user has no sub: give each one an attribute 'sub'"):
        engine.user_key("p", User("ann", attributes))


def test_the_opening_by_srp_is_no_step_that_was_passed():
    """SRP_A proves nothing, so it is not told among what was passed."""
    here = world(Flow(sequence(Srp(), Riddle())))
    host = Host(here, KNOWN)
    host.host_round("SRP_A")
    host.host_round("PASSWORD_VERIFIER")
    host.answers("fish")
    assert ("PASSWORD_VERIFIER", "riddle") == evaluate(host.request(), here.engine.flows).passed


def test_an_engine_without_an_audit_decides_all_the_same():
    """The audit is optional: nothing is recorded, nothing fails."""
    engine = evolve(world(Flow(Riddle())).engine, audit=None)
    assert FailAuthentication("broken") == engine.define(SessionRequest("p", "c", KNOWN, (Round("SRP_A", True),)))
    engine.record("authn_login_fail", "user")


def test_two_names_load_when_they_are_asked_for():
    """`check` and `explore` come from the package; any other name is an AttributeError that says so."""
    import watchword
    from watchword.analysis.checks import check
    from watchword.analysis.state_space import explore

    assert (check, explore) == (watchword.check, watchword.explore)
    with pytest.raises(AttributeError, match="'watchword' has no attribute 'nothing_of_the_sort'"):
        watchword.nothing_of_the_sort  # noqa: B018
