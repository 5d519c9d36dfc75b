"""What a sign-in spends in DynamoDB, whatever its flow, is no more than `watchword advise` reckons."""

import pytest

from kit.aws import metered
from kit.engine_host import ANN, Host, Mail, Puzzle, Riddle, world
from watchword import Flow, User, all_of, ask_first, named, one_of, sequence
from watchword.algebra.flow import IssueTokens
from watchword_adapters.advice.monthly_cost import effort_of

pytestmark = pytest.mark.exhaustive

FLOWS = {
    "mail": Mail(),
    "riddle": Riddle(),
    "puzzle, mail": sequence(Puzzle(), Mail()),
    "riddle, mail": sequence(Riddle(), Mail()),
    "two mails": sequence(Mail(), named("again", Mail())),
    "asked first": ask_first(Mail()),
    "one of": one_of(Mail(), Riddle()),
    "both": all_of(Mail(), Riddle()),
}


def signs_in(here, name):
    """Sign *name* in, each answer right at once; of a choice, the first option is taken."""
    host = Host(here, User(name, {**ANN, "sub": name}))
    host.next()
    for _ in range(9):
        decision = here.engine.define(host.request())
        if decision == IssueTokens():
            return
        if decision.choices:
            host.answers("", choice=decision.choices[0])
        else:
            sends = here.engine.flow.steps[decision.step].powers.sends
            host.answers(here.post.code if sends else "fish")
    raise AssertionError("the sign-in does not end")


@pytest.mark.parametrize("block", FLOWS.values(), ids=FLOWS)
def test_a_sign_in_costs_no_more_than_is_reckoned(make_far_ports, aws, monkeypatch, block):
    """Read and write units of a user's first sign-in in a day."""
    ledger, store = make_far_ports()
    flow = Flow(block)
    here = world(flow, ledger=ledger, credentials=store)
    signs_in(here, "bob")  # the first of a process marks the table as used
    spent = metered(aws, monkeypatch)
    effort = effort_of(flow)
    _, read, write = spent(lambda: signs_in(here, "ann"))
    assert 0 < read <= effort.reads
    assert 0 < write <= effort.writes


def test_a_code_by_mail_costs_what_is_reckoned(make_far_ports, aws, monkeypatch):
    """Exactly: most flows have one, and the how-to names the figure."""
    ledger, store = make_far_ports()
    flow = Flow(Mail())
    here = world(flow, ledger=ledger, credentials=store)
    signs_in(here, "bob")
    spent = metered(aws, monkeypatch)
    effort = effort_of(flow)
    assert (effort.reads, effort.writes) == spent(lambda: signs_in(here, "ann"))[1:]
