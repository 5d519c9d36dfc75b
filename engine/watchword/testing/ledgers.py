"""The contract of a ledger, as tests: subclass `LedgerContract` and say which ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from watchword.contract.ports import Charge, Ledger, Limit
from watchword.testing.ledger_calls import DAY_SECONDS, TEN_A_DAY, THREADS, at_once, unavailable
from watchword.testing.ledger_claims import ClaimRules
from watchword.testing.requests import NOW


class LedgerContract(ClaimRules):
    """What every `Ledger` must do, sentence by sentence of its port, alone and with 64 threads at once.

    Subclass it under a name that begins with Test, and give it a pytest fixture ``ledger`` that makes an empty one::

        class TestMyLedger(LedgerContract):
            @pytest.fixture
            def ledger(self):
                return MyLedger()

    *within* is how many seconds a call may take in these tests.
    """

    def test_it_says_which_processes_share_it(self, ledger: Ledger) -> None:
        """Hosts go by what a ledger says of itself, and not by its name: this process, this machine, or all."""
        assert ledger.reach in {"process", "machine", "everywhere"}

    # charge

    def test_an_answer_is_charged_once(self, ledger: Ledger) -> None:
        """The same answer to the same round is a repeat, told with the time of the first, and costs nothing."""
        assert self._charge(ledger, "r1") == Charge("charged", NOW)
        for later in range(1, 30):
            assert self._charge(ledger, "r1", now=NOW + later) == Charge("repeated", NOW)
        assert self._left(ledger) == 9

    def test_a_round_has_one_answer(self, ledger: Ledger) -> None:
        """Another answer to the same round is refused and costs nothing; the first one stays the answer."""
        self._charge(ledger, "r1", "first")
        assert self._charge(ledger, "r1", "second", now=NOW + 1) == Charge("refused", NOW)
        assert self._charge(ledger, "r1", "first", now=NOW + 2) == Charge("repeated", NOW)
        assert self._left(ledger) == 9

    def test_a_budget_ends(self, ledger: Ledger) -> None:
        """Exactly as many rounds are charged as the limit says, whatever rounds they are."""
        outcomes = [self._charge(ledger, f"r{number}").outcome for number in range(12)]
        assert outcomes == ["charged"] * 10 + ["exhausted"] * 2

    def test_budgets_are_kept_by_key(self, ledger: Ledger) -> None:
        """An empty budget is nobody else's."""
        self._exhaust(ledger)
        assert self._charge(ledger, "r", key="another").outcome == "charged"

    def test_exhausted_stays_exhausted_for_the_round(self, ledger: Ledger) -> None:
        """A round that found the budget empty is never evaluated, not even when there is room again."""
        self._exhaust(ledger)
        assert self._charge(ledger, "r", keep=NOW + 2 * DAY_SECONDS).outcome == "exhausted"
        assert self._charge(ledger, "r", now=NOW + DAY_SECONDS + 1).outcome == "exhausted"
        assert self._charge(ledger, "r", "another", now=NOW + DAY_SECONDS + 1).outcome == "exhausted"
        assert self._charge(ledger, "new", now=NOW + DAY_SECONDS + 1).outcome == "charged"

    def test_a_window_slides(self, ledger: Ledger) -> None:
        """A guess counts for exactly its window: there is never more than the limit in any window, and room right after."""
        limits = (Limit(2, 60),)
        moments = (0.0, 30.0, 59.999, 60.0, 89.999, 90.0, 119.0, 120.0)
        outcomes = [self._charge(ledger, f"r{at}", limits=limits, now=NOW + at).outcome for at in moments]
        room = ("charged", "charged", "exhausted", "charged", "exhausted", "charged", "exhausted", "charged")
        assert outcomes == list(room)

    def test_every_limit_holds(self, ledger: Ledger) -> None:
        """With several limits the tightest at each moment decides: 3 in 15 minutes, 5 an hour, 10 a day."""
        limits = (Limit(3, 900), Limit(5, 3600), Limit(10, DAY_SECONDS))
        counted = [
            minute
            for minute in range(0, 48 * 60, 5)
            if ledger.count(
                "key", event=f"m{minute}", owner="ann", limits=limits, now=NOW + minute * 60, within=self.within
            )
        ]
        assert len(counted) == 20
        for limit in limits:
            for first in counted:
                assert sum(first <= minute < first + limit.seconds / 60 for minute in counted) <= limit.count

    def test_entries_in_the_future_count(self, ledger: Ledger) -> None:
        """A clock set back, by an hour or by a week, never makes room."""
        self._exhaust(ledger)
        for back in (1, 3600, 7 * DAY_SECONDS):
            assert self._charge(ledger, f"r{back}", now=NOW - back).outcome == "exhausted"

    def test_a_clock_that_ran_ahead_makes_no_room(self, ledger: Ledger) -> None:
        """What was charged is still there when a clock that ran an hour ahead is set back."""
        self._exhaust(ledger, now=NOW)
        ahead = NOW + 3600 - 1
        for number in range(50):
            ledger.peek("nothing", now=ahead, within=self.within)
            self._charge(ledger, f"ahead{number}", now=ahead, keep=ahead + 600)
        assert self._charge(ledger, "r", now=NOW + 1).outcome == "exhausted"

    def test_a_record_that_is_over_counts_as_absent(self, ledger: Ledger) -> None:
        """Once the record of a round is over, its answer is charged anew, and the old guess still counts."""
        self._charge(ledger, "r1", keep=NOW + 600)
        assert self._charge(ledger, "r1", now=NOW + 599.999, keep=NOW + 1200).outcome == "repeated"
        assert self._charge(ledger, "r1", now=NOW + 600, keep=NOW + 1200) == Charge("charged", NOW + 600)
        assert self._left(ledger, now=NOW + 600) == 8

    # A claim's own try

    def test_a_sent_claim_has_one_try_of_its_own(self, ledger: Ledger) -> None:
        """When the budget is empty, a delivered code can still be answered once."""
        self._claim(ledger, "c1")
        self._sent(ledger, "c1")
        self._exhaust(ledger)
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "charged"
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "repeated"
        assert self._charge(ledger, "r2", claim_id="c1").outcome == "exhausted"

    def test_the_budget_pays_before_the_own_try(self, ledger: Ledger) -> None:
        """While there is room, the own try is spared."""
        self._sent(ledger, "c1")
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "charged"
        self._exhaust(ledger)
        assert self._charge(ledger, "r2", claim_id="c1").outcome == "charged"

    def test_saying_sent_twice_gives_one_try(self, ledger: Ledger) -> None:
        """Not even after the try was used does another ``sent`` give a new one."""
        self._exhaust(ledger)
        self._sent(ledger, "c1")
        self._sent(ledger, "c1")
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "charged"
        self._sent(ledger, "c1")
        assert self._charge(ledger, "r2", claim_id="c1").outcome == "exhausted"

    def test_an_unsent_claim_has_no_own_try(self, ledger: Ledger) -> None:
        """No message, no try."""
        self._exhaust(ledger)
        self._claim(ledger, "c1")
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "exhausted"

    def test_an_own_try_ends(self, ledger: Ledger) -> None:
        """The own try is good until its time and no longer."""
        self._exhaust(ledger)
        for claim_id in ("c1", "c2"):
            self._sent(ledger, claim_id)
        assert self._charge(ledger, "r1", claim_id="c1", now=NOW + 179.999).outcome == "charged"
        assert self._charge(ledger, "r2", claim_id="c2", now=NOW + 180).outcome == "exhausted"

    # forgive

    def test_a_forgiven_round_was_never_answered(self, ledger: Ledger) -> None:
        """Its record and its guess are gone together: the same answer or another one is charged anew."""
        for answer in ("first", "second", "first"):
            assert self._charge(ledger, "r1", answer).outcome == "charged"
            self._forgive(ledger, "r1")
        assert self._left(ledger) == 10

    def test_forgiving_takes_back_one_guess_once(self, ledger: Ledger) -> None:
        """Of the round that is named; a round that is forgiven or unknown already has nothing to take back."""
        for round_id in ("r1", "r2", "r3"):
            self._charge(ledger, round_id)
        for round_id in ("r1", "r1", "unknown"):
            self._forgive(ledger, round_id)
        assert self._charge(ledger, "r2").outcome == "repeated"
        assert self._left(ledger) == 8

    def test_forgiving_gives_an_own_try_back(self, ledger: Ledger) -> None:
        """What the claim's own try has paid can be paid by it again, once."""
        self._exhaust(ledger)
        self._sent(ledger, "c1")
        assert self._charge(ledger, "r1", claim_id="c1").outcome == "charged"
        self._forgive(ledger, "r1", claim_id="c1")
        assert self._charge(ledger, "r1", "another", claim_id="c1").outcome == "charged"
        assert self._charge(ledger, "r2", claim_id="c1").outcome == "exhausted"
        assert self._left(ledger) == 0

    def test_forgiving_gives_no_own_try_that_another_round_used(self, ledger: Ledger) -> None:
        """A round that the budget paid for gives back to the budget, whatever became of the own try."""
        self._sent(ledger, "c1")
        self._charge(ledger, "r1", claim_id="c1")
        self._exhaust(ledger)
        assert self._charge(ledger, "r2", claim_id="c1").outcome == "charged"
        self._forgive(ledger, "r1", claim_id="c1")
        assert [self._charge(ledger, f"r{n}", claim_id="c1").outcome for n in (3, 4)] == ["charged", "exhausted"]

    def test_forgiving_opens_no_round_that_found_the_budget_empty(self, ledger: Ledger) -> None:
        """What was not paid for is not taken back: such a round stays as it is."""
        self._exhaust(ledger)
        assert self._charge(ledger, "r", keep=NOW + 2 * DAY_SECONDS).outcome == "exhausted"
        self._forgive(ledger, "r")
        assert self._charge(ledger, "r", now=NOW + DAY_SECONDS + 1).outcome == "exhausted"

    def test_what_was_repeated_is_not_forgiven(self, ledger: Ledger) -> None:
        """The repeat may have compared the answer: the record stays and the guess is charged, by whatever it was paid for."""
        self._sent(ledger, "c1")
        self._charge(ledger, "r1", "first", claim_id="c1")
        for number in range(1, 4):
            assert self._charge(ledger, "r1", "first", now=NOW + number) == Charge("repeated", NOW)
            self._forgive(ledger, "r1", claim_id="c1")
        assert self._charge(ledger, "r1", "second").outcome == "refused"
        assert self._left(ledger) == 9
        assert [self._charge(ledger, "r2", claim_id="c1").outcome for _ in range(2)] == ["charged", "repeated"]
        self._forgive(ledger, "r2", claim_id="c1")
        assert self._charge(ledger, "r3", claim_id="c1").outcome == "exhausted"

    def test_another_answer_is_no_repeat(self, ledger: Ledger) -> None:
        """What was refused was not compared: the first answer can still be forgiven."""
        self._charge(ledger, "r1", "first")
        assert self._charge(ledger, "r1", "second").outcome == "refused"
        self._forgive(ledger, "r1")
        assert self._charge(ledger, "r1", "second").outcome == "charged"

    def test_of_64_calls_at_once_none_repeats_what_is_forgiven(self, ledger: Ledger) -> None:
        """Half of them charge one answer, half forgive it: once a call has read that it is a repeat, nothing takes it back."""
        self._charge(ledger, "r1")

        def call(number: int) -> str:
            if number % 2:
                self._forgive(ledger, "r1")
                return ""
            return self._charge(ledger, "r1").outcome

        outcomes = at_once(call)
        self._forgive(ledger, "r1")
        last = self._charge(ledger, "r1").outcome
        assert last == ("repeated" if "repeated" in outcomes else "charged")
        assert self._left(ledger) == 9

    def test_of_64_forgivings_at_once_one_guess_comes_back(self, ledger: Ledger) -> None:
        """Copies of a call that met an outage take back what was charged once."""
        self._exhaust(ledger)
        at_once(lambda number: self._forgive(ledger, "fill-budget-0"))
        assert self._left(ledger) == 1

    # count

    def test_an_event_is_counted_once(self, ledger: Ledger) -> None:
        """The same event again is free and reads True, also when the budget is empty by now."""
        limits = (Limit(2, 900),)
        assert [self._count(ledger, event, limits) for event in ("m1", "m1", "m2", "m1", "m3", "m2")] == [
            *(True, True, True, True, False, True)
        ]

    def test_an_event_that_found_no_room_may_come_again(self, ledger: Ledger) -> None:
        """What was not counted leaves no trace."""
        limits = (Limit(1, 900),)
        assert self._count(ledger, "m1", limits)
        assert not self._count(ledger, "m2", limits)
        assert self._count(ledger, "m2", limits, now=NOW + 900)

    # put, peek, take

    def test_a_value_is_kept_until_its_time(self, ledger: Ledger) -> None:
        """What was put can be read, any number of times, until it expires."""
        ledger.put("h", "value", expires=NOW + 60, within=self.within)
        assert [self._peek(ledger, now=NOW + at) for at in (0.0, 59.999, 60.0)] == ["value", "value", None]
        assert ledger.peek("other", now=NOW, within=self.within) is None

    def test_put_replaces(self, ledger: Ledger) -> None:
        """The last value put is the one kept, with its own time."""
        ledger.put("h", "old", expires=NOW + 60, within=self.within)
        ledger.put("h", "new", expires=NOW + 30, within=self.within)
        assert [self._peek(ledger, now=NOW + at) for at in (29.0, 30.0)] == ["new", None]

    def test_take_takes_away(self, ledger: Ledger) -> None:
        """A value is taken once; after its time not at all."""
        ledger.put("h", "value", expires=NOW + 60, within=self.within)
        assert ledger.take("h", now=NOW + 60, within=self.within) is None
        ledger.put("h", "value", expires=NOW + 60, within=self.within)
        assert ledger.take("h", now=NOW, within=self.within) == "value"
        assert ledger.take("h", now=NOW, within=self.within) is None
        assert self._peek(ledger) is None

    def test_values_of_any_text_come_back_as_they_were(self, ledger: Ledger) -> None:
        """Empty, long, non-ASCII and odd values are kept to the character."""
        for value in ("", "ä€𝄞", "a\0b\r\n", "x" * 100_000, "'; DROP TABLE"):
            ledger.put("h", value, expires=NOW + 60, within=self.within)
            assert ledger.take("h", now=NOW, within=self.within) == value

    # forget

    def test_forget_empties_the_budgets_of_one_owner(self, ledger: Ledger) -> None:
        """All budgets of the owner are empty afterwards, nobody else's; the answer is how many there were."""
        for key, owner in (("guesses", "ann"), ("mails", "ann"), ("others", "bob")):
            self._exhaust(ledger, key=key, owner=owner)
        assert ledger.forget("ann", within=self.within) == 2
        assert ledger.forget("ann", within=self.within) == 0
        assert [self._left(ledger, key=key) for key in ("guesses", "mails", "others")] == [10, 10, 0]

    # Failing

    def test_without_time_nothing_happens(self, ledger: Ledger) -> None:
        """A call that has no time left raises UnavailableError and writes nothing."""
        self._claim(ledger, "c1")
        ledger.settle("key", "c1", "unsent", own_until=NOW + 180, within=self.within)
        self._charge(ledger, "r0")
        ledger.put("h", "value", expires=NOW + 60, within=self.within)

        def calls(late: float) -> tuple[Callable[[], object], ...]:
            return (
                lambda: ledger.claim("free", "c2", lease=16, now=NOW, within=late),
                lambda: ledger.settle("key", "c1", "sent", own_until=NOW + 180, within=late),
                lambda: ledger.resume("key", "c1", within=late),
                lambda: self._charge(ledger, "r1", within=late),
                lambda: ledger.forgive("r0", key="budget", claim_id="", within=late),
                lambda: self._count(ledger, "m1", TEN_A_DAY, within=late),
                lambda: ledger.consume("c1", by="r0", refund="budget", keep=NOW + 600, slot="key", within=late),
                lambda: ledger.consumed("c1", within=late),
                lambda: ledger.consumed("c1", by="r0", within=late),
                lambda: ledger.put("h", "other", expires=NOW + 60, within=late),
                lambda: ledger.peek("h", now=NOW, within=late),
                lambda: ledger.take("h", now=NOW, within=late),
                lambda: ledger.forget("ann", within=late),
            )

        assert all(unavailable(call) for late in (0.0, -1.0) for call in calls(late))
        assert self._claim(ledger, "c3", key="free").fresh
        assert self._claim(ledger, "c3").state == "unsent"
        assert self._peek(ledger) == "value"
        assert self._consume(ledger, "c1", "another")
        assert self._left(ledger) == 9

    def test_repr_shows_nothing_kept(self, ledger: Ledger) -> None:
        """What is kept does not show."""
        ledger.put("canary-key", "canary-value", expires=NOW + 60, within=self.within)
        self._charge(ledger, "canary-round", "canary-answer")
        assert "canary" not in repr(ledger)
        assert "canary" not in str(ledger)

    # At once

    def test_of_64_equal_answers_at_once_one_is_charged(self, ledger: Ledger) -> None:
        """Copies of one answer cost one guess."""
        outcomes = Counter(charge.outcome for charge in at_once(lambda number: self._charge(ledger, "r1")))
        assert outcomes == {"charged": 1, "repeated": THREADS - 1}
        assert self._left(ledger) == 9

    def test_of_64_different_answers_at_once_one_is_charged(self, ledger: Ledger) -> None:
        """A round has one answer, however many arrive together."""
        outcomes = Counter(charge.outcome for charge in at_once(lambda n: self._charge(ledger, "r1", f"answer{n}")))
        assert outcomes == {"charged": 1, "refused": THREADS - 1}

    def test_of_500_rounds_at_once_the_limit_is_charged(self, ledger: Ledger) -> None:
        """Parallel sessions get no more guesses than one (RFC 4226 7.3), and no fewer."""
        outcomes = Counter(
            charge.outcome for charge in at_once(lambda number: self._charge(ledger, f"r{number}"), times=500)
        )
        assert outcomes == {"charged": 10, "exhausted": 490}

    def test_of_64_rounds_at_once_one_gets_the_own_try(self, ledger: Ledger) -> None:
        """A claim's own try is one, however many rounds ask for it together."""
        self._exhaust(ledger)
        self._sent(ledger, "c1")
        charges = at_once(lambda number: self._charge(ledger, f"r{number}", claim_id="c1"))
        assert Counter(charge.outcome for charge in charges) == {"charged": 1, "exhausted": THREADS - 1}

    def test_of_64_messages_at_once_the_limit_is_counted(self, ledger: Ledger) -> None:
        """No burst gets more messages than the limit."""
        assert sum(at_once(lambda number: self._count(ledger, f"m{number}", (Limit(3, 900),)))) == 3

    def test_of_64_takes_at_once_one_takes(self, ledger: Ledger) -> None:
        """A value put once is taken once."""
        ledger.put("h", "value", expires=NOW + 60, within=self.within)
        taken = at_once(lambda number: ledger.take("h", now=NOW, within=self.within))
        assert Counter(taken) == {"value": 1, None: THREADS - 1}
