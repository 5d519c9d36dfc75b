"""The corpus has teeth: deliberately vulnerable twins of what it attacks, each caught by the family that is named for it."""

import pytest

from kit.sample_triggers import Sample
from kit.vulnerable_twins import Twin, found
from watchword import Flow, attribute, fallback, named, sequence, when
from watchword.algebra import derivative
from watchword.contract import kinds, typed_codes
from watchword.loading.registry import Registry
from watchword.runtime import creation, delivery, keyring, services, situation, verification, wire
from watchword.runtime.credentials import effects
from watchword.runtime.sign_ins import evidence
from watchword_adapters import audit, aws_lambda, functions
from watchword_adapters.attacks import FAMILIES, attack
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.sample_kinds import SampleQuestion, offering_flow, step_up_flow, texting_flow
from watchword_adapters.aws import token_claims
from watchword_adapters.ledgers import memory
from watchword_adapters.userpool.sign_in import challenges, sessions
from watchword_plugins import sms_otp
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.srp import Srp
from watchword_plugins.texts import codes, mail

pytestmark = pytest.mark.exhaustive

FLOWS = {
    "code": Flow(EmailOtp(), name="code"),
    "password": Flow(sequence(Srp(), EmailOtp(length=6)), name="password"),
    "sometimes": Flow(sequence(Srp(), when(attribute("custom:mfa", "1"), EmailOtp())), name="sometimes"),
    "puzzle": Flow(sequence(Captcha(), EmailOtp()), name="puzzle"),
    "work": Flow(sequence(ProofOfWork(cost=1000, work=10), EmailOtp()), name="work"),
    "two": Flow(sequence(SampleQuestion(), named("second", SampleQuestion())), name="two"),
    "offering": offering_flow(),
    "texting": texting_flow(Registry()),
    "step_up": step_up_flow(Registry()),
    "either": Flow(fallback(SampleQuestion(attempts=1), EmailOtp()), name="either"),
    "fallback": Flow(fallback(SampleQuestion(attempts=1), named("second", SampleQuestion())), name="fallback"),
}
CASES = 150


VERIFIED = "if charge.outcome == "

_WORKED = """
    from hashlib import pbkdf2_hmac
    payload = json.loads(b64decode(answer))
    asked, solution = payload["challenge"]["parameters"], payload["solution"]
    password = bytes.fromhex(asked["nonce"]) + solution["counter"].to_bytes(4, "big")
    key = pbkdf2_hmac("sha256", password, bytes.fromhex(asked["salt"]), asked["cost"], 32).hex()
    if """
_SEALED = 'if request.matches(request.private.get("digest"), answer):'

TWINS = {
    # Answers with an access token
    "the code alone is enough": Twin(
        sms_otp.SmsOtp.verify,
        "request.answer_with_token() if self.with_token else request.answer",
        "request.answer.split(chr(34))[-2] if self.with_token else request.answer",
        "A-14",
        "step_up",
    ),
    "any token will do": Twin(
        kinds.VerifyRequest.answer_with_token,
        "answer if token and self.methods.is_access_token(token) else None",
        "answer if token else None",
        "A-14",
        "step_up",
    ),
    "no token is as good as one": Twin(
        kinds.VerifyRequest.answer_with_token,
        "answer if token and self.methods.is_access_token(token) else None",
        "answer if not token or self.methods.is_access_token(token) else None",
        "A-14",
        "step_up",
    ),
    "the token may be anybody's": Twin(
        verification._verify, "sub=user.id", "sub=token.rpartition('.')[2]", "A-14", "step_up"
    ),
    "a token alone is enough": Twin(
        sms_otp.SmsOtp.verify,
        "return judge_code(",
        "return __import__('watchword').Verdict(right=True) if self.with_token and answer is not None else judge_code(",
        "A-14",
        "step_up",
    ),
    # Tokens
    "claims by the client's word": Twin(
        aws_lambda.Triggers.evidence,
        "found = engine.find_evidence(cognito.token_request_of(given))",
        "return {k: v for k, v in (given['request'].get('clientMetadata') or {}).items() if k in token_claims.CLAIMS}",
        "V-01",
    ),
    "claims of others are kept": Twin(token_claims._changed, "return {", "return change if not claims else {", "V-01"),
    "every step counts as passed": Twin(
        evidence.keep_evidence, "(*parameters.passed, parameters.step)", "tuple(flow.steps)", "V-01", "either"
    ),
    "two steps are two factors": Twin(evidence.methods_of, "len(factors) > 1", "len(passed) > 1", "V-01", "two"),
    "evidence after each right answer": Twin(
        evidence.keep_evidence, "if parameters.step not in parameters.ends:", "if False:", "V-02", "two"
    ),
    "any sign-in may be said in another": Twin(
        evidence.keep_evidence, 'services.ledger.put(_void(services, said), "1"', "str((1,)[0:0]) or dict(a=1", "V-02"
    ),
    "what is said with a password is not heard": Twin(
        derivative.evaluate_session, "if named and decided", "if False and decided", "V-02", "sometimes"
    ),
    "evidence of whoever says it": Twin(evidence._context, "identity(request.user.attributes), said", "said", "V-03"),
    "evidence for every app client": Twin(evidence._context, "request.client, ", "", "V-03"),
    "evidence for every pool": Twin(evidence._context, "request.pool, ", "", "V-03"),
    "evidence in every token": Twin(
        aws_lambda.Triggers.evidence, 'if given.get("triggerSource") != token_claims.ISSUING:', "if False:", "V-03"
    ),
    "evidence for an hour": Twin(
        evidence.keep_evidence, "services.clock.now() + EVIDENCE_LIFETIME", "services.clock.now() + 3600", "V-03"
    ),
    "what is in the ledger is believed": Twin(
        evidence.find_evidence,
        "text = kept and unlock_state(services.keyring, _EVIDENCE, _context(request, said), kept)",
        "text = kept if kept and kept[0] == '[' else kept and unlock_state(services.keyring, _EVIDENCE, _context(request, said), kept)",
        "V-04",
    ),
    # The interpreter
    "tokens on a bare SRP_A": Twin(
        derivative._after_host, 'body if unwanted == "ignore" and right else BROKEN', "PASSED", "S-01"
    ),
    "no password is asked for": Twin(
        derivative.without_srp,
        "return None if first is None else (tag, first, body[2])",
        "return body[2][0] if first is None else (tag, first, body[2])",
        "S-02",
        "password",
    ),
    "a wrong password passes": Twin(
        derivative.step_body, 'tag == "srp" and right and name ==', 'tag == "srp" and name ==', "S-03", "password"
    ),
    "a wrong step passes": Twin(
        derivative._answered, 'name != own_name or use == "choice"', 'use == "choice"', "S-04", "two"
    ),
    "one answer passes two steps": Twin(
        derivative._in_turn,
        "return rest[0] if len(rest) == 1 else",
        "return PASSED if len(rest) == 1 else",
        "S-06",
        "two",
    ),
    "null metadata is matched by its position": Twin(
        derivative.read_session,
        "    first = next(",
        "    own = [f'{FORMAT}.{programs[0][0]}..x', heads(programs[0][2])[-1], '1', '-', '', '', '']\n"
        "    metadata = [parts or (own if each[2] is None else None) for parts, each in zip(metadata, session)]\n"
        "    first = next(",
        "S-16",
    ),
    "two ends instead of three": Twin(
        derivative._in_turn,
        'PASSED if tag == "sequence" else FAILED',
        'PASSED if tag == "sequence" else first',
        "S-04",
        "fallback",
    ),
    "MFA counts as a step": Twin(
        derivative._after_host,
        "return (body, unwanted, phase, (*hosts, name))",
        "return (PASSED, unwanted, phase, hosts)",
        "S-07",
        "password",
    ),
    "truthy results count": Twin(
        derivative.after, "body == BROKEN or (right is not True and right is not False)", "body == BROKEN", "S-08"
    ),
    "formats are not compared": Twin(derivative._sign_in, "values[0] == FORMAT and ", "", "S-11"),
    "unknown users get tokens": Twin(
        derivative.decide, 'return ("tokens",) if known else ("fail", "unknown_user")', 'return ("tokens",)', "S-14"
    ),
    "the newest flow judges unknown sessions": Twin(
        derivative.read_session, 'None if named else "unknown_flow"', "None", "S-17"
    ),
    "sign-ins may be mixed": Twin(
        derivative.read_session,
        "parts[0] != sign_in",
        'parts[0].split(".")[:3] != f"{sign_in}".split(".")[:3]',
        "S-18",
        "two",
    ),
    "tries without end": Twin(
        derivative._answered, '("step", own_name, tries - 1, requests)', '("step", own_name, tries, requests)', "A-09"
    ),
    # Create
    "the time in the metadata is believed": Twin(
        situation.Situation.issued_to_sign_in, "min(at, claim_time(claim) + LEASE)", "at", "S-11"
    ),
    "mail on a wrong answer": Twin(
        situation.Situation.was_answered.fget,
        "return last is not None and last.step == self.step_name and last.is_answer",
        "return False",
        "R-06",
    ),
    "no claim, so every repeat sends": Twin(
        delivery._claim_in_ledger, 'if at.first_metadata else "first"', "+ at.round", "S-19"
    ),
    "mails are not counted": Twin(delivery._count_and_send, "if not _is_counted(", "if None is _is_counted(", "R-05"),
    "unknown users are skipped": Twin(
        situation.read_situation,
        "    fresh = _fresh(services)\n",
        "    if not request.user.known:\n        raise ProtocolError('no such user')\n    fresh = _fresh(services)\n",
        "E-01",
    ),
    "an outage shows to known users alone": Twin(
        delivery._nobody_to_send_to,
        "down = services.ledger.peek(_outage(services, at), now=at.now, within=deadline.left())",
        "down = None",
        "E-04",
    ),
    "nothing is padded": Twin(
        delivery.pad_duration, "services.clock.sleep_until(deadline.started + floor)", "pass", "E-05"
    ),
    "a new mail has the old code": Twin(
        creation.make_challenge, "claim=claim.id, key=", "claim=at.signin, key=", "A-04"
    ),
    "the same puzzle after a wrong answer": Twin(
        delivery.draw_claim,
        "new_claim(key, at.round, at.now), int",
        'at.last_round.metadata["claim"] if at.last_round else new_claim(key, at.round, at.now), int',
        "K-04",
        "puzzle",
    ),
    "the same puzzle on every call": Twin(
        delivery.draw_claim,
        "new_claim(key, at.round, at.now), int",
        "new_claim(key, at.user[:32], 0), int",
        "K-03",
        "puzzle",
    ),
    "a kind may write what is the engine's": Twin(
        creation.flaw_of, "if not reserved.isdisjoint(texts):", "if False:", "X-01"
    ),
    # Verify
    "the seal is not checked": Twin(verification._read, "if not sealed:", "if False:", "S-10"),
    "a code is good for a little longer": Twin(
        verification._charge_and_compare, "if charge.at >= case.parameters.expires:", "if False:", "A-05"
    ),
    "a code is good twice": Twin(verification._charge_and_compare, "if not _accept(", "if None is _accept(", "A-07"),
    "a code is good for many at once": Twin(
        verification._charge_and_compare, "if not _accept(", "if None is _accept(", "A-08"
    ),
    "guesses are not counted": Twin(
        verification._charge, "else case.flow.limits.guesses_at(case.step)", "else ()", "R-01"
    ),
    "guesses are counted for each session": Twin(
        verification._Case.budget.fget, '"guess:{self.user}:', '"guess:{self.parameters.claim}:', "R-01", "two"
    ),
    "guesses at once are all compared": Twin(
        verification._charge_and_compare, VERIFIED + '"exhausted":', "if False:", "R-02", "password"
    ),
    "a second answer to a round is compared": Twin(
        verification._charge_and_compare, VERIFIED + '"refused":', "if False:", "S-13"
    ),
    "a wish for a new code is compared": Twin(
        verification.verify, 'if request.client_metadata.get(ACTION) == "resend":', "if False:", "A-04"
    ),
    "a success fills every budget": Twin(
        memory.MemoryLedger.consume, "self._refund(refund, by)", "self._budgets.records.clear()", "R-07"
    ),
    "guesses are compared when the ledger is down": Twin(
        verification.verify,
        "    return _charge_and_compare(services, case, text, deadline)",
        "    try:\n        return _charge_and_compare(services, case, text, deadline)\n"
        "    except Exception:\n        return _compare(services, case, text, Charge('charged', now), deadline)",
        "R-09",
    ),
    "a kind may say anything": Twin(
        effects._verdict_of,
        "if not (isinstance(said, Verdict) and isinstance(said.right, bool) and isinstance(said.reason, str)):",
        "if False:",
        "X-01",
    ),
    "a puzzle shows who exists": Twin(
        verification._charge_and_compare,
        "(case.request.user.known or not case.step.kind.proves)",
        "case.request.user.known",
        "E-01",
        "puzzle",
    ),
    # Answers in a choice
    "an answer counts for any option": Twin(
        verification._read,
        "flow.steps.get(answered or parameters.step)",
        "flow.steps.get(flow.offered[0] if answered else parameters.step)",
        "C-09",
        "offering",
    ),
    "an answer to each option": Twin(
        verification._charge,
        "case.parameters.round, case.parameters.step, text),",
        "'', ''),",
        "C-10",
        "offering",
    ),
    "an offer does not expire": Twin(
        verification._of_offer,
        "expires = parameters.issued + step.lifetime",
        "expires = parameters.issued + 99999",
        "C-10",
        "offering",
    ),
    "a right choice is an answer to whatever is named": Twin(
        derivative.evaluate_session, "offered = program[4] if", "offered = heads(before[0]) if", "C-09", "offering"
    ),
    # Keys, digests, users
    "an unkeyed digest": Twin(
        wire.answer_seal,
        'return key.digest(f"seal {step.kind.kind}", step.name, claim, user, answer)',
        "return hashlib.sha256(answer.encode()).hexdigest()",
        "L-04",
    ),
    "an unkeyed digest of a picture's text": Twin(
        wire.answer_seal,
        'return key.digest(f"seal {step.kind.kind}", step.name, claim, user, answer)',
        "return hashlib.sha256(answer.encode()).hexdigest()",
        "K-02",
        "puzzle",
    ),
    # Proof of work
    "any key is work, as for altcha 2.0": Twin(
        ProofOfWork.verify, _SEALED, f"{_WORKED}key == solution['derivedKey']:", "K-11", "work"
    ),
    "what a client says of the work is believed": Twin(
        ProofOfWork.verify,
        _SEALED,
        f"{_WORKED}key == solution['derivedKey'] and key.startswith(asked['keyPrefix']):",
        "K-11",
        "work",
    ),
    "randomInt(0, 9)": Twin(keyring.Key.choose, "alphabet[byte % size]", "alphabet[byte % (size - 1)]", "L-08"),
    "a code that is always the same": Twin(
        keyring.Key.choose, "length_prefixed(seed, str(block))", "length_prefixed(str(block))", "L-08"
    ),
    "weak keys are taken": Twin(keyring._key, "if len(set(secret)) < _MIN_DISTINCT_BYTES:", "if False:", "L-05"),
    "users are counted by the name they type": Twin(
        services.user_key,
        '("sub", identity(user.attributes)) if user.known else ("name", fold(user.name))',
        '("name", user.name)',
        "R-03",
        "two",
    ),
    "users are named in the audit": Twin(
        services.user_key,
        'return keyring.root_key.digest("user", pool, *named)',
        "return user.name + user.attributes.get('email', '')",
        "E-08",
    ),
    # Kinds
    "the code in metadata": Twin(
        codes.code_challenge, 'carry={"destination": destination}', 'carry={"code": code}', "L-04"
    ),
    "the code in private parameters": Twin(
        codes.code_challenge, 'private={"digest": ', 'private={"code": code, "digest": ', "L-04"
    ),
    "the code in the subject": Twin(
        mail.write_mail, '" ".join(subject.substitute(values).split())', 'values["code"] + " is your code"', "M-09"
    ),
    "mail to unverified addresses": Twin(mail.address_of, "(verified or not verified_only)", "True", "M-08"),
    "any text is an address": Twin(mail.address_of, "and is_plain_address(address)", "", "M-01"),
    "several addresses are one": Twin(mail.address_of, "and is_plain_address(address)", "", "M-02"),
    "any text is a number": Twin(
        sms_otp.SmsOtp._why_none, "not is_telephone_number(number)", "not number", "M-11", "texting"
    ),
    "what looks like a number is made one": Twin(
        sms_otp.SmsOtp._why_none,
        "    if not is_telephone_number(number)",
        "    number = '+' + ''.join(each for each in number if each.isdigit())\n    if not is_telephone_number(number)",
        "M-11",
        "texting",
    ),
    "every country is written to": Twin(
        sms_otp.SmsOtp._why_none, "number.startswith(self.countries)", "True", "M-12", "texting"
    ),
    "a prefix may be cut": Twin(
        sms_otp.SmsOtp._why_none,
        "number.startswith(self.countries)",
        "number.startswith(tuple(each[:2] for each in self.countries))",
        "M-12",
        "texting",
    ),
    "texts to unverified numbers": Twin(
        sms_otp.SmsOtp._why_none, "if self.verified_only and", "if False and", "M-08", "texting"
    ),
    "a text says the user's name": Twin(
        sms_otp.SmsOtp._message,
        "request.ref)",
        "request.ref + ' ' + request.user.attributes.get('name', ''))",
        "M-06",
        "texting",
    ),
    "the last line is bound to what the user says": Twin(
        sms_otp.SmsOtp._message,
        "return Sms(",
        "text = text + '\\n' + request.user.attributes.get('website', '')\n    return Sms(",
        "M-13",
        "texting",
    ),
    "the last line says no origin": Twin(sms_otp.SmsOtp._text, "@{_host(self.origin)} #", "@ #", "M-13", "texting"),
    "one budget for each account": Twin(
        delivery._is_counted, "for target in (at.user, destination)", "for target in (at.user,)", "M-14", "texting"
    ),
    "one budget for each number": Twin(
        delivery._is_counted, "for target in (at.user, destination)", "for target in (destination,)", "M-15", "texting"
    ),
    "one budget for each address": Twin(
        delivery._is_counted, "for target in (at.user, destination)", "for target in (destination,)", "M-15"
    ),
    "a number in the log": Twin(
        sms_otp.SmsOtp._message,
        "language =",
        "__import__('logging').getLogger('watchword').warning(request.user.attributes['phone_number'])\n    language =",
        "L-01",
        "texting",
    ),
    "digits of any script": Twin(
        typed_codes.typed_code,
        "    if not code or not code.isascii():",
        "    code = __import__('unicodedata').normalize('NFKC', code.upper())\n    if not code:",
        "K-09",
        "puzzle",
    ),
    # Hosts
    "the text of an error gets out": Twin(
        aws_lambda.Triggers._refused, 'f"{text} (ref {ref})"', 'f"{text} (ref {ref}): {reason}"', "L-03"
    ),
    "a log line is broken by its text": Twin(
        audit.as_line,
        'return json.dumps(said, default=str).replace("\\x7f", "\\\\u007f")',
        "return str(said['flow'])",
        "L-02",
    ),
    "a handle works twice": Twin(functions.SignIn._respond, "engine.ledger.take(", "engine.ledger.peek(", "S-13"),
    "a pool's session works twice": Twin(sessions.Sessions.take, "self._open[token] = None", "pass", "S-13"),
    "old proofs of a password": Twin(
        challenges.SignIns._claim_is_right,
        "abs(self.clock.now() - moment) <= _SKEW_SECONDS",
        "True",
        "P-04",
        "password",
    ),
    "a claim is given to many": Twin(
        memory.MemoryLedger.claim,
        "return Claim(holder.claim_id, holder.issued, holder.state, fresh=False)",
        "return Claim(holder.claim_id, holder.issued, holder.state, fresh=True)",
        "N-01",
    ),
    "what is taken stays": Twin(memory.MemoryLedger.take, "del self._values.records[key]", "pass", "N-02"),
}

SAMPLES = {
    "the last true result": "S-01",
    "missing equals missing": "A-02",
    "a flag skips the step": "C-03",
    "the client sets the attempts": "C-04",
    "the client names the address": "C-05",
    "the response is kept": "A-11",
    "a text of one's own": "E-01",
    "an exception gets out": "E-07",
}


@pytest.mark.parametrize("name", TWINS)
def test_a_vulnerable_twin_is_caught_by_its_family(name):
    """By name, with at least one success."""
    assert TWINS[name].caught(FLOWS, CASES)


@pytest.mark.parametrize(("family", "flow"), sorted({(twin.family, twin.flow) for twin in TWINS.values()}))
def test_what_is_not_broken_is_not_caught(family, flow):
    """The same families on the same flows find nothing in what is shipped."""
    assert {} == found(family, FLOWS, flow, CASES)


@pytest.mark.parametrize("fault", SAMPLES)
def test_a_sample_written_by_hand_is_caught_by_its_family(fault, monkeypatch):
    """Each has one of the faults that published samples have; others than the named family may find more."""
    monkeypatch.setattr(Arena, "made_with", lambda self, **_: Sample(self, fault))
    only = tuple(each for each in FAMILIES if each.id == SAMPLES[fault])

    found = attack(FLOWS["code"], cases=60, seed="samples", families=only)

    assert SAMPLES[fault] in found.succeeded


def test_there_are_as_many_twins_as_are_promised():
    """Thirty at least, and of every part."""
    assert len(TWINS) + len(SAMPLES) >= 30
    assert {"S", "A", "R", "E", "M", "K", "P", "L", "X", "N", "C", "V"} == {
        each.partition("-")[0] for each in (*(twin.family for twin in TWINS.values()), *SAMPLES.values())
    }
