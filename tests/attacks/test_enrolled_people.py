"""The people of the attacks have enrolled as each scene wants it, answer by what they hold, and begin each case from the same state."""

import pytest

from kit.fobs import Fob
from kit.paths import EXAMPLES
from watchword import Flow, enrol, enrolled, load_flow, one_of, sequence, when
from watchword.contract.credentials import Credential
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import DOORS, finished, reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.session_policy import may_issue
from watchword_adapters.attacks.devices.replaceable_store import unexpected_writes
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

PASSKEY = Passkey("example.com", ("https://example.com",))
SHORT = EmailOtp(length=6)
FLOWS = {
    "password_and_app": load_flow(EXAMPLES / "flows" / "password_and_app.toml"),
    "passkey": Flow(PASSKEY),
    **{
        f"passkey, algorithm {number}": Flow(Passkey("example.com", ("https://example.com",), algorithms=[number]))
        for number in (-7, -257)
    },
    "codes": Flow(sequence(Srp(), one_of(Totp(), RecoveryCodes()))),
    "enrol": Flow(sequence(Srp(), SHORT, enrol(PASSKEY))),
    "a stranger's": Flow(sequence(EmailOtp(), when(enrolled("fob"), Fob(), otherwise=enrol(Fob())))),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", FLOWS)
def test_every_scene_ends_with_tokens(name, door):
    """By the right answers of real kinds, at each door, again and again from the same state."""
    arena = Arena(FLOWS[name], "tokens")

    for scene in arena.scenes:
        finished(arena, scene, door=door)
        for _ in range(2):
            arena.renew()
            before = arena.store.everything()
            assert finished(arena, scene, door=door).tokens, scene
            assert [] == arena.breaches
            arena.renew()
            assert before == arena.store.everything()
            assert [] == arena.store.calls == arena.store.written


@pytest.mark.parametrize("name", FLOWS)
def test_answers_come_from_what_people_hold(name):
    """The kind's own judgement takes them: no word that only the corpus can say. A wrong one of the same form is wrong."""
    arena = Arena(FLOWS[name], "held")

    for target in arena.targets:
        for _ in range(20):
            arena.renew()
            one = reached(arena, target)
            assert not one.right.startswith("what only")
            assert not arena.accepts(one.person, one.private, wrong_answer(one.right, arena.draw))
        assert [] == arena.breaches


def test_a_step_that_enrols_is_tried_with_and_without_a_credential():
    """Whoever has one is asked for it there."""
    arena = Arena(FLOWS["enrol"], "both")

    assert {(True, frozenset()), (False, frozenset({"passkey"}))} == {
        (each.enrolling, each.scene.enrolled) for each in arena.targets if each.step.enrols
    }


def test_what_was_enrolled_at_the_beginning_is_known_to_the_judge():
    """Metadata that say otherwise give no tokens: a second factor cannot be left out by it."""
    arena = Arena(FLOWS["password_and_app"], "judge")
    scene = next(each for each in arena.scenes if not each.enrolled)
    one = finished(arena, scene)
    signin = one.metadata.split(";")[0].split(".")[3]
    user = (one.person.attributes, scene.client)

    assert may_issue(arena.flows, one.rounds, *user)
    assert may_issue(arena.flows, one.rounds, *user, arena.began)
    assert not may_issue(arena.flows, one.rounds, *user, {signin: frozenset({"totp"})})


@pytest.mark.parametrize(
    ("after", "owner", "told"),
    [
        ({"p#1": "a"}, "", []),
        ({"p#1": "ab"}, "p#1", []),
        ({"p#1": "ab"}, "", ["a wrong answer wrote into the store"]),
        ({"p#1": "abc"}, "p#1", ["one answer enrolled twice"]),
        ({}, "p#1", ["an answer took away what was enrolled"]),
        ({"p#1": "a", "p#2": "b"}, "p#1", ["an answer wrote into what another user has enrolled"]),
    ],
)
def test_writes_that_an_answer_does_not_grant_are_told(after, owner, told):
    """A right one adds or uses one credential of its own user's, a wrong one nothing."""
    held = {name: tuple(Credential(each, name, "totp") for each in ids) for name, ids in after.items()}

    assert told == unexpected_writes({"p#1": (Credential("a", "p#1", "totp"),)}, held, owner)
