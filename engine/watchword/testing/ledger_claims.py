"""What a ledger must do for claims: whose message goes out, what became of it, and that it is used up once."""

from __future__ import annotations

from watchword.contract.ports import Claim, Ledger, Limit
from watchword.testing.ledger_calls import LedgerCalls, at_once
from watchword.testing.requests import NOW


class ClaimRules(LedgerCalls):
    """What every `Ledger` must do with claims: `LedgerContract` inherits it."""

    # claim, settle, resume

    def test_the_first_claim_of_a_key_is_fresh(self, ledger: Ledger) -> None:
        """Who takes a free key gets its own claim, fresh and sending, issued in whole seconds."""
        claim = self._claim(ledger, "c1", now=NOW + 0.7)
        assert claim == Claim("c1", int(NOW), "sending", fresh=True)
        assert type(claim.issued) is int

    def test_a_held_key_gives_its_holder(self, ledger: Ledger) -> None:
        """Whoever asks inside the lease gets the claim that holds the key, with its id and time of issue."""
        self._claim(ledger, "c1")
        assert self._claim(ledger, "c2", now=NOW + 15.999) == Claim("c1", int(NOW), "sending", fresh=False)
        assert self._claim(ledger, "c1", now=NOW + 1) == Claim("c1", int(NOW), "sending", fresh=False)

    def test_a_lease_that_is_over_frees_the_key(self, ledger: Ledger) -> None:
        """At the end of the lease the key is free, whether or not the store has removed the claim."""
        self._claim(ledger, "c1")
        assert self._claim(ledger, "c2", now=NOW + 16) == Claim("c2", int(NOW) + 16, "sending", fresh=True)
        assert self._claim(ledger, "c3", now=NOW + 17).id == "c2"

    def test_a_clock_set_back_leaves_the_holder(self, ledger: Ledger) -> None:
        """A key is still held if the clock is set back to before it was taken."""
        self._claim(ledger, "c1")
        assert self._claim(ledger, "c2", now=NOW - 3600).id == "c1"

    def test_keys_do_not_share_claims(self, ledger: Ledger) -> None:
        """Another key is another claim."""
        self._claim(ledger, "c1", key="ann")
        assert self._claim(ledger, "c2", key="bob").fresh

    def test_settle_says_what_became_of_the_message(self, ledger: Ledger) -> None:
        """The state that was settled is the one that the next caller reads."""
        for key, state in (("ann", "sent"), ("bob", "unsent")):
            self._claim(ledger, f"c-{key}", key=key)
            ledger.settle(
                key, f"c-{key}", "sent" if state == "sent" else "unsent", own_until=NOW + 180, within=self.within
            )
            assert self._claim(ledger, "late", key=key).state == state

    def test_settle_leaves_another_holder_alone(self, ledger: Ledger) -> None:
        """A claim that has lost its key meanwhile changes nothing about the new holder, but still gets its own try."""
        self._claim(ledger, "c1")
        self._claim(ledger, "c2", now=NOW + 20)
        self._sent(ledger, "c1")
        assert self._claim(ledger, "c3", now=NOW + 21) == Claim("c2", int(NOW) + 20, "sending", fresh=False)
        self._exhaust(ledger)
        assert self._charge(ledger, "r", claim_id="c1").outcome == "charged"

    def test_what_was_sent_stays_sent(self, ledger: Ledger) -> None:
        """A failure that is told late does not make room for a second message."""
        self._claim(ledger, "c1")
        self._sent(ledger, "c1")
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        assert self._claim(ledger, "c2").state == "sent"
        assert not ledger.resume("key", "c1", within=self.within)

    def test_resume_takes_an_unsent_claim_once(self, ledger: Ledger) -> None:
        """An unsent claim can be taken up again, by one caller; then it is sending."""
        self._claim(ledger, "c1")
        assert not ledger.resume("key", "c1", within=self.within)
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        assert ledger.resume("key", "c1", within=self.within)
        assert not ledger.resume("key", "c1", within=self.within)
        assert self._claim(ledger, "c2") == Claim("c1", int(NOW), "sending", fresh=False)

    def test_resume_needs_the_holder(self, ledger: Ledger) -> None:
        """A key that nobody holds, or another claim, cannot be resumed."""
        assert not ledger.resume("key", "c1", within=self.within)
        self._claim(ledger, "c1")
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        assert not ledger.resume("key", "c2", within=self.within)

    # consume

    def test_a_claim_is_consumed_by_one_round(self, ledger: Ledger) -> None:
        """The first round wins, and only that one reads True again."""
        assert self._consume(ledger, "c1", "r1")
        assert self._consume(ledger, "c1", "r1")
        assert not self._consume(ledger, "c1", "r2")
        assert self._consume(ledger, "c2", "r2")

    def test_a_right_answer_is_no_guess(self, ledger: Ledger) -> None:
        """The win takes its own charge out of the budget, once, and nobody else's."""
        for number in range(10):
            self._charge(ledger, f"r{number}")
        for _ in range(3):
            assert self._consume(ledger, "c1", "r5")
        assert self._left(ledger) == 1

    def test_a_refund_is_of_the_own_guess(self, ledger: Ledger) -> None:
        """What is taken out is the guess of the winner, with its time, and not another one of the budget."""
        limits = (Limit(2, 60),)
        for round_id, at in (("r0", NOW), ("r1", NOW + 50)):
            self._charge(ledger, round_id, limits=limits, now=at)
        self._consume(ledger, "c1", "r0")
        later = [self._charge(ledger, f"later{n}", limits=limits, now=NOW + 70).outcome for n in range(2)]
        assert later == ["charged", "exhausted"]

    def test_a_refund_takes_one_guess(self, ledger: Ledger) -> None:
        """Of a round that was charged twice, once its first record was over, the newer guess is taken out."""
        limits = (Limit(2, 60),)
        for at in (NOW, NOW + 50):
            self._charge(ledger, "r0", limits=limits, now=at, keep=at + 10)
        self._consume(ledger, "c1", "r0")
        assert [self._charge(ledger, f"r{at}", limits=limits, now=NOW + at).outcome for at in (59, 59.5, 60)] == [
            *("charged", "exhausted", "charged")
        ]

    def test_a_lost_race_refunds_nothing(self, ledger: Ledger) -> None:
        """A round that did not win has paid."""
        self._charge(ledger, "r1")
        self._charge(ledger, "r2")
        self._consume(ledger, "c1", "r1")
        self._consume(ledger, "c1", "r2")
        assert self._left(ledger) == 9

    def test_a_refund_needs_a_charge(self, ledger: Ledger) -> None:
        """A round that was paid by the claim's own try, or never, takes nothing out of the budget."""
        self._sent(ledger, "c1")
        self._exhaust(ledger)
        assert self._charge(ledger, "r", claim_id="c1").outcome == "charged"
        assert self._consume(ledger, "c1", "r")
        assert self._left(ledger) == 0

    def test_a_round_that_was_refunded_stays_answered(self, ledger: Ledger) -> None:
        """After the refund the same answer is still a repeat, and another one refused."""
        self._charge(ledger, "r1", "right")
        self._consume(ledger, "c1", "r1")
        assert self._charge(ledger, "r1", "right").outcome == "repeated"
        assert self._charge(ledger, "r1", "wrong").outcome == "refused"
        assert self._left(ledger) == 10

    def test_consumed_tells_of_a_claim_that_was_used_up(self, ledger: Ledger) -> None:
        """Whoever holds a claim can ask whether its code is dead; asking changes nothing."""
        self._claim(ledger, "c1")
        assert not ledger.consumed("c1", within=self.within)
        assert self._consume(ledger, "c1", "r1")
        assert [ledger.consumed(each, within=self.within) for each in ("c1", "c1", "c2")] == [True, True, False]

    def test_consumed_tells_by_which_round(self, ledger: Ledger) -> None:
        """A host's repeat asks for its own round: only the one that used the claim up reads True."""
        assert not ledger.consumed("c1", by="r1", within=self.within)
        self._consume(ledger, "c1", "r1")
        self._consume(ledger, "c1", "r2")
        assert [ledger.consumed("c1", by=by, within=self.within) for by in ("r1", "r2", "", None)] == [
            *(True, False, False, True)
        ]

    def test_a_consumed_claim_frees_its_key(self, ledger: Ledger) -> None:
        """After the right answer the next caller makes a claim of its own, inside the lease of the old one."""
        self._claim(ledger, "c1")
        self._sent(ledger, "c1")
        assert self._consume(ledger, "c1", "r1", slot="key")
        assert self._claim(ledger, "c2", now=NOW + 1) == Claim("c2", int(NOW) + 1, "sending", fresh=True)
        assert self._claim(ledger, "c3", now=NOW + 2) == Claim("c2", int(NOW) + 1, "sending", fresh=False)

    def test_a_consumed_claim_frees_no_other_key(self, ledger: Ledger) -> None:
        """Neither the key of another claim, nor another key than the one that was named."""
        self._claim(ledger, "c1")
        self._claim(ledger, "c2", key="other")
        assert self._consume(ledger, "c3", "r0", slot="other")
        assert self._consume(ledger, "c1", "r1", slot="other")
        assert [self._claim(ledger, "late", key=key).id for key in ("key", "other")] == ["c1", "c2"]

    def test_consuming_again_leaves_the_next_holder(self, ledger: Ledger) -> None:
        """A right answer that the host repeats, or another round's, frees the key no second time."""
        self._claim(ledger, "c1")
        self._consume(ledger, "c1", "r1", slot="key")
        self._claim(ledger, "c2", now=NOW + 1)
        for by in ("r1", "r2"):
            assert self._consume(ledger, "c1", by, slot="key") is (by == "r1")
            assert self._claim(ledger, "late", now=NOW + 2).id == "c2"

    def test_of_64_claims_at_once_on_a_freed_key_one_is_fresh(self, ledger: Ledger) -> None:
        """Sign-ins that begin together after a right answer share one new claim."""
        self._claim(ledger, "c0")
        self._consume(ledger, "c0", "r0", slot="key")
        claims = at_once(lambda number: self._claim(ledger, f"d{number}", now=NOW + 1))
        (fresh,) = [claim for claim in claims if claim.fresh]
        assert {claim.id for claim in claims} == {fresh.id}

    # At once

    def test_of_64_claims_at_once_one_is_fresh(self, ledger: Ledger) -> None:
        """One message goes out, and all who share it know its claim."""
        claims = at_once(lambda number: self._claim(ledger, f"c{number}"))
        (fresh,) = [claim for claim in claims if claim.fresh]
        assert {claim.id for claim in claims} == {fresh.id}

    def test_of_64_resumes_at_once_one_wins(self, ledger: Ledger) -> None:
        """A failed message is sent again by one caller."""
        self._claim(ledger, "c1")
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        assert sum(at_once(lambda number: ledger.resume("key", "c1", within=self.within))) == 1

    def test_of_64_rounds_at_once_one_consumes(self, ledger: Ledger) -> None:
        """A code is accepted once (NIST SP 800-63B-4 3.1.3), however many right answers arrive together."""
        assert sum(at_once(lambda number: self._consume(ledger, "c1", f"r{number}"))) == 1
