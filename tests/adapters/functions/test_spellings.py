"""Two spellings of a name tell nobody who exists: plain functions fold names as the store of users does."""

import unicodedata
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.engine_host import KEY, Riddle
from watchword import Flow, sequence
from watchword.contract.kinds import User
from watchword.runtime.keyring import Keyring
from watchword.runtime.unlocking import unlock
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive


def compatible(name):
    """Return *name* as an identifier of Unicode is compared without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def as_typed(name):
    """Return *name*."""
    return name


FOLDS = {"exact": as_typed, "lower": str.lower, "casefold": str.casefold, "NFKC": compatible}
SPELLED = {
    "s": ("s", "S", "ſ", "ß", "ẞ", "ss", "SS"),  # noqa: RUF001 - letters that fold otherwise in each way
    "i": ("i", "I", "İ", "ı", "i̇"),  # noqa: RUF001
    "k": ("k", "K", "\N{KELVIN SIGN}", "\N{FULLWIDTH LATIN SMALL LETTER K}"),
    "f": ("fi", "FI", "\N{LATIN SMALL LIGATURE FI}"),
    "e": (
        "\N{LATIN SMALL LETTER E WITH ACUTE}",
        "\N{LATIN CAPITAL LETTER E WITH ACUTE}",
        "e\N{COMBINING ACUTE ACCENT}",
    ),
}


class Store:
    """Users who are found by the folded name; *name* is the one of the only one."""

    def __init__(self, fold, name):
        self.fold, self.name = fold, None if name is None else fold(name)

    def find(self, name):
        """Return the user."""
        record = UserRecord({"sub": "u-1", "email": "ann@example.com", "email_verified": "true"})
        return record if self.fold(name) == self.name else None


CODE = Flow(EmailOtp())
PASSWORD = Flow(sequence(Srp(), EmailOtp()))


def host(flow, fold, name, clock, fold_by=None, **settings):
    """Return a host whose store folds names by *fold* and holds *name*, or nobody if it is None."""
    return SignIn(
        flow,
        users=Store(fold, name),
        key=KEY,
        courier=Outbox(),
        clock=clock,
        random=SeededRandom(),
        audit=MemoryAudit(),
        environment={},
        fold=fold_by or fold,
        **settings,
    )


def told(fold, handed, pair, *, known):
    """Return what a stranger sees who types the two spellings of *pair* in turn; *known* says whether the first is a user."""
    name = pair[0] if known else None
    clock = VirtualClock()
    salts = [host(PASSWORD, fold, name, clock, fold_by=handed).begin(each, "abc123").public["SALT"] for each in pair]
    begun = host(CODE, fold, name, clock, fold_by=handed)
    refs, seen = [], [salts[0] == salts[1]]
    for number in range(10):
        reply = begun.begin(pair[number % 2])
        public = reply.public if isinstance(reply, Asked) else {}
        refs.append(public.get("ref"))
        times = [int(public[each]) - int(clock.now()) for each in ("expires_at", "resend_after") if each in public]
        seen.append((getattr(reply, "text", "asked"), times, [ref == refs[-1] for ref in refs]))
        clock.advance(40 if number % 3 == 2 else 2)
    return seen


@cache
def tells(fold, pair, handed=None):
    """Say whether *pair* shows who exists, where the store folds by *fold* and the host is *handed* a function."""
    return told(fold, handed, pair, known=True) != told(fold, handed, pair, known=False)


@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
@pytest.mark.parametrize("letter", SPELLED)
def test_two_spellings_look_alike_whether_anybody_has_the_name(fold, letter):
    """Salts, references, times and budgets: equal in both cases or in neither, for every pair of spellings of a letter."""
    for one, other in product(SPELLED[letter], repeat=2):
        assert not tells(fold, (f"je{one}ica", f"je{other}ica"))


@settings(max_examples=30)
@given(pair=st.tuples(*[st.text(st.sampled_from("aAsSſßẞiIİıκΣσςK"), min_size=1, max_size=4)] * 2))  # noqa: RUF001
@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
def test_any_two_names_look_alike_whether_anybody_has_the_first(fold, pair):
    """Also those of several letters, where what a letter becomes depends on the one beside it."""
    assert not tells(fold, pair)


def test_names_are_exact_where_nothing_is_said():
    """A dict of users needs no setting: without `fold` every spelling is a name of its own."""
    clock = VirtualClock()
    hosts = [
        SignIn(PASSWORD, users=Store(as_typed, name), key=KEY, courier=Outbox(), clock=clock, environment={})
        for name in ("ann", None)
    ]
    for each in hosts:
        assert 2 == len({each.begin(name, "abc123").public["SALT"] for name in ("ann", "ANN")})


@pytest.mark.parametrize(
    ("store", "handed", "pair"),
    [
        (as_typed, str.lower, ("ann", "ANN")),
        (str.lower, as_typed, ("ann", "ANN")),
        (str.lower, str.casefold, ("je\N{LATIN SMALL LETTER SHARP S}", "jess")),
        (str.casefold, str.lower, ("je\N{LATIN SMALL LETTER SHARP S}", "jess")),
        (str.casefold, compatible, ("fin", "\N{FULLWIDTH LATIN SMALL LETTER F}in")),
    ],
)
def test_a_function_that_is_not_the_stores_tells(store, handed, pair):
    """The broken twins: with another function than the store's, the same stranger sees who exists."""
    assert tells(store, pair, handed)


@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
def test_a_made_up_destination_is_the_one_of_all_spellings(fold):
    """Where destinations are always shown, one is made up for each name that the store tells from others."""
    shows = host(Flow(EmailOtp(always_show_destination=True)), fold, None, VirtualClock())
    for number in range(20):
        one, other = f"nobody{number}", f"NOBODY{number}"
        same = shows.begin(one).public["destination"] == shows.begin(other).public["destination"]
        assert same or fold(one) != fold(other)
    assert fold("a") == fold("A") or any(
        shows.begin(f"nobody{number}").public["destination"] != shows.begin(f"NOBODY{number}").public["destination"]
        for number in range(20)
    )


@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
@pytest.mark.parametrize("pair", [("bob", "BOB"), ("jess", "je\N{LATIN SMALL LETTER SHARP S}")])
def test_a_name_is_unlocked_in_the_spellings_of_the_store(fold, pair):
    """`unlock` with the same `fold` empties the budgets of somebody unknown in every spelling, and of no other name."""
    clock, ledger = VirtualClock(), MemoryLedger()
    mine = host(Flow(Riddle()), fold, None, clock, ledger=ledger)
    mine.respond(mine.begin(pair[0]).token, "cat")
    emptied = unlock(
        User(pair[1], known=False), pool=mine.realm, keyring=Keyring.of(KEY), ledger=ledger, clock=clock, fold=fold
    )
    assert int(fold(pair[0]) == fold(pair[1])) == emptied
