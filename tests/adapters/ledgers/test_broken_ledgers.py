"""Ledgers that are broken in one way each: every rule of the contract catches the one that breaks it."""

import contextlib
import threading

import pytest
from attrs import evolve

from watchword.contract.ports import Charge, Claim, Limit
from watchword.errors import UnavailableError
from watchword.testing import LedgerContract
from watchword_adapters.ledgers.memory import MemoryLedger, _Holder, _Try

BROKEN = []


def breaks(*rules):
    """Mark a ledger as breaking the contract's tests *rules*."""

    def mark(ledger):
        BROKEN.extend((rule, ledger) for rule in rules)
        return ledger

    return mark


@breaks("it_says_which_processes_share_it")
class SaysThatItIsSharedSomehow(MemoryLedger):
    reach = True


# claim, settle, resume


@breaks("the_first_claim_of_a_key_is_fresh")
class TellsFractionsOfSeconds(MemoryLedger):
    def claim(self, key, claim_id, *, now, **named):
        return evolve(super().claim(key, claim_id, now=now, **named), issued=now)


@breaks("the_first_claim_of_a_key_is_fresh")
class TellsNobodyThatItIsFresh(MemoryLedger):
    def claim(self, key, claim_id, **named):
        return evolve(super().claim(key, claim_id, **named), fresh=False)


@breaks("a_held_key_gives_its_holder", "settle_says_what_became_of_the_message", "what_was_sent_stays_sent")
class TakesTheKeyFromItsHolder(MemoryLedger):
    def claim(self, key, claim_id, *, now, **named):
        self._holders.records.pop(key, None)
        return super().claim(key, claim_id, now=now, **named)


@breaks("a_held_key_gives_its_holder")
class GivesTheIdOfWhoAsks(MemoryLedger):
    def claim(self, key, claim_id, **named):
        return evolve(super().claim(key, claim_id, **named), id=claim_id)


@breaks("a_held_key_gives_its_holder")
class ClaimsAnewForTheSameId(MemoryLedger):
    def claim(self, key, claim_id, **named):
        claim = super().claim(key, claim_id, **named)
        return evolve(claim, fresh=claim.fresh or claim.id == claim_id)


@breaks("a_lease_that_is_over_frees_the_key", "settle_leaves_another_holder_alone")
class NeverEndsALease(MemoryLedger):
    def claim(self, key, claim_id, *, lease, **named):
        return super().claim(key, claim_id, lease=10**9, **named)


@breaks("a_lease_that_is_over_frees_the_key")
class KeepsALeaseAMomentTooLong(MemoryLedger):
    def claim(self, key, claim_id, *, lease, **named):
        return super().claim(key, claim_id, lease=lease + 0.001, **named)


@breaks("a_clock_set_back_leaves_the_holder")
class BelievesAClockThatWasSetBack(MemoryLedger):
    def claim(self, key, claim_id, *, now, **named):
        holder = self._holders.records.get(key)
        if holder is not None and now < holder.issued:
            del self._holders.records[key]
        return super().claim(key, claim_id, now=now, **named)


@breaks("keys_do_not_share_claims")
class HasOneKeyForAll(MemoryLedger):
    def claim(self, key, claim_id, **named):
        return super().claim("key", claim_id, **named)


@breaks("settle_says_what_became_of_the_message", "resume_takes_an_unsent_claim_once")
class SettlesNothing(MemoryLedger):
    def settle(self, key, claim_id, state, *, own_until, within):
        pass


@breaks("settle_leaves_another_holder_alone")
class SettlesWhoeverHoldsTheKey(MemoryLedger):
    def settle(self, key, claim_id, state, **named):
        super().settle(key, claim_id, state, **named)
        holder = self._holders.records.get(key)
        if holder is not None:
            holder.state = state


@breaks("settle_leaves_another_holder_alone")
class GivesTheOwnTryToTheHolderAlone(MemoryLedger):
    def settle(self, key, claim_id, state, **named):
        holder = self._holders.records.get(key)
        if holder is None or holder.claim_id == claim_id:
            super().settle(key, claim_id, state, **named)


@breaks("what_was_sent_stays_sent")
class BelievesAFailureThatIsToldLate(MemoryLedger):
    def settle(self, key, claim_id, state, **named):
        super().settle(key, claim_id, state, **named)
        holder = self._holders.records.get(key)
        if holder is not None and holder.claim_id == claim_id:
            holder.state = state


@breaks("resume_takes_an_unsent_claim_once", "of_64_resumes_at_once_one_wins")
class ResumesAsOftenAsWanted(MemoryLedger):
    def resume(self, key, claim_id, *, within):
        holder = self._holders.records.get(key)
        return holder is not None and holder.claim_id == claim_id and holder.state == "unsent"


@breaks("resume_takes_an_unsent_claim_once")
class ResumesWhatIsBeingSent(MemoryLedger):
    def resume(self, key, claim_id, *, within):
        holder = self._holders.records.get(key)
        return super().resume(key, claim_id, within=within) or (holder is not None and holder.state == "sending")


@breaks("resume_needs_the_holder")
class ResumesForAnybody(MemoryLedger):
    def resume(self, key, claim_id, *, within):
        holder = self._holders.records.get(key)
        return holder is not None and super().resume(key, holder.claim_id, within=within)


@breaks("resume_needs_the_holder")
class ResumesWhatNobodyHolds(MemoryLedger):
    def resume(self, key, claim_id, *, within):
        return key not in self._holders.records or super().resume(key, claim_id, within=within)


# charge


@breaks("an_answer_is_charged_once", "of_64_equal_answers_at_once_one_is_charged")
class ChargesEveryCall(MemoryLedger):
    calls = 0

    def charge(self, request, **named):
        self.calls += 1
        return super().charge(evolve(request, round_id=f"{request.round_id}-{self.calls}"), **named)


@breaks("an_answer_is_charged_once")
class TellsTheTimeOfTheRepeat(MemoryLedger):
    def charge(self, request, **named):
        return evolve(super().charge(request, **named), at=request.now)


@breaks("a_round_has_one_answer", "of_64_different_answers_at_once_one_is_charged")
class TakesAnyNumberOfAnswers(MemoryLedger):
    def charge(self, request, **named):
        return super().charge(evolve(request, round_id=request.round_id + request.answer), **named)


@breaks("a_round_has_one_answer", "a_round_that_was_refunded_stays_answered")
class TakesTheLastAnswerForTheRoundsOwn(MemoryLedger):
    def charge(self, request, **named):
        charge = super().charge(request, **named)
        known = self._rounds.records[request.round_id]
        self._rounds.records[request.round_id] = evolve(known, answer=request.answer)
        return evolve(charge, outcome="repeated") if charge.outcome == "refused" else charge


@breaks("a_budget_ends", "of_500_rounds_at_once_the_limit_is_charged")
class AllowsOneTooMany(MemoryLedger):
    def charge(self, request, **named):
        limits = [Limit(each.count + 1, each.seconds) for each in request.limits]
        return super().charge(evolve(request, limits=limits), **named)


@breaks("a_budget_ends", "exhausted_stays_exhausted_for_the_round")
class HasNoLimits(MemoryLedger):
    def charge(self, request, **named):
        return super().charge(evolve(request, limits=()), **named)


@breaks("budgets_are_kept_by_key")
class HasOneBudgetForAll(MemoryLedger):
    def charge(self, request, **named):
        return super().charge(evolve(request, key="one"), **named)


@breaks("exhausted_stays_exhausted_for_the_round")
class TriesAgainWhatFoundNoRoom(MemoryLedger):
    def charge(self, request, **named):
        charge = super().charge(request, **named)
        if charge.outcome == "exhausted":
            self._rounds.records.pop(request.round_id, None)
        return charge


@breaks("a_window_slides")
class EmptiesTheBudgetAtRoundHours(MemoryLedger):
    def charge(self, request, **named):
        key = f"{request.key}-{int(request.now // request.limits[0].seconds)}"
        return super().charge(evolve(request, key=key), **named)


@breaks("a_window_slides")
class CountsAMomentTooLong(MemoryLedger):
    def charge(self, request, **named):
        limits = [Limit(each.count, each.seconds + 1) for each in request.limits]
        return super().charge(evolve(request, limits=limits), **named)


@breaks("every_limit_holds")
class ReadsTheFirstLimitAlone(MemoryLedger):
    def count(self, key, *, limits, **named):
        return super().count(key, limits=limits[:1], **named)


@breaks("entries_in_the_future_count")
class DropsWhatLiesInTheFuture(MemoryLedger):
    def charge(self, request, **named):
        entries = self._entries(request.key)
        entries[:] = [entry for entry in entries if entry.at <= request.now]
        return super().charge(request, **named)


@breaks("a_clock_that_ran_ahead_makes_no_room")
class KeepsNothingButTheHourAtHand(MemoryLedger):
    def charge(self, request, **named):
        entries = self._entries(request.key)
        entries[:] = [entry for entry in entries if abs(entry.at - request.now) < 3000]
        return super().charge(request, **named)


@breaks("a_record_that_is_over_counts_as_absent")
class KeepsRoundsForEver(MemoryLedger):
    def charge(self, request, **named):
        return super().charge(evolve(request, keep=10**12), **named)


@breaks("a_record_that_is_over_counts_as_absent", "a_right_answer_is_no_guess")
class PaysBackWhatIsForgotten(MemoryLedger):
    def charge(self, request, **named):
        entries, round_id = self._entries(request.key), request.round_id
        entries[:] = [entry for entry in entries if entry.event != round_id or round_id in self._rounds.records]
        if round_id in self._rounds.records and not self._rounds.live(round_id, request.now):
            entries[:] = [entry for entry in entries if entry.event != round_id]
        return super().charge(request, **named)

    def consume(self, claim_id, *, refund, **named):
        return super().consume(claim_id, refund="nothing", **named)


# A claim's own try


@breaks("a_sent_claim_has_one_try_of_its_own", "settle_leaves_another_holder_alone")
class HasNoOwnTries(MemoryLedger):
    def charge(self, request, **named):
        return super().charge(evolve(request, claim_id=""), **named)


@breaks("a_sent_claim_has_one_try_of_its_own", "of_64_rounds_at_once_one_gets_the_own_try")
class HasManyOwnTries(MemoryLedger):
    def charge(self, request, **named):
        own = self._tries.records.get(request.claim_id)
        if own is not None:
            own.used = False
        return super().charge(request, **named)


@breaks("the_budget_pays_before_the_own_try")
class SpendsTheOwnTryFirst(MemoryLedger):
    def charge(self, request, **named):
        own = self._tries.records.get(request.claim_id)
        if own is not None and not own.used:
            request = evolve(request, limits=[Limit(1, 1), *request.limits])
            own.used = True
        return super().charge(request, **named)


@breaks("saying_sent_twice_gives_one_try")
class GivesATryForEverySent(MemoryLedger):
    def settle(self, key, claim_id, state, *, own_until, within):
        self._tries.records.pop(claim_id, None)
        super().settle(key, claim_id, state, own_until=own_until, within=within)


@breaks("an_unsent_claim_has_no_own_try")
class GivesATryWithoutAMessage(MemoryLedger):
    def settle(self, key, claim_id, state, *, own_until, within):
        super().settle(key, claim_id, state, own_until=own_until, within=within)
        self._tries.keep(claim_id, _Try(used=False, until=own_until))


@breaks("an_own_try_ends")
class NeverEndsAnOwnTry(MemoryLedger):
    def settle(self, key, claim_id, state, *, own_until, within):
        super().settle(key, claim_id, state, own_until=10**12, within=within)


# forgive


@breaks("a_forgiven_round_was_never_answered", "forgiving_gives_an_own_try_back")
class ForgivesNothing(MemoryLedger):
    def forgive(self, round_id, **named):
        pass


@breaks("a_forgiven_round_was_never_answered", "of_64_forgivings_at_once_one_guess_comes_back")
class ForgivesTheRecordAlone(MemoryLedger):
    def forgive(self, round_id, *, key, **named):
        super().forgive(round_id, key="nothing", **named)


@breaks("a_forgiven_round_was_never_answered")
class ForgivesTheGuessAlone(MemoryLedger):
    def forgive(self, round_id, *, key, claim_id, within):
        self._refund(key, round_id)


@breaks("forgiving_takes_back_one_guess_once")
class ForgivesWhateverGuessThereIs(MemoryLedger):
    def forgive(self, round_id, *, key, **named):
        super().forgive(round_id, key="nothing", **named)
        del self._entries(key)[-1:]


@breaks("forgiving_gives_an_own_try_back")
class KeepsTheOwnTryItForgives(MemoryLedger):
    def forgive(self, round_id, *, claim_id, **named):
        super().forgive(round_id, claim_id="", **named)


@breaks("forgiving_gives_no_own_try_that_another_round_used")
class ForgivesByTheOwnTryOfTheClaim(MemoryLedger):
    def forgive(self, round_id, *, claim_id, **named):
        super().forgive(round_id, claim_id=claim_id, **named)
        if claim_id in self._tries.records:
            self._tries.records[claim_id].used = False


@breaks("forgiving_opens_no_round_that_found_the_budget_empty")
class ForgivesWhatWasNotPaid(MemoryLedger):
    def forgive(self, round_id, **named):
        super().forgive(round_id, **named)
        self._rounds.records.pop(round_id, None)


@breaks("what_was_repeated_is_not_forgiven")
class ForgivesWhatWasRepeated(MemoryLedger):
    def forgive(self, round_id, **named):
        known = self._rounds.records.get(round_id)
        if known is not None:
            self._rounds.keep(round_id, evolve(known, repeated=False))
        super().forgive(round_id, **named)


@breaks("another_answer_is_no_repeat")
class TakesAnyAnswerForARepeat(MemoryLedger):
    def charge(self, request, **named):
        known = self._rounds.live(request.round_id, request.now)
        if known is not None:
            self._rounds.keep(request.round_id, evolve(known, repeated=True))
        return super().charge(request, **named)


# count


@breaks("an_event_is_counted_once")
class CountsEveryCall(MemoryLedger):
    calls = 0

    def count(self, key, *, event, **named):
        self.calls += 1
        return super().count(key, event=f"{event}-{self.calls}", **named)


@breaks("an_event_that_found_no_room_may_come_again", "of_64_messages_at_once_the_limit_is_counted")
class CountsWhatFoundNoRoom(MemoryLedger):
    def count(self, key, *, event, limits, **named):
        super().count(key, event=event, limits=[Limit(10**6, each.seconds) for each in limits], **named)
        return super().count(key, event=event, limits=limits, **named)


# consume


@breaks("a_claim_is_consumed_by_one_round", "of_64_rounds_at_once_one_consumes")
class ConsumesForEverybody(MemoryLedger):
    def consume(self, claim_id, **named):
        super().consume(claim_id, **named)
        return True


@breaks("a_claim_is_consumed_by_one_round")
class TellsTheWinnerOnce(MemoryLedger):
    def consume(self, claim_id, **named):
        return claim_id not in self._marks.records and super().consume(claim_id, **named)


@breaks("a_right_answer_is_no_guess", "a_round_that_was_refunded_stays_answered")
class RefundsNothing(MemoryLedger):
    def consume(self, claim_id, *, refund, **named):
        return super().consume(claim_id, refund="nothing", **named)


@breaks("a_right_answer_is_no_guess")
class RefundsEveryTime(MemoryLedger):
    def consume(self, claim_id, *, refund, **named):
        won = super().consume(claim_id, refund=refund, **named)
        del self._entries(refund)[:1]
        return won


@breaks("a_refund_is_of_the_own_guess", "a_refund_needs_a_charge")
class RefundsTheNewestOfTheBudget(MemoryLedger):
    def consume(self, claim_id, *, refund, **named):
        new = claim_id not in self._marks.records
        won = super().consume(claim_id, refund="nothing", **named)
        if new:
            del self._entries(refund)[-1:]
        return won


@breaks("a_refund_takes_one_guess")
class RefundsAllGuessesOfTheRound(MemoryLedger):
    def consume(self, claim_id, *, by, refund, **named):
        won = super().consume(claim_id, by=by, refund=refund, **named)
        entries = self._entries(refund)
        entries[:] = [entry for entry in entries if entry.event != by]
        return won


@breaks("a_lost_race_refunds_nothing")
class RefundsWhoeverAsks(MemoryLedger):
    def consume(self, claim_id, *, by, refund, **named):
        won = super().consume(claim_id, by=by, refund=refund, **named)
        entries = self._entries(refund)
        entries[:] = [entry for entry in entries if entry.event != by]
        return won


@breaks("a_refund_needs_a_charge")
class RefundsWhatTheOwnTryPaid(MemoryLedger):
    def consume(self, claim_id, *, by, refund, **named):
        entries = self._entries(refund)
        if entries and all(entry.event != by for entry in entries):
            entries.pop()
        return super().consume(claim_id, by=by, refund=refund, **named)


@breaks("a_round_that_was_refunded_stays_answered")
class ForgetsTheAnswerWithTheRefund(MemoryLedger):
    def consume(self, claim_id, *, by, **named):
        won = super().consume(claim_id, by=by, **named)
        self._rounds.records.pop(by, None)
        return won


@breaks("consumed_tells_of_a_claim_that_was_used_up", "consumed_tells_by_which_round")
class TellsNobodyThatAClaimIsUsedUp(MemoryLedger):
    def consumed(self, claim_id, *, by=None, within):
        return False


@breaks("consumed_tells_by_which_round")
class TellsEachRoundThatItUsedTheClaimUp(MemoryLedger):
    def consumed(self, claim_id, *, by=None, within):
        return super().consumed(claim_id, within=within)


@breaks("consumed_tells_of_a_claim_that_was_used_up", "consumed_tells_by_which_round")
class UsesUpWhatItIsAskedOf(MemoryLedger):
    def consumed(self, claim_id, *, by=None, within):
        return not self.consume(claim_id, by="nobody", refund="", keep=0, within=within)


@breaks("a_consumed_claim_frees_its_key", "of_64_claims_at_once_on_a_freed_key_one_is_fresh")
class HoldsTheKeyToTheEndOfTheLease(MemoryLedger):
    def consume(self, claim_id, *, slot="", **named):
        return super().consume(claim_id, **named)


@breaks("a_consumed_claim_frees_no_other_key", "consuming_again_leaves_the_next_holder")
class FreesWhateverKeyItIsTold(MemoryLedger):
    def consume(self, claim_id, *, slot="", **named):
        self._holders.records.pop(slot, None)
        return super().consume(claim_id, **named)


@breaks("a_consumed_claim_frees_no_other_key")
class FreesEveryKeyOfTheClaim(MemoryLedger):
    def consume(self, claim_id, **named):
        for key in [key for key, holder in self._holders.records.items() if holder.claim_id == claim_id]:
            del self._holders.records[key]
        return super().consume(claim_id, **named)


# put, peek, take, forget


@breaks("a_value_is_kept_until_its_time", "take_takes_away")
class KeepsValuesForEver(MemoryLedger):
    def put(self, key, value, *, expires, within):
        super().put(key, value, expires=10**12, within=within)


@breaks("a_value_is_kept_until_its_time")
class TakesWhenItPeeks(MemoryLedger):
    def peek(self, key, **named):
        return self.take(key, **named)


@breaks("put_replaces")
class KeepsTheFirstValue(MemoryLedger):
    def put(self, key, value, *, expires, within):
        if key not in self._values.records:
            super().put(key, value, expires=expires, within=within)


@breaks("put_replaces")
class KeepsTheFirstTime(MemoryLedger):
    def put(self, key, value, *, expires, within):
        known = self._values.records.get(key)
        super().put(key, value, expires=known.until if known else expires, within=within)


@breaks("take_takes_away", "of_64_takes_at_once_one_takes")
class LeavesWhatItGives(MemoryLedger):
    def take(self, key, **named):
        return self.peek(key, **named)


@breaks("values_of_any_text_come_back_as_they_were")
class TrimsValues(MemoryLedger):
    def put(self, key, value, **named):
        super().put(key, value.strip(), **named)


@breaks("values_of_any_text_come_back_as_they_were")
class TakesAnEmptyTextForNothing(MemoryLedger):
    def take(self, key, **named):
        return super().take(key, **named) or None


@breaks("forget_empties_the_budgets_of_one_owner")
class ForgetsEverybody(MemoryLedger):
    def forget(self, owner, *, within):
        return sum(super(ForgetsEverybody, self).forget(each, within=within) for each in list(self._owned))


@breaks("forget_empties_the_budgets_of_one_owner")
class ForgetsNobody(MemoryLedger):
    def forget(self, owner, *, within):
        return len(self._owned.get(owner, ()))


@breaks("forget_empties_the_budgets_of_one_owner")
class CountsWhatItForgotBefore(MemoryLedger):
    def forget(self, owner, *, within):
        super().forget(owner, within=within)
        return 2


# Failing


@breaks("without_time_nothing_happens")
class TakesItsTime(MemoryLedger):
    @contextlib.contextmanager
    def _turn(self, within):
        with super()._turn(30.0):
            yield


@breaks("without_time_nothing_happens")
class FailsAfterItHasWritten(MemoryLedger):
    def put(self, key, value, *, expires, within):
        super().put(key, value, expires=expires, within=30.0)
        if not within > 0:
            raise UnavailableError("too late")


@breaks("without_time_nothing_happens")
class RaisesAnErrorOfItsOwn(MemoryLedger):
    def peek(self, key, *, now, within):
        if not within > 0:
            raise TimeoutError
        return super().peek(key, now=now, within=within)


@breaks("repr_shows_nothing_kept")
class ShowsWhatItKeeps(MemoryLedger):
    def __repr__(self):
        return f"MemoryLedger({self._values.records})"


@breaks("repr_shows_nothing_kept")
class ShowsKeysToPeople(MemoryLedger):
    def __str__(self):
        return f"a ledger of {list(self._values.records)}"


# At once

AT_ONCE = sorted(name.removeprefix("test_") for name in dir(LedgerContract) if "_at_once_" in name)


@breaks(*AT_ONCE)
class LooksBeforeTheOthersWrite:
    """A ledger that reads and writes in two: what others do between the two is lost on it."""

    def __init__(self):
        self._calls, self._main, self._local = [], threading.get_ident(), threading.local()
        self._ledger = MemoryLedger()

    def __getattr__(self, name):
        def call(*given, **named):
            if threading.get_ident() == self._main:
                self._calls.append((name, given, named))
                return getattr(self._ledger, name)(*given, **named)
            if not hasattr(self._local, "ledger"):
                self._local.ledger = MemoryLedger()
                for each, *how in self._calls:
                    getattr(self._local.ledger, each)(*how[0], **how[1])
            return getattr(self._local.ledger, name)(*given, **named)

        return call


@breaks("of_64_claims_at_once_one_is_fresh")
class GivesEveryThreadItsOwnClaim(MemoryLedger):
    def claim(self, key, claim_id, *, lease, now, within):
        self._holders.keep(key, _Holder(claim_id, int(now), "sending", now + lease))
        return Claim(claim_id, int(now), "sending", fresh=threading.current_thread() is not threading.main_thread())


@breaks("of_500_rounds_at_once_the_limit_is_charged")
class GivesUpWhenItIsCrowded(MemoryLedger):
    calls = 0

    def charge(self, request, **named):
        self.calls += 1
        return Charge("exhausted", request.now) if self.calls < 495 else super().charge(request, **named)


@pytest.mark.parametrize(("rule", "ledger"), BROKEN, ids=[f"{rule}-{ledger.__name__}" for rule, ledger in BROKEN])
def test_the_contract_catches(rule, ledger):
    """The rule that a broken ledger breaks fails for it."""
    # ValueError: not exactly one claim was fresh; TimeoutError: an error that is not the port's.
    with pytest.raises((AssertionError, ValueError, TimeoutError)):
        getattr(LedgerContract(), f"test_{rule}")(ledger())


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in BROKEN}))
def test_the_contract_lets_a_good_ledger_pass(rule):
    """A rule that nothing passes would catch everything."""
    getattr(LedgerContract(), f"test_{rule}")(MemoryLedger())


def test_every_rule_has_a_broken_ledger():
    """No rule of the contract is without teeth."""
    rules = {name.removeprefix("test_") for name in dir(LedgerContract) if name.startswith("test_")}
    assert rules == {rule for rule, _ in BROKEN}
    assert len({ledger for _, ledger in BROKEN}) >= 50
