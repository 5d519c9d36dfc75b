"""Write and read what a host keeps between calls: metadata for Define and Create, sealed private parameters for Verify."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.lowering import Step
from watchword.runtime.keyring import Key, length_prefixed

MAX_CARRY = 256
BEGUN = ""
"""The key in a carry that says that an enrolment wrote it. A kind may not write it."""

MAX_PRIVATE = 4096
LONGEST_CLAIM = 128
MAX_PUBLIC = 131_072
"""Cognito's service model: no challenge parameter is longer than 131,072 characters."""

REF_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 6.1: no vowels, no look-alikes
_SEALED = ("v", "flow", "kind", "step", "signin", "round", "claim", "issued", "expires", "proven", "own", "enrols")
_LISTS = ("passed", "ends")
RESERVED_PRIVATE = frozenset({*_SEALED, *_LISTS, "seal"})
"""Private parameters that the engine writes; a kind may not."""


@frozen
class Metadata:
    """The metadata of one round.

    *before* is how the round before it ended, ``-`` if that was none of the flow's own; *issued* is when this sign-in came to
    the claim, which another one may have made; *asked* is False for a step that could not be asked.
    """

    flow: str
    facts: str
    step: str
    before: str
    signin: str
    claim: str
    issued: int
    carry: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    asked: bool = True

    def write(self) -> str:
        """Return the text that goes into the host's session."""
        carry = base64.urlsafe_b64encode(json.dumps(dict(self.carry)).encode()).decode() if self.carry else ""
        return write_metadata(
            {
                "v": derivative.FORMAT,
                "flow": self.flow,
                "facts": self.facts,
                "signin": self.signin,
                "step": self.step,
                "asked": "01"[self.asked],
                "before": self.before,
                "claim": self.claim,
                "issued": str(self.issued),
                "carry": carry,
            }
        )


def write_metadata(fields: Mapping[str, str]) -> str:
    """Return the text of one round's metadata, with *fields* by name: what `derivative.read_metadata` reads."""
    sign_in = ".".join(fields[name] for name in derivative.SIGN_IN_FIELDS)
    return ";".join((sign_in, *(fields[name] for name in derivative.ROUND_FIELDS)))


def read_carry(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the carry of a round's metadata *fields*; nothing if it cannot be read."""
    try:
        carry: object = json.loads(base64.urlsafe_b64decode(fields["carry"].encode("ascii", "replace")))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return {str(key): str(value) for key, value in carry.items()} if isinstance(carry, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


@frozen
class PrivateParameters:
    """The engine's private parameters of one challenge. Verify reads them, and only Create can write them.

    *round* is new for every call of Create; *claim* is what the secret is derived from, with the key's id in front and its own
    time at the end. *signin* is the sign-in, as in the metadata. *issued* and *expires* are whole epoch seconds, reckoned
    from when this sign-in was asked. *proven* says whether a factor was proven before, *has_own_try* whether this sign-in is the one
    for which the message went out, so that the message's own try is its to use. *enrols* says that the answer ends an enrolment.
    *passed* are the rounds that were passed before, and *ends* the steps of which a right answer passes the flow now.
    """

    flow: str
    kind: str
    step: str
    signin: str
    round: str
    claim: str
    issued: int
    expires: int
    proven: bool
    has_own_try: bool = False
    enrols: bool = False
    passed: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()

    def write(self, key: Key, binding: tuple[str, ...], kind_parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the private parameters, the *kind_parameters* among them, sealed to *binding* (pool, client, user)."""
        values = (
            *(derivative.FORMAT, self.flow, self.kind, self.step, self.signin, self.round, self.claim),
            *(str(self.issued), str(self.expires), "01"[self.proven], "01"[self.has_own_try], "01"[self.enrols]),
        )
        lists = {"passed": ",".join(self.passed), "ends": ",".join(self.ends)}
        private = {**kind_parameters, **dict(zip(_SEALED, values, strict=True)), **lists}
        return {**private, "seal": _seal(key, binding, private)}


def read_private_parameters(private: Mapping[str, object]) -> tuple[PrivateParameters, dict[str, str]] | None:
    """Return the engine's and the kind's own parameters that *private* holds, or None if Create never wrote this."""
    if not all(isinstance(value, str) for value in private.values()) or not private.keys() >= RESERVED_PRIVATE:
        return None
    texts = {name: str(value) for name, value in private.items()}
    if (
        texts["v"] != derivative.FORMAT
        or not {texts["proven"], texts["own"], texts["enrols"]} <= {"0", "1"}
        or sum(map(len, texts.values())) > MAX_PUBLIC
    ):
        return None
    times = texts["issued"], texts["expires"]
    if not all(time.isascii() and time.isdigit() and len(time) <= 12 for time in times):
        return None
    parameters = PrivateParameters(
        flow=texts["flow"],
        kind=texts["kind"],
        step=texts["step"],
        signin=texts["signin"],
        round=texts["round"],
        claim=texts["claim"],
        issued=int(times[0]),
        expires=int(times[1]),
        proven=texts["proven"] == "1",
        has_own_try=texts["own"] == "1",
        enrols=texts["enrols"] == "1",
        passed=tuple(filter(None, texts["passed"].split(","))),
        ends=tuple(filter(None, texts["ends"].split(","))),
    )
    return parameters, {name: value for name, value in texts.items() if name not in RESERVED_PRIVATE}


def new_claim(key: Key, fresh: str, now: float) -> str:
    """Return the id of a claim that is made *now*: the key's id, *fresh* (32 random hex digits), and the time.

    The secret is derived from this id alone. So no metadata can put off when it ends.
    """
    return f"{key.id}{fresh}{max(0, int(now)):08x}"


def claim_time(claim: str) -> int:
    """Return when *claim* was made, in whole epoch seconds; 0 if its id does not say."""
    try:
        return int(claim[40:], 16)
    except ValueError:
        return 0


def maker_of(claim: str) -> str:
    """Return the random digits of *claim*: those of the sign-in that made it, if it was a first challenge's."""
    return claim[8:40]


def claim_of(private: Mapping[str, object]) -> str:
    """Return the claim that *private* names, whether or not it is sealed. Use it for a reference only."""
    claim = private.get("claim")
    return claim if isinstance(claim, str) and len(claim) <= LONGEST_CLAIM else ""


def seal_of(key: Key, binding: tuple[str, ...], private: Mapping[str, object]) -> str:
    """Return the seal that *private* must carry."""
    return _seal(key, binding, {name: str(value) for name, value in private.items() if name != "seal"})


def _seal(key: Key, binding: tuple[str, ...], private: Mapping[str, str]) -> str:
    flat = [text for name in sorted(private) for text in (name, private[name])]
    return key.digest("slip", *binding, *flat)


def answer_seal(key: Key, step: Step, claim: str, user: str, answer: str) -> str:
    """Return the keyed digest of *answer* for one challenge of *user*; nothing else gives the same."""
    return key.digest(f"seal {step.kind.kind}", step.name, claim, user, answer)


def sharing_sign_in(key: Key, claim: str, fresh: str) -> str:
    """Return the id of a sign-in that shares *claim* with the sign-in that made it: half random, half a proof."""
    return fresh[:16] + key.digest("sharer", claim, fresh[:16])[:16]


def is_sharing_sign_in(key: Key, claim: str, signin: str) -> bool:
    """Say whether *signin* is an id that `sharing_sign_in` gave for *claim*."""
    return signin == sharing_sign_in(key, claim, signin)


def own_try_key(key: Key, claim: str, signin: str) -> str:
    """Return the ledger's key for the own try that sign-in *signin* has at *claim*."""
    return f"{claim} {signin}" if is_sharing_sign_in(key, claim, signin) else claim


def public_sign_in(key: Key, signin: str) -> str:
    """Return the id of the sign-in *signin* that its client gets, and nobody else: it is in no message and no audit."""
    return key.digest("evidence", signin)[:32]


def late_answer_key(claim: str, signin: str) -> str:
    """Return the ledger's key for the mark that *signin* answered *claim* too late, and was not charged.

    Its time was over, and nothing was compared; or the answer was right, and the code had been used elsewhere.
    """
    return f"{claim} late {signin}"


OTHER_BROWSER = "other_browser"
"""What the client is told of a good ticket that was made for another sign-in."""


def other_browser_key(signin: str, step: str) -> str:
    """Return the ledger's key for the note that *signin* answered *step* with a ticket of another sign-in."""
    return f"other browser {signin} {step}"


def reference(claim: str) -> str:
    """Return the reference of *claim*: eight characters that mail, screen and audit show alike."""
    number = int.from_bytes(hashlib.sha256(length_prefixed("reference", claim)).digest(), "big")
    letters: list[str] = []
    for _ in range(8):
        number, rest = divmod(number, len(REF_ALPHABET))
        letters.append(REF_ALPHABET[rest])
    return "".join(letters)
