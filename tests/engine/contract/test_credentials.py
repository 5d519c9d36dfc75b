"""What a credential may hold, and what requests give of the user's credentials and of derived secrets."""

import re
from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.engine_host import ANN, KEY, OLD_KEY, Puzzle, Riddle
from watchword import ConfigurationError, Flow, UnavailableError, Verdict, sequence
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.contract.credentials import MAX_CREDENTIAL_STATE, Credential, NewCredential
from watchword.contract.kinds import User
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring, KeyringWithRootKeys
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers.memory import MemoryLedger

POOL = "eu-west-1_A"
NAMED = User("ann", ANN)
STRANGER = User("zoe", {}, known=False)


@frozen
class Memo(Puzzle):
    """A kind that remembers, and notes what its requests give."""

    kind: ClassVar[str] = "memo"
    remembers: ClassVar[str] = "many"
    cosmetic: ClassVar[frozenset[str]] = frozenset({"seen"})

    seen: list = ()

    def create(self, request):
        self.seen.append(request)
        return Riddle.create(self, request)

    def verify(self, request):
        self.seen.append(request)
        return Verdict(right=True)


def engine(seen, store, ring=None):
    flow = Flow(Memo(seen=seen))
    return Engine(
        flow,
        keyring=ring or Keyring.of(KEY),
        ledger=MemoryLedger(),
        clock=VirtualClock(),
        random=SeededRandom(1),
        credentials=store,
    )


def asked(user, store, ring=None):
    """The requests of Create and of Verify for *user*."""
    seen = []
    host = engine(seen, store, ring)
    made = host.create(SessionRequest(POOL, "app", user))
    host.verify(AnswerRequest(POOL, "app", user, "x", made.private))
    return seen


@pytest.mark.parametrize(
    "make", [lambda state: Credential("a", "p#s", "k", state=state), lambda state: NewCredential("a", state)]
)
def test_a_state_is_text_and_short(make):
    """What a store keeps for years is checked where it is made."""
    assert {"k": "v" * (MAX_CREDENTIAL_STATE - 1)} == make({"k": "v" * (MAX_CREDENTIAL_STATE - 1)}).state
    with pytest.raises(ConfigurationError, match=r"state has more than 2048 characters"):
        make({"k": "v" * MAX_CREDENTIAL_STATE})
    for odd in ({"k": 1}, {1: "v"}, {"k": None}, {"k": b"v"}):
        with pytest.raises(ConfigurationError, match=r"state holds what is no text: write texts only"):
            make(odd)


class Counted(MemoryCredentials):
    """A store that counts who is asked for."""

    def __init__(self):
        super().__init__()
        self.owners = []

    def list(self, owner, *, within):
        assert within > 0
        self.owners.append(owner)
        return super().list(owner, within=within)


def test_a_kind_is_given_the_credentials_of_the_user_and_the_kind():
    """Nobody else's, and no other kind's; read when the kind asks, once a request."""
    store = Counted()
    own = Credential("one", f"{POOL}#{ANN['sub']}", "memo")
    others = (
        evolve(own, id="two", kind="other"),
        evolve(own, id="three", owner=f"{POOL}#zoe"),
        evolve(own, id="four", owner=f"x{own.owner}"),
    )
    for each in (own, *others):
        assert store.add(each, replace=False, most=20, within=1)
    for request in asked(NAMED, store):
        assert [own] == [*request.credentials] == [*request.credentials]
        assert ANN["sub"] == request.user.id
        assert request.round
        assert 0 < request.within <= 3.5
    assert [own.owner] * 2 == store.owners


def test_the_store_is_read_for_somebody_unknown_too():
    """Under an id of the same shape, the same in each sign-in and spelling: the time of the answer tells nothing."""
    store = Counted()
    ids = {
        request.user.id
        for user in (STRANGER, evolve(STRANGER, name="ZOE"))
        for request in asked(user, store)
        if request.credentials == ()
    }
    assert 1 == len(ids)
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", *ids)
    assert [f"{POOL}#{next(iter(ids))}"] * 4 == store.owners
    assert ids != {request.user.id for request in asked(evolve(STRANGER, name="yan"), store)}


def test_without_a_store_nobody_has_a_credential():
    """And the engine says so when it is set up."""
    seen = []
    host = engine(seen, None)
    host.create(SessionRequest(POOL, "app", NAMED))
    assert () == seen[0].credentials
    with pytest.raises(
        ConfigurationError,
        match=r"kind 'memo' remembers .* no store of it: set WATCHWORD_CREDENTIALS or pass credentials=",
    ):
        host.prepare()
    engine(seen, MemoryCredentials()).prepare()


def test_derived_secrets_belong_to_one_root_key_user_and_credential():
    """The newest root key gives the id to be kept; any root key still derives; one that is gone is an outage."""
    ring = KeyringWithRootKeys(Keyring.of([KEY, OLD_KEY]), Keyring.of(bytes(range(50, 90))))
    first, again = asked(NAMED, MemoryCredentials(), ring)
    other = asked(evolve(NAMED, attributes={**ANN, "sub": "another"}), MemoryCredentials(), ring)[0]
    new, old = (Keyring.of(key).current.id for key in (KEY, OLD_KEY))
    assert new == first.root_key == again.root_key == ring.newest_root_key.id
    assert old == ring.root_key.id == Keyring.of([KEY, OLD_KEY]).newest_root_key.id
    assert first.derive("a", new) == again.derive("a", new)
    assert 32 == len(first.derive("a", new))
    assert 4 == len({first.derive("a", new), first.derive("b", new), first.derive("a", old), other.derive("a", new)})
    with pytest.raises(UnavailableError) as error:
        first.derive("a", "00000000")
    assert "key_gone" == error.value.reason


def test_pseudonyms_are_the_same_in_each_round():
    """And for each user: what tells users apart the kind puts into the text."""
    first, again = asked(NAMED, MemoryCredentials())
    other = asked(STRANGER, MemoryCredentials())[0]
    assert first.pseudonym("x") == again.pseudonym("x") == other.pseudonym("x") != first.pseudonym("y")


def test_how_long_an_answer_may_be_the_kind_says():
    """1,024 characters unless it does; what is longer never reaches it."""
    for longest in (1, 1024, 16_384):
        seen = []

        @frozen
        class Short(Memo):
            longest_answer: ClassVar[int] = longest

        host = evolve(engine(seen, None), flow=Flow(sequence(Short(seen=seen))))
        for length, judged in ((longest, True), (longest + 1, False)):
            made = host.create(SessionRequest(POOL, "app", NAMED))
            assert judged is host.verify(AnswerRequest(POOL, "app", NAMED, "x" * length, made.private)).right
