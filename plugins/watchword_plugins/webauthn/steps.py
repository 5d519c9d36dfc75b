"""The numbered lists of Web Authentication Level 3, 7.1 and 7.2, as one table: what each step demands, and who sees to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Literal

from attrs import frozen

from watchword_plugins.webauthn.attestation import FORMATS, is_correct
from watchword_plugins.webauthn.ceremonies import MOST_ID_BYTES, Answer, Assertion, Expected, Registration
from watchword_plugins.webauthn.public_keys import verifies

SeenTo = Literal["client", "kind", "reading", "check", "policy", "engine"]

_NOBODYS_KEY = bytes.fromhex(
    "a5010203262001"
    "2158206b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "2258204fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
"""The base point of P-256 as a key for ES256. A signature is compared with it where there is no credential."""


@frozen
class CeremonyStep:
    """One step of the lists: its number in each of the two, 0 where it is in one alone.

    *by* says who sees to it: a *check* is made here, *reading* the answer demands it, *policy* leaves nothing to check, and
    the client, the kind and the engine do what only they can. *reason* is the word for the audit where it fails.
    """

    registration: int
    assertion: int
    rule: str
    by: SeenTo
    reason: str = ""
    check: Callable[[Expected, Any], bool] | None = None


def _is_allowed(expected: Expected, answer: Assertion) -> bool:
    return not expected.allowed or answer.credential_id in expected.allowed


def _is_known(expected: Expected, answer: Assertion) -> bool:
    return expected.credential_with(answer.credential_id) is not None


def _is_of_the_user(expected: Expected, answer: Assertion) -> bool:
    known = expected.credential_with(answer.credential_id)
    return answer.user_handle is None or known is None or answer.user_handle == known.user_handle


def _says_whose_it_is(expected: Expected, answer: Assertion) -> bool:
    return answer.user_handle is not None or answer.client.challenge not in expected.nameless


def _is_creation(expected: Expected, answer: Registration) -> bool:
    return answer.client.type == "webauthn.create"


def _is_use(expected: Expected, answer: Assertion) -> bool:
    return answer.client.type == "webauthn.get"


def _is_challenge(expected: Expected, answer: Answer) -> bool:
    return any(challenge and answer.client.challenge == challenge for challenge in expected.challenges)


def _is_origin(expected: Expected, answer: Answer) -> bool:
    return answer.client.origin in expected.origins


def _may_be_embedded(expected: Expected, answer: Answer) -> bool:
    return not answer.client.cross_origin or bool(expected.top_origins)


def _is_top_origin(expected: Expected, answer: Answer) -> bool:
    return answer.client.top_origin is None or answer.client.top_origin in expected.top_origins


def _is_rp(expected: Expected, answer: Answer) -> bool:
    return answer.data.rp_id_hash == sha256(expected.rp_id.encode("utf-8")).digest()


def _is_present(expected: Expected, answer: Answer) -> bool:
    return answer.data.is_user_present()


def _is_verified(expected: Expected, answer: Answer) -> bool:
    return answer.data.is_user_verified() or not expected.verification


def _was_verified(expected: Expected, answer: Assertion) -> bool:
    known = expected.credential_with(answer.credential_id)
    return known is None or known.verified or not expected.verification


def _can_be_backed_up(expected: Expected, answer: Answer) -> bool:
    return answer.data.is_backup_eligible() or not answer.data.is_backed_up()


def _is_as_eligible(expected: Expected, answer: Assertion) -> bool:
    known = expected.credential_with(answer.credential_id)
    return known is None or answer.data.is_backup_eligible() == known.backup_eligible


def _is_offered_algorithm(expected: Expected, answer: Registration) -> bool:
    return answer.credential.public_key[3] in expected.algorithms


def _is_format(expected: Expected, answer: Registration) -> bool:
    return answer.attestation.fmt in FORMATS


def _is_attested(expected: Expected, answer: Registration) -> bool:
    # Of a format that is not supported, step 21 says it all.
    return answer.attestation.fmt not in FORMATS or is_correct(answer)


def _is_short(expected: Expected, answer: Registration) -> bool:
    return len(answer.credential.credential_id) <= MOST_ID_BYTES


def _is_new(expected: Expected, answer: Registration) -> bool:
    return expected.credential_with(answer.credential.credential_id) is None


def _is_signed(expected: Expected, answer: Assertion) -> bool:
    known = expected.credential_with(answer.credential_id)
    signed = bytes(answer.data) + answer.client.digest
    # As much work where the user has no such credential: else the time would tell ids that are made up. Step 6 refuses it.
    right = verifies(known.public_key if known else _NOBODYS_KEY, signed, answer.signature)
    return right or known is None


def has_grown(expected: Expected, answer: Assertion) -> bool:
    """Say whether the sign count has grown, or is not counted at all: 0 here and 0 in what is kept."""
    known = expected.credential_with(answer.credential_id)
    return known is None or answer.data.counter > known.sign_count or answer.data.counter == known.sign_count == 0


def _is_counted(expected: Expected, answer: Assertion) -> bool:
    return has_grown(expected, answer) or not expected.strict_counts


CEREMONY_STEPS: tuple[CeremonyStep, ...] = (
    CeremonyStep(1, 1, "The options are made for this ceremony, with a challenge of its own.", "kind"),
    CeremonyStep(2, 2, "The browser is asked, and an error of its own is shown to the user.", "client"),
    CeremonyStep(
        3, 3, "The answer is one of this ceremony: it has each member that the ceremony needs.", "reading", "malformed"
    ),
    CeremonyStep(4, 4, "Results of client extensions are taken out. None is asked for, and none is read.", "policy"),
    CeremonyStep(0, 5, "If ids were offered, the credential has one of them.", "check", "not_offered", _is_allowed),
    CeremonyStep(0, 6, "The credential is one of the user who signs in.", "check", "unknown_credential", _is_known),
    CeremonyStep(
        *(0, 6, "A user handle, if there is one, is that of the credential's user."),
        *("check", "wrong_user_handle", _is_of_the_user),
    ),
    CeremonyStep(
        *(0, 6, "There is a user handle, if nobody was named yet when the challenge was given out."),
        *("check", "no_user_handle", _says_whose_it_is),
    ),
    CeremonyStep(0, 7, "Client data, authenticator data and signature are there.", "reading", "malformed"),
    CeremonyStep(5, 8, "The client data are UTF-8.", "reading", "malformed"),
    CeremonyStep(
        6, 9, "The client data are a JSON object with members of the right types, each once.", "reading", "malformed"
    ),
    CeremonyStep(7, 0, "The type is `webauthn.create`.", "check", "wrong_type", _is_creation),
    CeremonyStep(0, 10, "The type is `webauthn.get`.", "check", "wrong_type", _is_use),
    CeremonyStep(
        8, 11, "The challenge is one that was given for this ceremony.", "check", "wrong_challenge", _is_challenge
    ),
    CeremonyStep(
        *(9, 12, "The origin is one of `origins`, to the letter: no sub-domain is implied."),
        *("check", "wrong_origin", _is_origin),
    ),
    CeremonyStep(
        *(10, 13, "The page was not embedded in one of another origin, unless `top_origins` names any."),
        *("check", "embedded", _may_be_embedded),
    ),
    CeremonyStep(
        *(11, 14, "A top origin, if there is one, is one of `top_origins`."),
        *("check", "wrong_top_origin", _is_top_origin),
    ),
    CeremonyStep(12, 20, "The client data are hashed with SHA-256.", "reading"),
    CeremonyStep(
        *(13, 0, "The attestation object is sound CBOR, and the credential's key is sound COSE."),
        *("reading", "malformed"),
    ),
    CeremonyStep(14, 15, "The hash of the RP id is that of `rp_id`.", "check", "wrong_rp_id", _is_rp),
    CeremonyStep(15, 16, "The user was present (UP).", "check", "user_absent", _is_present),
    CeremonyStep(
        *(16, 17, "If user verification is required, the user was verified (UV)."),
        *("check", "user_not_verified", _is_verified),
    ),
    CeremonyStep(
        *(
            0,
            17,
            "If it is required, the user was verified at the enrolment too (uvInitialized): only then is UV a factor.",
        ),
        *("check", "never_verified", _was_verified),
    ),
    CeremonyStep(
        *(17, 18, "What is backed up (BS) is eligible for it (BE)."),
        *("check", "wrong_backup_state", _can_be_backed_up),
    ),
    CeremonyStep(18, 0, "Whether it is eligible for backup (BE) is kept.", "kind"),
    CeremonyStep(19, 0, "Whether it is backed up (BS) is kept.", "kind"),
    CeremonyStep(
        *(0, 19, "It is eligible for backup (BE) if and only if it was when it was enrolled."),
        *("check", "changed_backup_eligibility", _is_as_eligible),
    ),
    CeremonyStep(
        20, 0, "The key's algorithm is one that was offered.", "check", "algorithm_not_offered", _is_offered_algorithm
    ),
    CeremonyStep(
        21,
        0,
        "The format of the attestation statement is one of the standard's.",
        "check",
        "unknown_format",
        _is_format,
    ),
    CeremonyStep(
        *(22, 0, "The attestation statement passes the procedure of its format."),
        *("check", "wrong_attestation", _is_attested),
    ),
    CeremonyStep(23, 0, "Trust anchors are fetched. None is: the options ask for no attestation.", "policy"),
    CeremonyStep(24, 0, "Attestation is trusted. None is, and each credential is taken as one without.", "policy"),
    CeremonyStep(25, 0, f"The id has {MOST_ID_BYTES:,} bytes at most.", "check", "id_too_long", _is_short),
    CeremonyStep(
        *(26, 0, "The id is not one of this user's. That it is nobody's, the store sees to when it adds it."),
        *("check", "known_credential", _is_new),
    ),
    CeremonyStep(27, 0, "The credential record is made.", "kind"),
    CeremonyStep(28, 23, "Results of client extensions are processed. None is asked for.", "policy"),
    CeremonyStep(29, 0, "The credential is added if all went well.", "engine"),
    CeremonyStep(0, 21, "The signature is one by the credential's key.", "check", "wrong_signature", _is_signed),
    CeremonyStep(
        *(0, 22, "The sign count has grown, unless it is 0 and was 0; or `sign_count` says only to report it."),
        *("check", "possible_clone", _is_counted),
    ),
    CeremonyStep(0, 24, "Sign count and backup state are kept anew, if they have changed.", "kind"),
    CeremonyStep(0, 25, "The sign-in goes on if all went well, and fails otherwise.", "engine"),
)


def steps_of(ceremony: Literal["registration", "assertion"]) -> tuple[CeremonyStep, ...]:
    """Return the steps of *ceremony*, by their numbers."""
    numbered = ((step.registration if ceremony == "registration" else step.assertion, step) for step in CEREMONY_STEPS)
    return tuple(step for number, step in sorted(numbered, key=lambda pair: pair[0]) if number)


def failures(expected: Expected, answer: Answer) -> Iterator[CeremonyStep]:
    """Give the steps that *answer* fails, in their order; none if it passes the ceremony."""
    for step in steps_of("registration" if isinstance(answer, Registration) else "assertion"):
        if step.check is not None and not step.check(expected, answer):
            yield step
