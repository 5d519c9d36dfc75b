"""The corpus has teeth where something is remembered: vulnerable twins, each caught by the family that is named for it."""

import pytest

from kit.vulnerable_twins import Twin, found
from watchword import Flow, enrol, enrolled, one_of, sequence, when
from watchword.runtime import services, situation, verification
from watchword.runtime.credentials import effects, enrolment, pending
from watchword_adapters.attacks import FAMILIES
from watchword_adapters.credentials import memory
from watchword_adapters.credentials_api import api
from watchword_adapters.rest import callers, pool_tokens
from watchword_plugins import recovery_codes, totp
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp
from watchword_plugins.webauthn import encoding, steps

pytestmark = pytest.mark.exhaustive

PASSKEY = Passkey("example.com", ("https://example.com",))
SHORT = EmailOtp(length=6)

FLOWS = {
    "app": Flow(sequence(Srp(), Totp()), name="app"),
    "codes": Flow(sequence(Srp(), one_of(RecoveryCodes(), Totp())), name="codes"),
    "passkey": Flow(PASSKEY, name="passkey"),
    "enrolling": Flow(sequence(Srp(), SHORT, enrol(Totp())), name="enrolling"),
    "either": Flow(sequence(SHORT, when(enrolled("totp"), Totp(), otherwise=enrol(Totp()))), name="either"),
}
CASES = 300


TWINS = {
    # What users hold
    "what anybody has enrolled counts for all": Twin(
        memory.MemoryCredentials.list,
        "return self._owned.get(owner, ())",
        "return tuple(each for owned in self._owned.values() for each in owned)",
        "H-01",
        "passkey",
    ),
    "a use is not written": Twin(
        effects.judge,
        "if wanted is None or _is_written(",
        "if wanted is None or not answer.enrols or _is_written(",
        "H-02",
    ),
    "a recovery code is good for ever": Twin(
        recovery_codes.RecoveryCodes.verify, "if index not in used:", "if True:", "H-02", "codes"
    ),
    "sign counts are not compared": Twin(
        steps.has_grown, "answer.data.counter > known.sign_count", "True", "H-03", "passkey"
    ),
    "one host does not know what another has used": Twin(
        effects.judge,
        "if wanted is None or _is_written(",
        "if wanted is None or not answer.enrols or _is_written(",
        "H-04",
    ),
    "who loses a race has won it": Twin(
        effects.judge,
        "if wanted is None or _is_written(",
        "if wanted is None or not answer.enrols or _is_written(",
        "H-05",
        "codes",
    ),
    "a step counts twice": Twin(totp.Totp.verify, "if step > last:", "if True:", "A-13"),
    "an older step counts after a newer one": Twin(totp.Totp.verify, "if step > last:", "if step != last:", "A-13"),
    "the drift is wider": Twin(totp.Totp._matched, "now + self.drift + 1)", "now + self.drift + 3)", "A-13"),
    "codes are longer than asked": Twin(
        totp.Totp._read,
        "code = typed_code(answer)",
        "code = (typed_code(answer) or '')[:6]",
        "A-13",
    ),
    "what is enrolled is not read at the beginning": Twin(
        situation._enrolled_kinds,
        "return frozenset(each.kind for each in owned) if user.known else frozenset()",
        "return frozenset()",
        "H-06",
        "either",
    ),
    "what was removed stays": Twin(memory.MemoryCredentials.remove, "self._owned[owner] = kept", "pass", "H-07"),
    "deep JSON kills a kind": Twin(
        encoding.read_json_object, "except (ValueError, RecursionError):", "except ValueError:", "H-08", "passkey"
    ),
    # Enrolments
    "nobody enrols": Twin(enrolment.begin_enrolment, "if not user.known:", "if False:", "H-09"),
    "another answer completes it again": Twin(
        enrolment._Answer.completion,
        'return self.succeeded(pending.completed) if same else self.refused("used_before")',
        "return self.succeeded(pending.completed)",
        "H-10",
    ),
    "answers to an enrolment are not counted": Twin(
        enrolment._Answer.completion, "if not self.counted():", "if False:", "H-10"
    ),
    "a handle is anybody's": Twin(
        enrolment.complete_enrolment,
        "theirs = pending is not None and user.known and pending.owner == owner_of(pool, seen)",
        "theirs = pending is not None",
        "H-11",
        "passkey",
    ),
    "a handle is good at any client": Twin(
        pending._context, "json.dumps([*binding, handle])", "json.dumps([binding[0], handle])", "H-11"
    ),
    "a handle is good for any kind": Twin(
        enrolment.complete_enrolment, "or kind not in {None, pending.kind}", "", "H-11"
    ),
    "whoever began first enrols, whatever came between": Twin(
        verification._complete, "if methods.credentials():", "if False:", "H-12", "enrolling"
    ),
    "the old one stays beside the new": Twin(
        memory.MemoryCredentials.add, "if replace and each.kind", "if False and each.kind", "H-13", "codes"
    ),
    "the store is read for users alone": Twin(
        services.Services.owned_by,
        "if self.credentials is None:",
        "if self.credentials is None or not user.known:",
        "H-14",
        "passkey",
    ),
    "a secret is kept in the store": Twin(
        totp.Totp.complete,
        '{"root": root, "step": str(step)}',
        '{"root": root, "step": str(step), "secret": _secret(request, id_, root)}',
        "H-15",
    ),
    "a code is kept in the store": Twin(
        recovery_codes.RecoveryCodes.complete,
        "return NewCredential(id_, state,",
        "return NewCredential(id_, {**state, 'first': code},",
        "H-15",
        "codes",
    ),
    # The API
    "tokens of any pool": Twin(pool_tokens.PoolTokens.claims, 'or claims.get("iss") != self.issuer', "", "H-16"),
    "tokens of any client": Twin(pool_tokens.PoolTokens.claims, "or client not in self.clients", "", "H-16"),
    "ID tokens are access tokens": Twin(
        pool_tokens.PoolTokens.claims,
        "    if found != use:\n",
        "    if False:\n",
        "H-16",
    ),
    "tokens that have expired": Twin(pool_tokens._is_current, "<= now < ends", "<= now", "H-16"),
    "signatures of any key": Twin(
        pool_tokens.PoolTokens._signed,
        'PyJWS().decode(token, PyJWK(dict(key), "RS256"), ["RS256"]) if key else b""',
        'PyJWS().decode(token, options={"verify_signature": False})',
        "H-16",
    ),
    "a sign-in of any age": Twin(api.CredentialsApi._demand_fresh, "if caller.fresh:", "if True:", "H-16"),
    "tokens that were revoked": Twin(
        callers.Callers._user,
        "if code in _UNAUTHORIZED:",
        "import base64, json\n"
        "        body = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n"
        "        return User('ann', {'sub': body['sub']})\n"
        "        if code in _UNAUTHORIZED:",
        "H-16",
    ),
    "GetUser may tell of another user": Twin(
        callers.Callers.caller_of, 'if user.attributes.get("sub") != claims.get("sub"):', "if False:", "H-16"
    ),
    "the text of an error is told": Twin(
        api._refusal_of, 'f"This has failed (ref {ref})"', 'f"This has failed: {error}"', "H-17"
    ),
    # Stores
    "an id may be two users'": Twin(memory.MemoryCredentials.add, "if _key(credential) in self._ids or", "if", "H-18"),
    "a user may have any number": Twin(memory.MemoryCredentials.add, "or len(kept) >= most", "", "H-18"),
    "a use of an older version counts": Twin(
        memory.MemoryCredentials.swap, "or owned[places[0]].version != version", "", "H-18"
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_vulnerable_twin_is_caught_by_its_family(name):
    """By name, with at least one success."""
    assert TWINS[name].caught(FLOWS, CASES)


@pytest.mark.parametrize(("family", "flow"), sorted({(twin.family, twin.flow) for twin in TWINS.values()}))
def test_what_is_not_broken_is_not_caught(family, flow):
    """The same families on the same flows find nothing in what is shipped."""
    assert {} == found(family, FLOWS, flow, CASES)


def test_each_family_of_what_is_remembered_has_a_twin():
    """None is there that finds nothing."""
    assert {each.id for each in FAMILIES if each.id[0] == "H"} | {"A-13"} == {twin.family for twin in TWINS.values()}
