"""P: the password, at the two hosts that check it themselves: the local pool and the plain functions."""

from __future__ import annotations

from typing import Any

from watchword import sequence
from watchword.algebra.flow import Flow
from watchword.errors import ProtocolError
from watchword_adapters.attacks.arena.attacked_host import ATTACKED_POOL, Arena
from watchword_adapters.attacks.arena.client_sessions import FunctionsVisit, PoolVisit
from watchword_adapters.attacks.arena.sample_kinds import SampleQuestion
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.functions import Asked, Refused
from watchword_adapters.srp import srp6a

_HOSTS = (PoolVisit, FunctionsVisit)


def _hosts(arena: Arena) -> Arena:
    """Return an arena whose flow begins with a password: the one at hand, or one of the corpus's own."""
    if any(target.srp and target.scene.plain for target in arena.targets):
        return arena
    srp: Any = arena.registry.find_kind("srp")
    return Arena(Flow(sequence(srp(), SampleQuestion()), name="password"), arena.seed, registry=arena.registry)


@family("P-01", "a public number A that gives the secret away, or is none", share=0.5)
def bad_numbers(arena: Arena) -> Cases:
    """0 mod N ends the sign-in (RFC 5054 2.5.4); so does what is no number, or too long."""
    own = _hosts(arena)
    n = srp6a.N
    numbers = [
        "0",
        "00",
        srp6a.to_hex(n),
        srp6a.to_hex(2 * n),
        "0" + srp6a.to_hex(n),
        "",
        " ",
        "xyz",
        "-1",
        "0x10",
        "é",
    ]
    numbers += [
        srp6a.to_hex(own.draw.randrange(3, 15) * n),
        "1" * 1025,
        "a" * 10**6,
        "\uff11\uff12",
        "1_0",
        "+1",
        "1\n",
    ]
    for number in numbers:
        reply = own.sign_in.begin("ann", number)
        yield not isinstance(reply, Refused)
        one = PoolVisit.__new__(PoolVisit)
        one.arena, one.person, one.refused, one.tokens = own, own.person(), None, False
        parameters = {"USERNAME": "ann", "CHALLENGE_NAME": "SRP_A", "SRP_A": number}
        one.calls("initiate_auth", AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)
        yield one.refused is None


@family("P-02", "a public number B that gives the secret away")
def bad_server(arena: Arena) -> Cases:
    """An honest client breaks off."""
    for factor in (0, 1, 2, 7):
        try:
            srp6a.client_key(private=5, server_public=factor * srp6a.N, exponent=7)
            yield True
        except ProtocolError:
            yield False
        for text in (srp6a.to_hex(factor * srp6a.N), "", "x", "-1", None, 7):
            try:
                srp6a.public_from_hex(text, "SRP_B")
                yield True
            except ProtocolError:
                yield False


@family("P-03", "secret blocks used again, swapped, or another user's", share=0.3)
def blocks(arena: Arena) -> Cases:
    """Each belongs to one session, once."""
    own = _hosts(arena)
    scene = next(target.scene for target in own.targets if target.srp and target.scene.plain)
    ann, bob = own.person("ann", scene), own.person("bob", scene)
    while True:
        own.renew()
        one, other = PoolVisit(own, ann, srp=True), PoolVisit(own, bob, srp=True)
        assert one.client is not None
        proof = one.client.answer(one.public, own.clock.now())
        block = other.public["SECRET_BLOCK"]
        for changed in (
            {"PASSWORD_CLAIM_SECRET_BLOCK": block},
            {"PASSWORD_CLAIM_SECRET_BLOCK": ""},
            {"USERNAME": bob.name},
        ):
            trial = PoolVisit(own, ann, srp=True)
            trial.responds("PASSWORD_VERIFIER", {**proof, **changed}, {})
            yield trial.tokens or bool(trial.public)
        own.clock.advance(1000)
        one, session = PoolVisit(own, ann, srp=True), ""
        session = one.session
        one.prove()
        one.session = session
        assert one.client is not None
        one.responds("PASSWORD_VERIFIER", proof, {})
        yield bool(one.public)
        handle = FunctionsVisit(own, ann, srp=True)
        assert handle.client is not None
        claim, token = handle.client.answer(handle.public, own.clock.now()), handle.token
        own.sign_in.respond(token, claim)
        yield isinstance(own.sign_in.respond(token, claim), Asked)
        again = FunctionsVisit(own, ann, srp=True)
        yield isinstance(own.sign_in.respond(again.token, claim), Asked)
        own.clock.advance(1000)


@family("P-04", "time stamps that are old, of tomorrow, in another language, or missing", share=0.3)
def stamps(arena: Arena) -> Cases:
    """A proof is of its time."""
    own = _hosts(arena)
    scene = next(target.scene for target in own.targets if target.srp and target.scene.plain)
    ann = own.person("ann", scene)
    for shift in (-86_400, -901, 901, 86_400, 10**9):
        one = PoolVisit(own, ann, srp=True)
        assert one.client is not None
        one.responds("PASSWORD_VERIFIER", one.client.answer(one.public, own.clock.now() + shift), {})
        yield one.refused is None
        own.clock.advance(1000)
    for stamp in (
        "",
        "now",
        "Mi Jan 6 11:00:00 UTC 2027",
        "Fri Jan 15 08:00:00 UTC 2027\n",
        "x" * 10**5,
        "2027-01-15T08:00:00Z",
    ):
        for host in _HOSTS:
            trial: Any = host(own, ann, srp=True)
            proof = {**trial.client.answer(trial.public, own.clock.now()), "TIMESTAMP": stamp}
            if host is PoolVisit:
                trial.responds("PASSWORD_VERIFIER", proof, {})
            else:
                trial.takes(own.sign_in.respond(trial.token, proof))
            yield trial.refused is None
            own.clock.advance(1000)


@family("P-05", "somebody unknown, told by salt or proof", share=0.3)
def made_up_salt(arena: Arena) -> Cases:
    """The same salt for a name each time, of the same size; and never a right password."""
    own = _hosts(arena)
    scene = next(target.scene for target in own.targets if target.srp and target.scene.plain)
    for number in range(40):
        known = number % 4 == 0
        person = own.person("ann", scene) if known else own.person(f"nobody{number}", scene, known=False)
        for host in _HOSTS:
            shown = [host(own, person, srp=True) for _ in range(2)]
            salts = {one.public.get("SALT", "") for one in shown}
            yield len(salts) != 1 or not 24 <= len(next(iter(salts))) <= 32
            yield {len(one.public.get("SECRET_BLOCK", "")) for one in shown} != {44 if host is FunctionsVisit else 256}
            if not known:
                shown[0].prove()
                yield shown[0].tokens or bool(shown[0].public)
            own.clock.advance(1000)


@family("P-06", "secret numbers that are short or come again", share=0.5)
def short_secrets(arena: Arena) -> Cases:
    """256 bits, drawn for each exchange."""
    verifier = srp6a.make_verifier(ATTACKED_POOL, "ann", "Passw0rd!x", "ab" * 16)
    seen: set[int] = set()
    for _ in range(30):
        drawn = _Counted(arena.random)
        exchange = srp6a.draw_exchange(verifier, srp6a.client_public(arena.draw.getrandbits(64) | 1), drawn)
        yield drawn.least < 32
        yield exchange.public in seen or exchange.private.bit_length() < 200
        seen.add(exchange.public)


class _Counted:
    def __init__(self, random: Any) -> None:
        self._random = random
        self.least = 10**9

    def bytes(self, count: int) -> bytes:
        self.least = min(self.least, count)
        return bytes(self._random.bytes(count))


FAMILIES = families_in(globals())
