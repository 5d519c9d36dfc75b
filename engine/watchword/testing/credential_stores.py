"""The contract of a store of credentials, as tests: subclass `CredentialsContract` and say which store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import evolve

from watchword.contract.credentials import MAX_CREDENTIAL_STATE, MAX_CREDENTIALS, Credential, Credentials
from watchword.testing.ledger_calls import THREADS, at_once, unavailable

_ANN, _BOB = "pool_1#ann", "pool_1#bob"
_PHONE = Credential(
    "phone",
    _ANN,
    "totp",
    "My phone",
    created=1_800_000_000,
    used=1_800_000_060,
    state={"root": "k1", "step": "60000002"},
    rounds=("round-1", "round-2"),
)
_KEY = Credential("key", _ANN, "passkey", "Blue key", created=1_800_000_001, state={"count": "7"})


class CredentialsContract:
    """What every store of `Credentials` must do, sentence by sentence of its port, alone and with 64 threads at once.

    Subclass it under a name that begins with Test, and give it a pytest fixture ``store`` that makes an empty one::

        class TestMyCredentials(CredentialsContract):
            @pytest.fixture
            def store(self):
                return MyCredentials()

    *within* is how many seconds a call may take in these tests.
    """

    within: float = 3600.0

    def test_it_says_which_processes_share_it(self, store: Credentials) -> None:
        """Hosts go by what a store says of itself, and not by its name: this process, this machine, or all."""
        assert store.reach in {"process", "machine", "everywhere"}

    # list and add

    def test_nobody_has_credentials_at_first(self, store: Credentials) -> None:
        """An owner who is not known has none, and asking makes none."""
        for _ in range(2):
            assert self._list(store) == ()

    def test_what_was_added_is_listed(self, store: Credentials) -> None:
        """At once, and as it was added: label, times, state, rounds and version."""
        for credential in (_PHONE, evolve(_KEY, version=7)):
            assert self._add(store, credential)
            assert self._list(store)[-1:] == (credential,)
        assert len(self._list(store)) == 2

    def test_the_oldest_is_listed_first(self, store: Credentials) -> None:
        """In the order in which they were added, whatever their ids, kinds and times, also after swaps."""
        ids = ("m", "b", "z", "a", "k")
        for number, each in enumerate(ids):
            assert self._add(store, evolve(_PHONE, id=each, kind=f"kind_{number % 2}", created=9 - number))
        for credential in self._list(store)[1:4]:
            assert self._swap(store, credential, version=0)
        assert tuple(each.id for each in self._list(store)) == ids

    def test_owners_share_nothing(self, store: Credentials) -> None:
        """What one owner has is nobody else's, be their names ever so alike."""
        owners = (_ANN, _BOB, "pool_1#an", "pool_1#ann ", "pool_1#Ann", "pool#1#ann", "")
        for number, owner in enumerate(owners):
            assert self._list(store, owner) == ()
            assert self._add(store, evolve(_PHONE, id=f"id-{number}", owner=owner))
        for number, owner in enumerate(owners):
            assert [each.id for each in self._list(store, owner)] == [f"id-{number}"]

    def test_an_id_has_one_owner(self, store: Credentials) -> None:
        """WebAuthn Level 3, 7.1: an id that is registered for anybody is refused, and nothing changes."""
        assert self._add(store, _PHONE)
        for replace in (False, True):
            assert not self._add(store, evolve(_PHONE, owner=_BOB, label="Mine"), replace=replace)
            assert not self._add(store, evolve(_PHONE, label="Again"), replace=replace)
        assert (self._list(store), self._list(store, _BOB)) == ((_PHONE,), ())

    def test_ids_are_apart_by_kind(self, store: Credentials) -> None:
        """Two kinds may use the same id, for one owner or for two."""
        for owner, kind in ((_ANN, "totp"), (_ANN, "passkey"), (_BOB, "recovery_codes")):
            assert self._add(store, evolve(_PHONE, owner=owner, kind=kind))
        assert [each.kind for each in self._list(store)] == ["totp", "passkey"]

    def test_an_owner_has_at_most_so_many(self, store: Credentials) -> None:
        """Counted over all kinds; one more is refused, and its id stays free."""
        for number in range(3):
            assert self._add(store, evolve(_PHONE, id=f"id-{number}", kind=f"kind_{number}"), most=3)
        before = self._list(store)
        assert not self._add(store, _KEY, most=3)
        assert self._list(store) == before
        assert self._add(store, evolve(_KEY, owner=_BOB), most=3)

    def test_replacing_takes_away_the_old_of_the_kind(self, store: Credentials) -> None:
        """All of this kind go, in the same write; those of other kinds and of others stay; old ids are free again."""
        bobs = evolve(_PHONE, id="bobs", owner=_BOB)
        for credential in (_PHONE, _KEY, evolve(_PHONE, id="tablet"), bobs):
            assert self._add(store, credential)
        new = evolve(_PHONE, id="new", created=1_800_000_900)
        assert self._add(store, new, replace=True)
        assert (self._list(store), self._list(store, _BOB)) == ((_KEY, new), (bobs,))
        assert self._add(store, evolve(_PHONE, owner=_BOB))
        assert self._add(store, evolve(_PHONE, id="tablet"))

    def test_what_is_replaced_does_not_count(self, store: Credentials) -> None:
        """Who has all that is allowed can still replace; but not beyond what others of theirs leave."""
        for credential in (_PHONE, _KEY):
            assert self._add(store, credential)
        assert self._add(store, evolve(_PHONE, id="new"), replace=True, most=2)
        assert not self._add(store, evolve(_PHONE, id="newer"), replace=True, most=1)
        assert [each.id for each in self._list(store)] == ["key", "new"]

    def test_a_refused_replacement_replaces_nothing(self, store: Credentials) -> None:
        """The old one stays, with its id, if the new one's is somebody's."""
        assert self._add(store, _PHONE)
        assert self._add(store, evolve(_PHONE, id="bobs", owner=_BOB))
        assert not self._add(store, evolve(_PHONE, id="bobs"), replace=True)
        assert self._list(store) == (_PHONE,)
        assert not self._add(store, evolve(_PHONE, owner=_BOB))

    # swap

    def test_a_swap_writes_all_and_counts(self, store: Credentials) -> None:
        """The new one is in the place of the old, with the next version, whatever version it says itself."""
        assert self._add(store, _PHONE)
        assert self._add(store, _KEY)
        for version in range(3):
            new = evolve(
                _PHONE, label=f"label {version}", used=version, state={"n": str(version)}, rounds=("r",) * version
            )
            assert self._swap(store, evolve(new, version=99), version=version)
            assert self._list(store) == (evolve(new, version=version + 1), _KEY)

    def test_a_swap_needs_the_version(self, store: Credentials) -> None:
        """What was read before another write, or never, changes nothing."""
        assert self._add(store, _PHONE)
        assert self._swap(store, evolve(_PHONE, used=1), version=0)
        before = self._list(store)
        for version in (0, 2, 9):
            assert not self._swap(store, evolve(_PHONE, used=9), version=version)
        assert self._list(store) == before

    def test_a_swap_needs_the_credential(self, store: Credentials) -> None:
        """Of this owner, kind and id. One that is gone does not come back."""
        assert self._add(store, _PHONE)
        for other in (evolve(_PHONE, owner=_BOB), evolve(_PHONE, kind="passkey"), evolve(_PHONE, id="other")):
            assert not self._swap(store, other, version=0)
        assert (self._list(store), self._list(store, _BOB)) == ((_PHONE,), ())
        assert self._remove(store)
        assert not self._swap(store, _PHONE, version=0)
        assert self._list(store) == ()

    # remove

    def test_a_credential_is_removed_once(self, store: Credentials) -> None:
        """The others stay, and its id is free for anybody."""
        for credential in (_PHONE, _KEY):
            assert self._add(store, credential)
        assert self._remove(store)
        assert self._list(store) == (_KEY,)
        assert not self._remove(store)
        assert self._list(store) == (_KEY,)
        assert self._add(store, evolve(_PHONE, owner=_BOB))

    def test_removing_needs_owner_kind_and_id(self, store: Credentials) -> None:
        """Nobody removes what is another's; and what is not removed keeps its id."""
        assert self._add(store, _PHONE)
        for owner, kind, each in ((_BOB, "totp", "phone"), (_ANN, "passkey", "phone"), (_ANN, "totp", "other")):
            assert not self._remove(store, owner, kind, each)
        assert self._list(store) == (_PHONE,)
        assert not self._add(store, evolve(_PHONE, owner=_BOB))

    def test_who_removed_all_begins_anew(self, store: Credentials) -> None:
        """An owner whose last credential went is as one who never had any."""
        for _ in range(3):
            assert self._add(store, _PHONE, most=1)
            assert self._remove(store)
            assert self._list(store) == ()

    # What is kept

    def test_texts_come_back_as_they_were(self, store: Credentials) -> None:
        """Empty, long, non-ASCII and odd ones, in every field, to the character."""
        texts = ("", "ä€𝄞", "a\0b\r\n", "a#b", "'; DROP TABLE", "x" * 1400)
        for number, text in enumerate(texts):
            odd = Credential(text, f"{_ANN}{number}", "passkey", text, state={text: text[:600]}, rounds=(text, text))
            assert self._add(store, odd)
            assert self._swap(store, odd, version=0)
            assert self._list(store, odd.owner) == (evolve(odd, version=1),)
            assert self._remove(store, odd.owner, odd.kind, odd.id)

    def test_the_fullest_owner_is_kept(self, store: Credentials) -> None:
        """As many credentials as a user may have, each with the longest state."""
        full = [
            Credential(f"{number}", _ANN, "passkey", state={"key": "€" * (MAX_CREDENTIAL_STATE - 3)})
            for number in range(MAX_CREDENTIALS)
        ]
        assert all(self._add(store, each) for each in full)
        assert self._list(store) == tuple(full)

    def test_what_was_listed_does_not_change(self, store: Credentials) -> None:
        """It is a value: later writes are seen by who lists again."""
        assert self._add(store, _PHONE)
        before = self._list(store)
        assert self._swap(store, evolve(_PHONE, state={"step": "60000003"}), version=0)
        assert self._add(store, _KEY)
        assert before == (_PHONE,)

    # Faults

    def test_no_time_is_unavailable(self, store: Credentials) -> None:
        """A call that may take no time raises UnavailableError and changes nothing."""
        assert self._add(store, _PHONE)

        def calls(late: float) -> tuple[Callable[[], object], ...]:
            return (
                lambda: store.list(_ANN, within=late),
                lambda: store.add(_KEY, replace=True, most=9, within=late),
                lambda: store.swap(evolve(_PHONE, used=9), version=0, within=late),
                lambda: store.remove(_ANN, "totp", "phone", within=late),
            )

        assert all(unavailable(call) for late in (0.0, -1.0) for call in calls(late))
        assert self._list(store) == (_PHONE,)

    def test_repr_shows_nothing_kept(self, store: Credentials) -> None:
        """Neither who has what nor what is remembered of it."""
        canary = Credential("canary-id", "canary#ann", "canary", "canary", state={"canary": "canary"})
        assert self._add(store, canary)
        self._list(store, canary.owner)
        assert "canary" not in repr(store)
        assert "canary" not in str(store)

    # At once

    def test_of_64_owners_at_once_one_gets_the_id(self, store: Credentials) -> None:
        """Who was refused has nothing."""
        added = at_once(lambda n: self._add(store, evolve(_PHONE, owner=f"pool#{n}")))
        assert Counter(added) == {True: 1, False: THREADS - 1}
        assert [bool(self._list(store, f"pool#{n}")) for n in range(THREADS)] == added

    def test_of_64_equal_adds_at_once_one_adds(self, store: Credentials) -> None:
        """Copies of one enrolment make one credential."""
        assert Counter(at_once(lambda n: self._add(store, _PHONE))) == {True: 1, False: THREADS - 1}
        assert self._list(store) == (_PHONE,)

    def test_of_64_adds_at_once_as_many_as_allowed_are_kept(self, store: Credentials) -> None:
        """An owner has never more than allowed, and no fewer; the ids of the others stay free."""
        added = at_once(lambda n: self._add(store, evolve(_PHONE, id=f"id-{n}")))
        assert Counter(added) == {True: MAX_CREDENTIALS, False: THREADS - MAX_CREDENTIALS}
        ids = {f"id-{number}" for number, each in enumerate(added) if each}
        assert {each.id for each in self._list(store)} == ids
        free = [self._add(store, evolve(_PHONE, id=f"id-{n}", owner=f"pool#{n}")) for n in range(THREADS)]
        assert free == [not each for each in added]

    def test_of_64_replacements_at_once_the_last_stays(self, store: Credentials) -> None:
        """Each is made, in some order; one is left, and the ids of the others are free."""
        assert all(at_once(lambda n: self._add(store, evolve(_PHONE, id=f"id-{n}"), replace=True, most=1)))
        (left,) = self._list(store)
        free = [self._add(store, evolve(_PHONE, id=f"id-{n}", owner=f"pool#{n}")) for n in range(THREADS)]
        assert free == [f"id-{n}" != left.id for n in range(THREADS)]

    def test_whoever_lists_while_64_replace_at_once_sees_one(self, store: Credentials) -> None:
        """Never none and never two: a write is seen as a whole."""
        assert self._add(store, _PHONE)

        def call(number: int) -> int:
            if number % 2:
                self._add(store, evolve(_PHONE, id=f"id-{number}"), replace=True)
            return len(self._list(store))

        assert set(at_once(call)) == {1}

    def test_of_64_swaps_at_once_one_wins(self, store: Credentials) -> None:
        """Of those who read the same version one writes: a TOTP step is accepted once."""
        assert self._add(store, _PHONE)
        won = at_once(lambda n: self._swap(store, evolve(_PHONE, used=n), version=0))
        assert Counter(won) == {True: 1, False: THREADS - 1}
        assert self._list(store) == (evolve(_PHONE, used=won.index(True), version=1),)

    def test_no_swap_of_64_at_once_is_lost(self, store: Credentials) -> None:
        """Who lost reads again and swaps: in the end each has been counted."""
        assert self._add(store, evolve(_PHONE, used=0))

        def call(number: int) -> None:
            while True:
                (read,) = self._list(store)
                if self._swap(store, evolve(read, used=read.used + 1), version=read.version):
                    return

        at_once(call)
        assert self._list(store) == (evolve(_PHONE, used=THREADS, version=THREADS),)

    def test_swaps_at_once_of_several_credentials_do_not_meet(self, store: Credentials) -> None:
        """Of each credential one swap wins, whatever becomes of the owner's others meanwhile."""
        count = 4
        for number in range(count):
            assert self._add(store, evolve(_PHONE, id=f"id-{number}"))
        won = at_once(lambda n: self._swap(store, evolve(_PHONE, id=f"id-{n % count}", used=n), version=0))
        assert [sum(won[number::count]) for number in range(count)] == [1] * count
        assert [each.version for each in self._list(store)] == [1] * count

    def test_of_64_removals_at_once_one_removes(self, store: Credentials) -> None:
        """One is told that it removed something, and nothing else goes."""
        for credential in (_PHONE, _KEY):
            assert self._add(store, credential)
        assert Counter(at_once(lambda n: self._remove(store))) == {True: 1, False: THREADS - 1}
        assert self._list(store) == (_KEY,)

    def test_what_is_removed_among_64_swaps_at_once_stays_away(self, store: Credentials) -> None:
        """Half of them swap, half remove: no swap brings back what was revoked."""
        for credential in (_PHONE, _KEY):
            assert self._add(store, credential)

        def call(number: int) -> bool:
            if number % 2:
                return self._remove(store)
            return self._swap(store, evolve(_PHONE, used=number), version=0)

        done = at_once(call)
        assert sum(done[1::2]) == 1
        assert sum(done[0::2]) <= 1
        assert self._list(store) == (_KEY,)

    def _list(self, store: Credentials, owner: str = _ANN) -> tuple[Credential, ...]:
        return store.list(owner, within=self.within)

    def _add(
        self, store: Credentials, credential: Credential, *, replace: bool = False, most: int = MAX_CREDENTIALS
    ) -> bool:
        return store.add(credential, replace=replace, most=most, within=self.within)

    def _swap(self, store: Credentials, credential: Credential, *, version: int) -> bool:
        return store.swap(credential, version=version, within=self.within)

    def _remove(self, store: Credentials, owner: str = _ANN, kind: str = "totp", each: str = "phone") -> bool:
        return store.remove(owner, kind, each, within=self.within)
