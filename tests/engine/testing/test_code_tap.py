"""The code tap is the one way to learn a code that no event holds, and only a ring that was tapped has it."""

from threading import Thread

import pytest

from watchword import Flow
from watchword.runtime.keyring import Keyring
from watchword.testing import FlowUser
from watchword.testing.code_tap import DrawnCode, recorded_codes, recording_ring
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.email_otp import EmailOtp

RING = Keyring.of([bytes(range(32)), bytes(range(32, 64))])


def draw(ring, kind="quiz"):
    return ring.current.choose(f"code {kind}", "seed", "ab", 8)


def test_a_tapped_ring_is_like_the_ring_itself():
    """Same ids, same digests, same codes: what is made with one is good with the other."""
    ring = recording_ring(RING)
    assert [key.id for key in RING.keys] == [key.id for key in ring.keys]
    assert RING.root_key.digest("a", "b") == ring.root_key.digest("a", "b")
    assert draw(RING) == draw(ring)
    assert RING.current.choose("other", "seed", "ab", 8) == ring.current.choose("other", "seed", "ab", 8)


def test_codes_are_heard_in_the_block_alone():
    """In order, with the kind that asked; nothing before or after, and nothing that is no code."""
    ring = recording_ring(RING)
    draw(ring)
    with recorded_codes() as codes:
        first, second = draw(ring, "one"), draw(ring, "two")
        ring.current.choose("reference", "seed", "ab", 8)
    draw(ring)
    assert [DrawnCode("one", first, "ab"), DrawnCode("two", second, "ab")] == codes


def test_what_is_sealed_that_is_made_of_a_code_is_heard_too():
    """A kind whose right answer is another text than what it drew, such as a proof of work: that answer is the last one."""
    key = recording_ring(RING).current
    with recorded_codes() as codes:
        key.digest("seal quiz", "step", "an answer without a code")
        code = draw(recording_ring(RING))
        for purpose, answer in (
            ("seal quiz", code),
            ("seal quiz", f"unsent:{code}"),
            ("seal other", "of another kind"),
            ("digest", "no answer"),
            ("seal quiz", "made of it"),
        ):
            key.digest(purpose, "step", answer)
    assert [DrawnCode("quiz", code, "ab"), DrawnCode("quiz", "made of it", " adefimot", sealed=True)] == codes


def test_a_ring_that_is_not_tapped_tells_nothing():
    """As in every deployment."""
    with recorded_codes() as codes:
        draw(RING)
    assert [] == codes


def test_the_innermost_block_hears():
    """So a watcher within a watched call does not tell the one outside twice."""
    ring = recording_ring(RING)
    with recorded_codes() as outer:
        with recorded_codes() as inner:
            draw(ring)
        assert [] == outer
        draw(ring)
    assert [1, 1] == [len(inner), len(outer)]


def test_another_thread_is_not_heard_unless_it_works_for_the_block():
    """Sign-ins that run at once do not hear each other; the clock's own thread works for who called it."""
    ring = recording_ring(RING)
    with recorded_codes() as codes:
        other = Thread(target=draw, args=(ring,))
        other.start()
        other.join()
        assert [] == codes
        SystemClock().call(lambda: draw(ring), 60)
    assert 1 == len(codes)


def test_a_block_that_fails_hears_no_more():
    """Whatever ends it."""
    ring = recording_ring(RING)
    with pytest.raises(ValueError, match="over"), recorded_codes() as codes:
        raise ValueError("over")
    draw(ring)
    assert [] == codes


def test_the_code_of_a_flow_is_heard():
    """As it stands in the message."""
    user = FlowUser(Flow(EmailOtp()), ledger=MemoryLedger())
    with recorded_codes() as codes:
        user.engine.create(user.request((), {}))
    assert user.outbox.code == codes[-1].text
    assert "email_otp" == codes[-1].kind
    assert codes[-1].text not in repr(codes)
