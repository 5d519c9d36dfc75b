"""Where password recovery would open a flow by one channel: told from the blocks, and found again by walking the flow."""

from typing import ClassVar

import pytest
from attrs import frozen
from hypothesis import given

from kit.checked_flows import PASSKEY, PIN, TOTP, WORK, Letter, Toy
from kit.dressed_flows import dressed_flows
from watchword import Flow, all_of, at_least, attribute, check, explore, fallback, one_of, sequence, when
from watchword.algebra import derivative
from watchword.analysis.assurance import recovery_channels
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

GOLD = attribute("custom:tier", "gold")


@frozen
class Text(Letter):
    """A code by another channel."""

    channel: ClassVar[str] = "sms"


SMS = Text("sms_otp", frozenset({"possession"}), 1e-8)
ADVERTISEMENT = Letter("advertisement")


@pytest.mark.parametrize(
    ("body", "channels"),
    [
        (Srp(), ()),
        (EmailOtp(), ()),
        (sequence(Srp(), EmailOtp()), ("email",)),
        (sequence(Srp(), Captcha(), EmailOtp()), ("email",)),
        (sequence(Srp(), TOTP), ()),
        (sequence(Srp(), TOTP, EmailOtp()), ("email",)),
        (sequence(Srp(), ADVERTISEMENT), ()),
        (sequence(Srp(), all_of(SMS, EmailOtp())), ("email", "sms")),
        (one_of(Srp(), EmailOtp()), ()),
        (one_of(sequence(Srp(), SMS), EmailOtp()), ("sms",)),
        (sequence(Srp(), fallback(TOTP, EmailOtp())), ("email",)),
        (sequence(Srp(), one_of(PASSKEY, SMS)), ("sms",)),
        (sequence(Srp(), at_least(2, TOTP, PASSKEY, EmailOtp())), ("email",)),
        (sequence(Srp(), when(GOLD, EmailOtp())), ("email",)),
        (sequence(Srp(), when(GOLD, TOTP, EmailOtp())), ("email",)),
        (when(GOLD, sequence(Srp(), TOTP), EmailOtp()), ()),
        (sequence(PIN, EmailOtp()), ()),
    ],
)
def test_a_password_and_a_message_on_one_path(body, channels):
    """By that channel nobody may recover the password; `check` says so, once for each channel."""
    assert channels == recovery_channels(Flow(body))
    found = [each.message for each in check(Flow(body)).findings if each.code == "WW207"]
    assert len(channels) == len(found)
    assert all(f"for a message by {channel}:" in said for channel, said in zip(channels, found, strict=True))


def walked(flow):
    """Return the channels that a passing session has beside the password, by walking every state with what was proven."""
    found, exploration = set(), explore(flow)
    for _, beginning in exploration.beginnings:
        queue = [(beginning, frozenset())]
        seen = set(queue)
        for number, proven in queue:
            if exploration.states[number][0] == derivative.PASSED and "password" in proven:
                found |= proven - {"password"}
            for read, target in exploration.onward[number]:
                more = proven
                if read.right is True and read.use == "answer":
                    if read.name == "PASSWORD_VERIFIER":
                        more = proven | {"password"}
                    step = flow.steps.get(read.step)
                    if step is not None and step.kind.proves and hasattr(step.kind, "channel"):
                        more = proven | {step.kind.channel}
                if (target, more) not in seen:
                    seen.add((target, more))
                    queue.append((target, more))
    return found


KINDS = [WORK, PIN, TOTP, SMS, ADVERTISEMENT, Letter("letter", frozenset({"possession"}), 1e-8), Toy("puzzle")]


@given(dressed_flows(KINDS, most_steps=4, conditions=False))
def test_the_blocks_tell_what_a_walk_finds(flow):
    """Every session of every flow without conditions is told, and nothing else."""
    assert walked(flow) == set(recovery_channels(flow))


@given(dressed_flows(KINDS, most_steps=4))
def test_a_condition_hides_nothing(flow):
    """With conditions, the blocks tell at least what a walk finds: two conditions may exclude each other."""
    assert walked(flow) <= set(recovery_channels(flow))
