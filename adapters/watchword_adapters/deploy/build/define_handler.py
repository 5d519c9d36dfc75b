# pyright: basic
# ruff: noqa: ANN001, ANN201, ANN202, PLC0415 - see define_handler.pyi; and nothing is imported before it is needed
"""Define Auth Challenge without the engine: reads Cognito's event, asks `derivative`, writes the answer.

`watchword build` ships this file, `derivative.py` and the lowered flows, and nothing else. Loading it imports nothing; what an
error or the end of a sign-in needs is imported then. It reads events as `watchword_adapters.aws.cognito` does, word for word:
the tests put both through the same ones. (Its types stand in ``define_handler.pyi``: without imports there is no ``Any``.)
"""

ACTION, CHOICE, SAID_SIGN_IN = "watchword_action", "watchword_choice", "watchword_signin"
LOG, AUDIT = "watchword", "watchword.audit"
_REF_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"


class TriggerError(Exception):
    """Raised if the event cannot be answered. Cognito shows its text to the client: a fixed one, and a reference."""


class MalformedError(Exception):
    """Raised if a field has a type that Cognito never sends."""


def define_event(given, flows, evaluate_session, hear=None):
    """Return the event *given* with Define's response.

    *flows* are pairs of a name and a lowered flow, the own one first; *evaluate_session* is `derivative.evaluate_session`. For a dialect
    *hear* takes client metadata and session, and gives action, choice, and the one step that may come next: none if it is empty, any if it is None.

    Raises:
        TriggerError: for whatever goes wrong; the log says what it was, under the same reference.
    """
    try:
        return _answer(given, flows, evaluate_session, hear)
    except MalformedError as error:
        raise _refused("BAD_REQUEST", f"ProtocolError: {error}") from None
    except BaseException as error:  # noqa: BLE001 - the text of anything else may hold what nobody should read
        raise _refused("UNAVAILABLE", type(error).__name__) from None


def _answer(given, flows, evaluate_session, hear):
    if not isinstance(given, dict):
        raise MalformedError(f"the event is no object but {type(given).__name__}")
    source = given.get("triggerSource")
    if source is not None and not str(source).startswith("DefineAuthChallenge"):
        raise MalformedError("the event is not meant for define: check which function each trigger of the pool calls")
    request = _object(given, "request")
    name = request.get("challengeName")
    if name is not None and name != "CUSTOM_CHALLENGE":
        raise MalformedError("challengeName: Create is called for CUSTOM_CHALLENGE only")
    _text(given, "userPoolId")
    client = _text(_object(given, "callerContext"), "clientId")
    attributes = _object(request, "userAttributes")
    _text(given, "userName")
    # Anything but a plain no counts as "not found": then there are no tokens. Whoever is there has a sub, always.
    known = not request.get("userNotFound") and bool(_said(attributes, "sub"))
    session = _session(request.get("session"))
    said = request.get("clientMetadata")
    if hear is None:
        action, choice, follows = *words_in(said), None
    else:
        action, choice, follows = hear(said, session)
    programs = [program for _, program in flows]
    named = isinstance(said, dict) and _names_sign_in(_said(said, SAID_SIGN_IN))
    decided, _, program, _, rounds, _ = evaluate_session(
        session, programs, attributes, client, known, action, choice, named=named
    )
    if follows is not None and decided[0] not in {"tokens", "fail"} and decided != ("present", follows):
        decided = ("fail", "no_second_round")
    kind = decided[0]
    if kind == "tokens":
        response = {"issueTokens": True, "failAuthentication": False}
    elif kind == "fail":
        response = {"issueTokens": False, "failAuthentication": True}
    else:
        next_round = decided[1] if kind == "host" else "CUSTOM_CHALLENGE"
        response = {"challengeName": next_round, "issueTokens": False, "failAuthentication": False}
    if kind in {"tokens", "fail"}:
        _tell(decided, next(flow for flow, each in flows if each is program), session, rounds)
    return {**given, "response": response}


def words_in(metadata):
    """Return the action and the choice that *metadata* say in the engine's own words."""
    return (_said(metadata, ACTION), _said(metadata, CHOICE)) if isinstance(metadata, dict) else (None, None)


def _names_sign_in(said):
    return said is not None and len(said) == 32 and not said.strip("0123456789abcdef")


def _text(fields, name):
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedError(f"{name} is no text but {type(value).__name__}")
    return value or ""


def _object(fields, name):
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is no object but {type(value).__name__}")
    return value


def _said(metadata, key):
    value = metadata.get(key)
    return value if isinstance(value, str) else None


def _session(rounds):
    if rounds is None:
        return []
    if not isinstance(rounds, (list, tuple)):
        return [("", None, None)]  # no session that Cognito writes: judged as a round that no flow knows
    return [
        (each.get("challengeName"), each.get("challengeResult"), each.get("challengeMetadata"))
        if isinstance(each, dict)
        else ("", None, None)
        for each in rounds
    ]


def _tell(decided, flow, session, rounds):
    """Record the end of a sign-in, as the engine does where it has no key: without naming anybody."""
    try:
        import json
        import logging
        import time

        if decided[0] == "tokens":
            failed = any(right is not True and use in {"answer", "offered"} for _, _, use, right, _ in rounds)
            name, detail = "authn_login_successafterfail" if failed else "authn_login_success", {}
            detail["rounds"] = str(len(rounds))
        else:
            name = "authn_login_fail_max" if decided[1] == "tries_used_up" else "authn_login_fail"
            detail = {"reason": decided[1], "rounds": str(len(session))}
        # `derivative` has read these texts; the claim is the fifth of their parts.
        claim = next((text.split(";")[4] for *_, text in reversed(rounds) if text), "")
        said = {"event": name, "at": time.time(), "flow": flow}
        if claim:
            said["ref"] = _reference(claim)
        said["detail"] = detail
        log = logging.getLogger(AUDIT)
        if log.level == logging.NOTSET:
            log.setLevel(logging.INFO)
        line = json.dumps(said).replace("\x7f", "\\u007f")
        log.info("%s", line)
        _print_unless_written(log, line)
    except Exception:  # noqa: BLE001, S110 - ASVS 5.0 16.5: the decision stands whatever the log does
        pass


def _print_unless_written(log, line):
    """Print *line* in Lambda if no handler of *log*, or of one above it, writes at INFO: as `StructuredLog` does."""
    import logging
    import os
    import sys

    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ or not log.isEnabledFor(logging.INFO):
        return
    while log is not None:
        if any(each.level <= logging.INFO and not isinstance(each, logging.NullHandler) for each in log.handlers):
            return
        log = log.parent if log.propagate else None
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _refused(text, reason):
    import logging
    import os

    ref = _reference(os.urandom(16).hex())
    logging.getLogger(LOG).error("define ended with %s (ref %s): %s", text, ref, reason)
    return TriggerError(f"{text} (ref {ref})")


def _reference(claim):
    """Return the eight characters by which user and operator speak of one challenge."""
    from hashlib import sha256

    encoded = [part.encode("utf-8", "surrogatepass") for part in ("reference", claim)]
    packed = b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
    number = int.from_bytes(sha256(packed).digest(), "big")
    letters = ""
    for _ in range(8):
        number, rest = divmod(number, len(_REF_ALPHABET))
        letters += _REF_ALPHABET[rest]
    return letters
