"""What a select round offers, and what an answer in it is worth to Verify."""

import json
from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.engine_host import ANN, Host, Mail, Riddle, world
from kit.offering_flows import OFFERING, Card
from watchword import Challenge, Email, Flow, UnavailableError, User, all_of, ask_first, named, one_of
from watchword.algebra.derivative import read_metadata
from watchword.algebra.evaluation import AnswerRequest
from watchword.algebra.flow import IssueTokens, Round
from watchword.contract.ports import LEASE


@frozen
class Drawn(Card):
    """A card whose answer is drawn."""

    kind: ClassVar[str] = "drawn"

    def create(self, request):
        """Tell the answer."""
        code = request.code("0123456789", 8)
        return Challenge({"code": code}, {"digest": request.seal(code)})


ASKED = User("ann", ANN)


def begun(flow=OFFERING, user=ASKED, **settings):
    """Return a host that has been asked to choose, and what it was given."""
    host = Host(world(flow, **settings), user)
    return host, host.next()


def answered(host, answer, choice, *, action="answer"):
    """Answer the select round at hand for *choice*; return the verdict."""
    said = {"watchword_action": action, "watchword_choice": choice}
    said = {name: text for name, text in said.items() if text}
    private = host.pending[0].private
    return host.world.engine.verify(AnswerRequest("pool_1", "client", host.user, answer, private, said))


def goes_on(host, answer, choice):
    """Answer for *choice* and return what comes next."""
    verdict = answered(host, answer, choice)
    host.session.append(Round("CUSTOM_CHALLENGE", verdict.right, host.pending[0].metadata))
    return host.next("answer", choice)


def reasons(host):
    """Return the reasons of all events."""
    return [event.detail.get("reason") for event in host.world.events.events]


def test_a_select_round_shows_what_it_offers():
    """Each offer as the step's own round would show it; what is sealed stays private."""
    _, made = begun()
    assert "card,other" == made.public["offers"]
    assert "card,other,riddle" == made.public["choices"]
    shown = json.loads(made.public["offer_card"])
    assert {"question": "?", "kind": "card", "step": "card", "attempts_left": "3"}.items() <= shown.items()
    assert "card" == json.loads(made.public["offer_other"])["kind"]
    assert int(shown["expires_at"]) == int(read_metadata(made.metadata)["issued"]) + 180
    assert {"offer_card", "offer_other"} == {name for name in made.private if name.startswith("offer_")}
    assert made.private["offer_card"] != made.private["offer_other"]
    assert made.private["offer_card"] not in repr(made)


def test_a_select_round_without_offers_is_as_it_was():
    """No parameter tells of offers where nothing is offered."""
    _, made = begun(Flow(one_of(Riddle(), named("other", Riddle()))))
    assert not [name for name in (*made.public, *made.private) if name.startswith("offer")]


def test_a_right_answer_to_an_offer_passes_its_step():
    """In one round, and without the step's own."""
    host, _ = begun()
    assert IssueTokens() == goes_on(host, "fish", "card")
    assert ["authn_login_success"] == [event.name for event in host.world.events.events]


def test_a_wrong_answer_to_an_offer_costs_a_try_and_fixes_the_choice():
    """As the choice and then the answer would."""
    host, _ = begun()
    made = goes_on(host, "bird", "card")
    assert ("card", "2", "wrong") == tuple(made.public[name] for name in ("step", "attempts_left", "error"))
    assert "answer:card" == read_metadata(made.metadata)["before"]
    assert IssueTokens() == host.answers("fish")


@pytest.mark.parametrize(
    ("answer", "choice", "action"),
    [
        ("fish", "card", None),
        ("fish", "card", "resend"),
        ("fish", "card", "Answer"),
        ("fish", "riddle", "answer"),
        ("fish", "select", "answer"),
        ("fish", "", "answer"),
        ("fish", "card,other", "answer"),
        ("fish", None, "answer"),
    ],
)
def test_everything_else_in_a_select_round_is_wrong_and_charged_to_nobody(answer, choice, action):
    """A plain choice, a resend request, an option that is not offered, no option."""
    host, _ = begun()
    before = dict(host.world.ledger.__dict__)
    assert not answered(host, answer, choice, action=action).right
    assert repr(before) == repr(host.world.ledger.__dict__)
    assert [] == host.world.events.events
    assert answered(host, "fish", "card").right


def test_an_answer_counts_for_its_own_option_alone():
    """The answer to one offer is wrong for another."""
    host, _ = begun()
    assert not answered(host, "fish", "other").right
    assert not answered(host, "bird", "other").right
    assert not answered(host, "fish", "card").right
    assert ["wrong", "second_answer", "second_answer"] == reasons(host)


def test_the_same_text_for_another_option_is_a_second_answer():
    """One answer a round, whatever it is for: the repeat of one call is not the first of another."""
    host, _ = begun()
    assert answered(host, "fish", "card").right
    assert answered(host, "fish", "card").right
    assert not answered(host, "fish", "other").right
    assert ["second_answer"] == reasons(host)


def test_an_offer_is_charged_to_the_budget_of_its_kind():
    """One budget for all steps of the kind, and for both of their rounds."""
    host, _ = begun()
    for number in range(11):
        host = Host(host.world, ASKED)
        host.next()
        answered(host, f"wrong {number}", "card" if number % 2 else "other")
    assert "guesses_used_up" == reasons(host)[-1]
    host.next()
    assert not answered(host, "fish", "card").right


def test_a_right_answer_is_used_up():
    """The claim of the select round is consumed, so a second round with these parameters is refused."""
    host, made = begun()
    assert IssueTokens() == goes_on(host, "fish", "card")
    again = Host(host.world, User("ann", ANN))
    again.next()
    assert made.private["claim"] != again.pending[0].private["claim"]
    assert host.world.ledger.consumed(made.private["claim"], within=1)


def test_an_offer_expires_with_the_lifetime_of_its_step():
    """Then it is read as the choice alone: nothing is compared, and no try is lost."""
    host, _ = begun()
    host.world.clock.advance(181)
    made = goes_on(host, "fish", "card")
    assert ("card", "3", "expired") == tuple(made.public[name] for name in ("step", "attempts_left", "error"))
    assert "choice" == read_metadata(made.metadata)["before"]
    assert IssueTokens() == host.answers("fish")


def test_an_offer_that_is_long_over_is_not_compared():
    """Verify calls no ledger then."""
    host, _ = begun()
    host.world.clock.advance(181 + LEASE)
    made = goes_on(host, "fish", "card")
    assert ("3", "expired") == (made.public["attempts_left"], made.public["error"])


def test_parameters_of_an_offer_cannot_be_altered():
    """The seal is over them as over all."""
    host, made = begun()
    other = {**made.private, "offer_card": made.private["offer_other"]}
    host.pending[0] = evolve(made, private=other)
    assert not answered(host, "bird", "card").right
    assert ["no_challenge"] == reasons(host)


def test_two_offers_of_one_kind_have_two_secrets():
    """What one asks for is not the answer to the other."""
    flow = Flow(one_of(Drawn(), named("other", Drawn())))
    host, made = begun(flow)
    codes = [json.loads(made.public[f"offer_{name}"])["code"] for name in ("drawn", "other")]
    assert codes[0] != codes[1]
    assert not answered(host, codes[0], "other").right
    host, made = begun(flow)
    assert answered(host, json.loads(made.public["offer_other"])["code"], "other").right


def test_somebody_unknown_is_never_right():
    """But is offered the same."""
    host, made = begun(user=User("bob", {}, known=False))
    assert "card,other" == made.public["offers"]
    assert not answered(host, "fish", "card").right
    assert ["wrong"] == reasons(host)


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (Challenge(messages=(Email("ann@example.com", "", ""),)), "made an offer with a message or a carry"),
        (Challenge(carry={"a": "b"}), "made an offer with a message or a carry"),
        (Challenge({"ref": "x"}), "wrote public parameters that are the engine's own: ref"),
        (Challenge(private={"a": "b" * 4085}), "made private parameters of more than 4096 characters"),
        (None, "made no Challenge"),
        (ValueError("secret"), "raised ValueError"),
    ],
)
def test_a_kind_that_offers_nothing_usable_ends_the_call(made, what):
    """As one does that makes no challenge: the operator is told which, and what is wrong with it."""

    @frozen
    class Broken(Card):
        kind: ClassVar[str] = "broken"

        def offer(self, request):
            if isinstance(made, Exception):
                raise made
            return made

    host = Host(world(Flow(one_of(Riddle(), Broken()))), ASKED)
    with pytest.raises(UnavailableError, match="kind 'broken'"):
        host.next()
    (event,) = host.world.events.events
    assert ("sys_kind_failed", "broken", what) == (event.name, event.detail["step"], event.detail["what"])


def test_a_step_that_is_asked_first_sends_nothing_before():
    """One message, after the select round."""
    host, made = begun(Flow(ask_first(Mail())))
    assert ("select", "mail") == (made.public["step"], made.public["choices"])
    assert [] == host.world.post.sent
    made = host.answers("-")
    assert "mail" == made.public["step"]
    assert IssueTokens() == host.answers(host.world.post.code)


def test_offers_go_on_until_enough_are_passed():
    """Each in a select round, the last in its own."""
    host, _ = begun(Flow(all_of(Card(), named("other", Card(answer="bird")), Riddle())))
    made = goes_on(host, "fish", "card")
    assert ("select", "other") == (made.public["step"], made.public["offers"])
    made = goes_on(host, "bird", "other")
    assert "riddle" == made.public["step"]
    assert IssueTokens() == host.answers("fish")
