"""Proof of work by the protocol of ALTCHA, version 2: the browser computes for a while, and the user does nothing."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast

from attrs import Attribute, Factory, field, frozen

from watchword import Challenge, ConfigurationError, CreateRequest, Verdict, VerifyRequest, hookimpl
from watchword.contract import Factor, RegisterKind, choice, refused, whole_number

_SCRYPT = "SCRYPT"
_ALGORITHMS = ("PBKDF2/SHA-256", "PBKDF2/SHA-512", _SCRYPT)

_KEY_BYTES = 32
_PREFIX_BYTES = _KEY_BYTES // 2  # of ALTCHA: the other half stays unknown until somebody has tried the right number
_BLOCK_SIZE = 8  # scrypt's r (RFC 7914 2), which ALTCHA calls memoryCost
_LARGEST_COUNTER = 2**32 - 1
_OLDEST_ALTCHA = (2, 1)
_HEX = "0123456789abcdef"


def _by_algorithm(usual: int, scrypt: int) -> int:
    """Make the default of a setting: *scrypt* with SCRYPT, else *usual*."""
    return Factory(lambda kind: scrypt if cast("ProofOfWork", kind).algorithm == _SCRYPT else usual, takes_self=True)


def _cost(instance: ProofOfWork, attribute: Attribute[Any], value: Any) -> None:
    if instance.algorithm != _SCRYPT:
        return whole_number(1000, 100_000)(instance, attribute, value)
    if type(value) is not int or not 1024 <= value <= 32_768 or value & (value - 1):  # RFC 7914 2
        raise refused(instance, attribute, f"must be a power of two from 1024 to 32768 with the algorithm {_SCRYPT}")
    return None


@frozen
class ProofOfWork:
    """Have the browser of whoever signs in compute for about a second before anything that costs you money.

    The browser tries numbers until a key that is derived from one begins as the challenge says. There is one such number. The kind
    draws it, so it knows the right answer and keeps a keyed digest of that alone. An answer is good for one round of one user.

    It proves nothing about who signs in, asks nothing of people, and costs everybody the same: a stranger's server too, which is
    faster than a telephone. Put it before a message, never in place of a factor.

    Attributes:
        algorithm: ``PBKDF2/SHA-256``, ``PBKDF2/SHA-512``, or ``SCRYPT``, which costs an attacker memory too; the widget needs
            another file for it.
        cost: work of one try. For PBKDF2 iterations, 1,000 to 100,000, by default 5,000. For SCRYPT its N, a power of two from
            1,024 to 32,768, by default 4,096; a try takes N kibibytes of memory.
        work: tries that are needed on average, 10 to 100,000; by default 1,000, or 100 with SCRYPT. Nobody needs more than twice as many.
        attempts: answers per sign-in, 1 to 5, each to a new challenge.
        lifetime: seconds for an answer, 30 to 600.
    """

    kind: ClassVar[str] = "proof_of_work"
    proves = frozenset[Factor]()
    requires_create: ClassVar[tuple[str, ...]] = ("altcha",)
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "watchword[proof-of-work]"
    longest_answer: ClassVar[int] = 2048
    cosmetic: ClassVar[frozenset[str]] = frozenset({"algorithm", "cost", "work"})

    algorithm: str = field(default=_ALGORITHMS[0], validator=choice(*_ALGORITHMS))
    cost: int = field(default=_by_algorithm(5000, scrypt=4096), validator=_cost)
    work: int = field(default=_by_algorithm(1000, scrypt=100), validator=whole_number(10, 100_000))
    attempts: int = field(default=3, validator=whole_number(1, 5))
    lifetime: int = field(default=180, validator=whole_number(30, 600))

    def prepare(self) -> None:
        """Look at the version of altcha.

        Raises:
            ConfigurationError: if it is older than 2.1, whose own verification takes answers without any work.
        """
        _refuse_old_altcha()

    def create(self, request: CreateRequest) -> Challenge:
        """Draw the number that is to be found, and say what its key begins with.

        Raises:
            ConfigurationError: as `prepare`.
        """
        return self.offer(request)

    def offer(self, request: CreateRequest) -> Challenge:
        """Make the challenge where the client may answer another option instead."""
        _refuse_old_altcha()
        drawn = request.code(_HEX, 144)
        nonce, salt, secret = drawn[:32], drawn[32:64], drawn[80:]
        counter = int(drawn[64:80], 16) % (2 * self.work)
        parameters, key = self._derived(nonce, salt, counter)
        # Nobody checks the signature: the digest is of the whole answer. It is there since the protocol has one.
        signature = hmac.digest(bytes.fromhex(secret), _canonical(parameters).encode(), "sha256").hex()
        challenge = {"parameters": parameters, "signature": signature}
        solved = {"challenge": challenge, "solution": {"counter": counter, "derivedKey": key.hex()}}
        return Challenge(
            public={"challenge": _canonical(challenge)},
            private={"digest": request.seal(_as_answer(solved))},
        )

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the payload of a widget: right if it is the challenge of this round with its one solution."""
        answer = _read(request.answer)
        if answer is None:
            return Verdict(right=False, reason="malformed")
        if request.matches(request.private.get("digest"), answer):
            return Verdict(right=True)
        return Verdict(right=False, reason="wrong")

    def guess_probability(self) -> float:
        """Return the chance of an answer for which nobody has worked: half of the key is unknown."""
        return 2.0 ** (-8 * (_KEY_BYTES - _PREFIX_BYTES))

    def _derived(self, nonce: str, salt: str, counter: int) -> tuple[Mapping[str, object], bytes]:
        """Return the parameters of a challenge whose solution is *counter*, and the key that is derived from it."""
        from altcha import ChallengeParameters, derive_key_pbkdf2, derive_key_scrypt  # noqa: PLC0415 - only Create needs it

        parameters, derive = ChallengeParameters(self.algorithm, nonce, salt, self.cost, _KEY_BYTES), derive_key_pbkdf2
        if self.algorithm == _SCRYPT:
            parameters.memory_cost, parameters.parallelism, derive = _BLOCK_SIZE, 1, derive_key_scrypt
        key = derive(parameters, bytes.fromhex(salt), bytes.fromhex(nonce) + counter.to_bytes(4, "big"))
        parameters.key_prefix = key[:_PREFIX_BYTES].hex()
        return cast("dict[str, object]", parameters.to_dict()), key  # pyright: ignore[reportUnknownMemberType]


@cache
def _refuse_old_altcha() -> None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only Create needs it

    try:
        installed = version("altcha")
    except PackageNotFoundError:
        installed = "an unknown version"
    numbers = [int(part) if part.isdecimal() else 0 for part in installed.split(".")[:2]]
    if tuple(numbers) < _OLDEST_ALTCHA:
        oldest = ".".join(map(str, _OLDEST_ALTCHA))
        raise ConfigurationError(
            f"{ProofOfWork.kind} needs altcha {oldest} or newer, and {installed} is installed, which takes answers without work: "
            f"pip install --upgrade '{ProofOfWork.extra}'"
        )


def _canonical(value: object) -> str:
    """Return the one text of *value* in JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _as_answer(solved: Mapping[str, object]) -> str:
    """Return the one text that stands for a solved challenge."""
    return b64encode(_canonical(solved).encode()).decode()


def _read(answer: object) -> str | None:
    """Return the one text that stands for what *answer* says, or None if it is no payload of a widget.

    Whatever a client adds, such as how long it took, is left out.
    """
    if not isinstance(answer, str):
        return None
    try:
        encoded = answer.encode("ascii")
        decoded = b64decode(encoded, validate=True)
        payload: object = json.loads(decoded)
    except (ValueError, RecursionError):
        return None
    # The same bytes in another spelling would be another answer to the ledger.
    if b64encode(decoded) != encoded:
        return None
    challenge, solution = _member(payload, "challenge"), _member(payload, "solution")
    counter, key = _member(solution, "counter"), _member(solution, "derivedKey")
    if type(counter) is not int or not 0 <= counter <= _LARGEST_COUNTER or not isinstance(key, str):
        return None
    parts = {name: _member(challenge, name) for name in ("parameters", "signature")}
    if not isinstance(parts["parameters"], dict) or not isinstance(parts["signature"], str):
        return None
    return _as_answer({"challenge": parts, "solution": {"counter": counter, "derivedKey": key}})


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `ProofOfWork`."""
    register(ProofOfWork)
