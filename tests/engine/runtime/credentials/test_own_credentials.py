"""What users do with their credentials: only their own, and never so that no way to sign in is left."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from kit.engine_host import ANN, DeadLedger, Riddle, world
from kit.fobs import Badge, Fob
from watchword import ConfigurationError, Flow, ProtocolError, UnavailableError, User, enrol, one_of, sequence
from watchword.contract.credentials import Credential
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential, rename_credential
from watchword_adapters.credentials import MemoryCredentials

EITHER = Flow(sequence(Riddle(), one_of(Fob(), Badge())))
ann = User("ann", ANN)
ZOE = User("zoe", {"sub": "99999999-2222-4333-8444-555555555555"})
POOL, CLIENT = "pool_1", "client"


def here(*kinds, flow=EITHER, user=ann, **settings):
    """A world in which *user* has a credential of each of *kinds*, called by the kind and a number."""
    at = world(flow, credentials=MemoryCredentials(), **settings)
    for number, kind in enumerate(kinds, start=1):
        one = Credential(f"{kind}{number}", f"{POOL}#{user.attributes['sub']}", kind, "old", 1)
        assert at.engine.credentials.add(one, replace=False, most=20, within=1)
    return at


def ids(at, user=ann):
    return [each.id for each in list_credentials(at.engine, POOL, user)]


def remove(at, id_, user=ann, **more):
    return remove_credential(at.engine, POOL, CLIENT, user, id_, **more)


def test_a_user_sees_their_own():
    """Somebody unknown has a made-up id, which owns nothing."""
    at = here("fob", "badge")
    assert ["fob1", "badge2"] == ids(at)
    assert [] == ids(at, ZOE) == ids(at, User("ann", known=False))


def test_what_is_removed_is_gone():
    """The audit knows of what kind it was."""
    at = here("fob", "badge")
    done = remove(at, "fob1")
    assert (True, "fob1") == (bool(done), done.credential.id)
    assert ["badge2"] == ids(at)
    event = at.events.events[-1]
    assert ("user_updated", {"action": "credential_removed", "kind": "fob"}, done.ref) == (
        event.name,
        dict(event.detail),
        event.ref,
    )


@pytest.mark.parametrize(
    ("id_", "kind"), [("fob9", None), ("fob1", "badge"), (None, None), (7, None), (["fob1"], None)]
)
def test_what_is_not_there_is_unknown(id_, kind):
    """As is what another user has."""
    at = here("fob", "badge")
    assert "unknown" == remove(at, id_, kind=kind).reason
    assert "unknown" == remove(at, "fob1", ZOE).reason
    assert ["fob1", "badge2"] == ids(at)


def test_the_last_way_to_sign_in_stays():
    """Which credentials are that, the flow says."""
    at = here("fob", "badge", "badge")
    assert remove(at, "badge2")
    assert remove(at, "fob1")
    assert "last_way" == remove(at, "badge3").reason
    assert ("authz_fail", "last_way") == (at.events.events[-1].name, at.events.events[-1].detail["reason"])
    assert ["badge3"] == ids(at)


@pytest.mark.parametrize(
    ("flow", "kinds"),
    [
        (Flow(sequence(Riddle(), enrol(Fob()))), ["fob"]),  # enrolled again at the next sign-in
        (Flow(Riddle()), ["fob"]),  # of no use
        (Flow(sequence(Fob(), Badge())), ["badge"]),  # no way before either
    ],
)
def test_what_is_no_last_way_may_go(flow, kinds):
    """The user can sign in without it, or could not with it."""
    at = here(*kinds, flow=flow)
    assert remove(at, f"{kinds[0]}1")


def test_of_two_removals_at_once_one_way_is_left():
    """Each alone could be made."""
    at = here("fob", "badge")

    def try_to(id_):
        while True:
            try:
                return remove(at, id_)
            except UnavailableError as error:
                assert "busy" == error.reason

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(try_to, ["fob1", "badge2"]))
    assert [False, True] == sorted(map(bool, done))
    assert 1 == len(ids(at))


def test_a_removal_keeps_others_out_and_lets_them_in_again():
    """It holds for as long as it takes; one that was killed holds for a while."""
    at = here("fob", "badge", "badge")

    class Meeting(MemoryCredentials):
        def list(self, *given, **named):
            with pytest.raises(UnavailableError, match="another"):
                remove(at, "badge2")
            return at.engine.credentials.list(*given, **named)

        def remove(self, *given, **named):
            return at.engine.credentials.remove(*given, **named)

    meeting = evolve(at.engine, credentials=Meeting())
    assert remove_credential(meeting, POOL, CLIENT, ann, "badge3")
    assert remove(at, "badge2")
    assert ["fob1"] == ids(at)


class Failing:
    """A port of which one call fails, once it has done its work or before."""

    reach = "everywhere"

    def __init__(self, real, method, *, after=False, instead=None):
        self.real, self.method, self.after, self.instead = real, method, after, instead

    def __getattr__(self, name):
        real = getattr(self.real, name)

        def call(*given, **named):
            if name != self.method:
                return real(*given, **named)
            if self.after:
                real(*given, **named)
            if self.instead is not None:
                return self.instead
            raise UnavailableError("it is down")

        return call


@pytest.mark.parametrize("method", ["list", "remove"])
def test_a_removal_that_fails_removes_nothing(method):
    """And the next one is not kept out."""
    at = here("fob", "badge")
    failing = evolve(at.engine, credentials=Failing(at.engine.credentials, method))
    with pytest.raises(UnavailableError):
        remove_credential(failing, POOL, CLIENT, ann, "fob1")
    assert remove(at, "fob1")


def test_a_ledger_that_is_away_removes_nothing():
    """Or two could remove at once."""
    at = here("fob", "badge")
    with pytest.raises(UnavailableError):
        remove_credential(evolve(at.engine, ledger=DeadLedger()), POOL, CLIENT, ann, "fob1")
    assert ["fob1", "badge2"] == ids(at)


def test_a_removal_stands_although_the_ledger_keeps_others_out():
    """Until the lease is over."""
    at = here("fob", "badge", "badge")
    failing = evolve(at.engine, ledger=Failing(at.ledger, "consume"))
    assert remove_credential(failing, POOL, CLIENT, ann, "fob1")
    with pytest.raises(UnavailableError):
        remove(at, "badge2")
    at.clock.advance(10)
    assert remove(at, "badge2")


def test_what_another_has_removed_is_unknown():
    """The support desk may do so at any time."""
    at = here("fob", "badge")
    overtaken = evolve(at.engine, credentials=Failing(at.engine.credentials, "remove", instead=False))
    assert "unknown" == remove_credential(overtaken, POOL, CLIENT, ann, "fob1").reason


def test_a_label_is_the_users():
    """The rest stays as it is."""
    at = here("fob")
    done = rename_credential(at.engine, POOL, ann, "fob1", "Phone", kind="fob")
    (stored,) = list_credentials(at.engine, POOL, ann)
    assert ("Phone", "Phone", 1) == (done.credential.label, stored.label, stored.version)
    assert {"action": "credential_renamed", "kind": "fob"} == dict(at.events.events[-1].detail)
    for user, id_, kind in ((ZOE, "fob1", None), (ann, "fob9", None), (ann, "fob1", "badge")):
        assert "unknown" == rename_credential(at.engine, POOL, user, id_, "x", kind=kind).reason
    with pytest.raises(ProtocolError):
        rename_credential(at.engine, POOL, ann, "fob1", "a\nb")


def test_a_label_loses_no_race():
    """Whatever a sign-in writes in between stays written."""
    at = here("fob")

    class Racing(MemoryCredentials):
        left = 2

        def list(self, *given, **named):
            return at.engine.credentials.list(*given, **named)

        def swap(self, credential, *, version, within):
            if self.left:
                self.left -= 1
                (stored,) = self.list(credential.owner, within=1)
                used = evolve(stored, used=stored.used + 1)
                assert at.engine.credentials.swap(used, version=stored.version, within=1)
            return at.engine.credentials.swap(credential, version=version, within=within)

    assert rename_credential(evolve(at.engine, credentials=Racing()), POOL, ann, "fob1", "Phone")
    (stored,) = list_credentials(at.engine, POOL, ann)
    assert ("Phone", 2) == (stored.label, stored.used)


def test_a_store_that_refuses_without_a_reason_is_an_outage():
    """Nobody waits for it."""
    at = here("fob")
    odd = evolve(at.engine, credentials=Failing(at.engine.credentials, "swap", instead=False))
    with pytest.raises(UnavailableError):
        rename_credential(odd, POOL, ann, "fob1", "Phone")


def test_a_host_without_a_store_is_told_what_to_set():
    """The program's own fault."""
    at = world(EITHER)
    for call in (
        lambda: list_credentials(at.engine, POOL, ann),
        lambda: remove(at, "x"),
        lambda: rename_credential(at.engine, POOL, ann, "x", "y"),
    ):
        with pytest.raises(ConfigurationError, match="credentials="):
            call()
