"""Stores of credentials that are broken in one way each: every rule of the contract catches the one that breaks it."""

import threading

import pytest
from attrs import evolve

from watchword.testing import CredentialsContract
from watchword_adapters.credentials import MemoryCredentials

BROKEN = []


def breaks(*rules):
    """Mark a store as breaking the contract's tests *rules*."""

    def mark(store):
        BROKEN.extend((rule, store) for rule in rules)
        return store

    return mark


@breaks("it_says_which_processes_share_it")
class SaysThatItIsSharedSomehow(MemoryCredentials):
    reach = "sometimes"


# list and add


@breaks("nobody_has_credentials_at_first")
class AnswersWithAList(MemoryCredentials):
    def list(self, owner, *, within):
        return super().list(owner, within=within) or []


@breaks("what_was_added_is_listed", "a_credential_is_removed_once", "a_swap_writes_all_and_counts")
class IsEventuallyConsistent(MemoryCredentials):
    """A read gives what was there before the last write of anybody."""

    def __init__(self):
        super().__init__()
        self._before = {}

    def add(self, credential, **named):
        self._before = dict(self._owned)
        return super().add(credential, **named)

    def swap(self, credential, **named):
        self._before = dict(self._owned)
        return super().swap(credential, **named)

    def remove(self, owner, kind, each, **named):
        self._before = dict(self._owned)
        return super().remove(owner, kind, each, **named)

    def list(self, owner, *, within):
        return self._before.get(owner, ())


@breaks("what_was_added_is_listed")
class BeginsEachVersionAtZero(MemoryCredentials):
    def add(self, credential, **named):
        return super().add(evolve(credential, version=0), **named)


@breaks("what_was_added_is_listed", "a_swap_writes_all_and_counts")
class ForgetsTheRounds(MemoryCredentials):
    def list(self, owner, *, within):
        return tuple(evolve(each, rounds=()) for each in super().list(owner, within=within))


@breaks("the_oldest_is_listed_first")
class SortsByTime(MemoryCredentials):
    def list(self, owner, *, within):
        return tuple(sorted(super().list(owner, within=within), key=lambda each: each.created))


@breaks("the_oldest_is_listed_first", "a_swap_writes_all_and_counts")
class PutsWhatWasSwappedLast(MemoryCredentials):
    def swap(self, credential, *, version, within):
        won = super().swap(credential, version=version, within=within)
        owned = self._owned.get(credential.owner, ())
        if won:
            mine = [each for each in owned if each.id == credential.id and each.kind == credential.kind]
            self._owned[credential.owner] = (*(each for each in owned if each not in mine), *mine)
        return won


@breaks("owners_share_nothing")
class FoldsOwners(MemoryCredentials):
    def add(self, credential, **named):
        added = super().add(credential, **named)
        self._owned[credential.owner.lower()] = self._owned.get(credential.owner, ())
        return added

    def list(self, owner, *, within):
        return super().list(owner.lower(), within=within)


@breaks("an_id_has_one_owner", "a_refused_replacement_replaces_nothing", "of_64_owners_at_once_one_gets_the_id")
class ForgetsUniqueness(MemoryCredentials):
    def add(self, credential, **named):
        mine = {(each.kind, each.id) for each in self._owned.get(credential.owner, ())}
        self._ids = set(mine)
        return super().add(credential, **named)


@breaks("an_id_has_one_owner")
class ReplacesWithTheSameId(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        if replace:
            self.remove(credential.owner, credential.kind, credential.id, within=within)
        return super().add(credential, replace=replace, most=most, within=within)


@breaks("ids_are_apart_by_kind")
class HasOneIdForAllKinds(MemoryCredentials):
    def add(self, credential, **named):
        if any(credential.id == each for _, each in self._ids):
            return False
        return super().add(credential, **named)


@breaks("an_owner_has_at_most_so_many", "of_64_adds_at_once_as_many_as_allowed_are_kept")
class TakesAnyNumber(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        return super().add(credential, replace=replace, most=10**6, within=within)


@breaks("an_owner_has_at_most_so_many")
class CountsByKind(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        others = sum(each.kind != credential.kind for each in self._owned.get(credential.owner, ()))
        return super().add(credential, replace=replace, most=most + others, within=within)


@breaks("an_owner_has_at_most_so_many", "of_64_adds_at_once_as_many_as_allowed_are_kept")
class ReservesTheIdOfWhatItRefuses(MemoryCredentials):
    def add(self, credential, **named):
        added = super().add(credential, **named)
        self._ids.add((credential.kind, credential.id))
        return added


@breaks("replacing_takes_away_the_old_of_the_kind", "what_is_replaced_does_not_count")
class NeverReplaces(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        return super().add(credential, replace=False, most=most, within=within)


@breaks("replacing_takes_away_the_old_of_the_kind")
class ReplacesEveryKind(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        added = super().add(credential, replace=replace, most=most, within=within)
        if added and replace:
            for each in self.list(credential.owner, within=within)[:-1]:
                self.remove(each.owner, each.kind, each.id, within=within)
        return added


@breaks("replacing_takes_away_the_old_of_the_kind", "of_64_replacements_at_once_the_last_stays")
class KeepsTheIdsOfWhatItReplaced(MemoryCredentials):
    def add(self, credential, **named):
        known = set(self._ids)
        added = super().add(credential, **named)
        self._ids |= known
        return added


@breaks("what_is_replaced_does_not_count")
class CountsWhatItReplaces(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        if len(self._owned.get(credential.owner, ())) >= most:
            return False
        return super().add(credential, replace=replace, most=most, within=within)


@breaks("what_is_replaced_does_not_count")
class ReplacesHoweverManyThereAre(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        return super().add(credential, replace=replace, most=10**6 if replace else most, within=within)


@breaks("a_refused_replacement_replaces_nothing")
class RemovesBeforeItKnows(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        for each in self.list(credential.owner, within=within):
            if replace and each.kind == credential.kind:
                self.remove(each.owner, each.kind, each.id, within=within)
        return super().add(credential, replace=False, most=most, within=within)


# swap


@breaks("a_swap_needs_the_version", "of_64_swaps_at_once_one_wins")
class LosesVersions(MemoryCredentials):
    """The last writer wins."""

    def swap(self, credential, *, version, within):
        for each in self.list(credential.owner, within=within):
            if (each.kind, each.id) == (credential.kind, credential.id):
                return super().swap(credential, version=each.version, within=within)
        return False


@breaks("a_swap_writes_all_and_counts")
class WritesTheVersionOfTheCaller(MemoryCredentials):
    def swap(self, credential, *, version, within):
        won = super().swap(credential, version=version, within=within)
        if won:
            self._owned[credential.owner] = tuple(
                credential if (each.kind, each.id) == (credential.kind, credential.id) else each
                for each in self._owned[credential.owner]
            )
        return won


@breaks("a_swap_writes_all_and_counts")
class SwapsTheStateAlone(MemoryCredentials):
    def swap(self, credential, *, version, within):
        for each in self.list(credential.owner, within=within):
            if (each.kind, each.id) == (credential.kind, credential.id):
                credential = evolve(each, state=credential.state)
        return super().swap(credential, version=version, within=within)


@breaks("a_swap_needs_the_version")
class TakesALaterVersion(MemoryCredentials):
    def swap(self, credential, *, version, within):
        known = [each.version for each in self.list(credential.owner, within=within) if each.id == credential.id]
        return super().swap(credential, version=min([version, *known]), within=within)


@breaks("a_swap_needs_the_credential", "what_is_removed_among_64_swaps_at_once_stays_away")
class BringsBackWhatIsGone(MemoryCredentials):
    def swap(self, credential, *, version, within):
        if super().swap(credential, version=version, within=within):
            return True
        return self.add(credential, replace=False, most=99, within=within)


@breaks("a_swap_needs_the_credential")
class SwapsForAnyOwner(MemoryCredentials):
    def swap(self, credential, *, version, within):
        for owner, owned in self._owned.items():
            if any((each.kind, each.id) == (credential.kind, credential.id) for each in owned):
                credential = evolve(credential, owner=owner)
        return super().swap(credential, version=version, within=within)


@breaks("swaps_at_once_of_several_credentials_do_not_meet", "a_swap_needs_the_version")
class HasOneVersionForAll(MemoryCredentials):
    def swap(self, credential, *, version, within):
        owned = self._owned.get(credential.owner, ())
        if any(each.version > version for each in owned):
            return False
        return super().swap(credential, version=version, within=within) or version == 2


# remove


@breaks("a_credential_is_removed_once", "of_64_removals_at_once_one_removes")
class AlwaysSaysThatItRemoved(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        super().remove(owner, kind, each, within=within)
        return True


@breaks("a_credential_is_removed_once", "of_64_removals_at_once_one_removes")
class RemovesAllOfTheOwner(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        removed = super().remove(owner, kind, each, within=within)
        for one in self.list(owner, within=within) if removed else ():
            super().remove(owner, one.kind, one.id, within=within)
        return removed


@breaks("a_credential_is_removed_once", "who_removed_all_begins_anew")
class KeepsTheIdsOfWhatItRemoved(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        removed = super().remove(owner, kind, each, within=within)
        if removed:
            self._ids.add((kind, each))
        return removed


@breaks("removing_needs_owner_kind_and_id")
class RemovesForAnyOwner(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        return any(
            super(RemovesForAnyOwner, self).remove(anybody, kind, each, within=within) for anybody in [*self._owned]
        )


@breaks("removing_needs_owner_kind_and_id")
class RemovesOfAnyKind(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        kinds = [one.kind for one in self.list(owner, within=within) if one.id == each]
        return super().remove(owner, *kinds or [kind], each, within=within)


@breaks("removing_needs_owner_kind_and_id")
class FreesIdsWithoutLooking(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        self._ids.discard((kind, each))
        return super().remove(owner, kind, each, within=within)


@breaks("who_removed_all_begins_anew")
class CountsWhatWasRemoved(MemoryCredentials):
    def __init__(self):
        super().__init__()
        self._ever = {}

    def add(self, credential, *, most, **named):
        ever = self._ever[credential.owner] = self._ever.get(credential.owner, 0) + 1
        return ever <= most and super().add(credential, most=most, **named)


# What is kept


@breaks("texts_come_back_as_they_were")
class StripsTexts(MemoryCredentials):
    def list(self, owner, *, within):
        return tuple(evolve(each, label=each.label.strip()) for each in super().list(owner, within=within))


@breaks("texts_come_back_as_they_were", "the_fullest_owner_is_kept")
class CutsLongTexts(MemoryCredentials):
    def list(self, owner, *, within):
        return tuple(
            evolve(each, label=each.label[:255], state={name[:255]: text[:255] for name, text in each.state.items()})
            for each in super().list(owner, within=within)
        )


@breaks("what_was_listed_does_not_change")
class GivesAViewOfItsOwn(MemoryCredentials):
    def list(self, owner, *, within):
        super().list(owner, within=within)
        return View(self, owner)


class View:
    """What an owner has, whenever it is looked at."""

    def __init__(self, store, owner):
        self.store, self.owner = store, owner

    def __eq__(self, other):
        return self.store._owned.get(self.owner, ()) == other

    __hash__ = None


# Faults


@breaks("no_time_is_unavailable")
class TakesItsTime(MemoryCredentials):
    def list(self, owner, *, within):
        return super().list(owner, within=3600.0)


@breaks("no_time_is_unavailable")
class WritesAndThenLooksAtTheTime(MemoryCredentials):
    def swap(self, credential, *, version, within):
        super().swap(credential, version=version, within=3600.0)
        return super().swap(credential, version=version, within=within)


@breaks("no_time_is_unavailable")
class SaysFalseInsteadOfUnavailable(MemoryCredentials):
    def add(self, credential, *, replace, most, within):
        return within > 0 and super().add(credential, replace=replace, most=most, within=within)


@breaks("no_time_is_unavailable")
class RemovesWithoutTime(MemoryCredentials):
    def remove(self, owner, kind, each, *, within):
        return super().remove(owner, kind, each, within=3600.0)


@breaks("repr_shows_nothing_kept")
class ShowsWhatItKeeps(MemoryCredentials):
    def __repr__(self):
        return f"MemoryCredentials({self._owned})"


@breaks("repr_shows_nothing_kept")
class ShowsIdsToPeople(MemoryCredentials):
    def __str__(self):
        return f"a store of {self._ids}"


# At once

AT_ONCE = sorted(name.removeprefix("test_") for name in dir(CredentialsContract) if "_at_once" in name)


@breaks(
    *sorted(
        set(AT_ONCE) - {"of_64_replacements_at_once_the_last_stays", "whoever_lists_while_64_replace_at_once_sees_one"}
    )
)
class LooksBeforeTheOthersWrite:
    """A store that is not atomic: it reads and writes in two, and what others do between the two is lost on it."""

    def __init__(self):
        self._calls, self._main, self._local = [], threading.get_ident(), threading.local()
        self._store = MemoryCredentials()

    def __getattr__(self, name):
        def call(*given, **named):
            if threading.get_ident() == self._main:
                self._calls.append((name, given, named))
                return getattr(self._store, name)(*given, **named)
            if not hasattr(self._local, "store"):
                self._local.store = MemoryCredentials()
                for each, *how in self._calls:
                    getattr(self._local.store, each)(*how[0], **how[1])
            return getattr(self._local.store, name)(*given, **named)

        return call


@breaks("whoever_lists_while_64_replace_at_once_sees_one", "of_64_replacements_at_once_the_last_stays")
class ReplacesInTwoWrites(MemoryCredentials):
    """Whoever reads between the two sees both; and nobody takes away what came meanwhile."""

    def add(self, credential, *, replace, most, within):
        if replace and threading.current_thread() is not threading.main_thread():
            super().add(credential, replace=False, most=10**6, within=within)
            return True
        return super().add(credential, replace=replace, most=most, within=within)


@breaks("of_64_adds_at_once_as_many_as_allowed_are_kept", "of_64_replacements_at_once_the_last_stays")
class GivesUpWhenItIsCrowded(MemoryCredentials):
    calls = 0

    def add(self, credential, **named):
        self.calls += 1
        return self.calls > 50 and super().add(credential, **named)


@pytest.mark.parametrize(("rule", "store"), BROKEN, ids=[f"{rule}-{store.__name__}" for rule, store in BROKEN])
def test_the_contract_catches(rule, store):
    """The rule that a broken store breaks fails for it."""
    with pytest.raises((AssertionError, ValueError)):
        getattr(CredentialsContract(), f"test_{rule}")(store())


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in BROKEN}))
def test_the_contract_lets_a_good_store_pass(rule):
    """A rule that nothing passes would catch everything."""
    getattr(CredentialsContract(), f"test_{rule}")(MemoryCredentials())


def test_every_rule_has_a_broken_store():
    """No rule of the contract is without teeth."""
    rules = {name.removeprefix("test_") for name in dir(CredentialsContract) if name.startswith("test_")}
    assert rules == {rule for rule, _ in BROKEN}
