"""Sessions as they are spoken: ``session("srp_a+ password_verifier+ email_otp- email_otp+", flow)``.

A word is the name of a step, of a host round in lower case, or ``select``; its last character says how it went:
``+`` true, ``-`` false, ``~`` false because the client asked for a resend. Every custom round carries the metadata that
*flow*'s own Create would have written.
"""

from watchword import derive

HOST_ROUNDS = {
    name.lower(): name
    for name in (
        "SRP_A",
        "PASSWORD_VERIFIER",
        "NEW_PASSWORD_REQUIRED",
        "SMS_MFA",
        "SOFTWARE_TOKEN_MFA",
        "DEVICE_SRP_AUTH",
        "DEVICE_PASSWORD_VERIFIER",
        "ADMIN_NO_SRP_AUTH",
    )
} | {"email_mfa": "EMAIL_OTP"}  # `email_otp` is a step
SIGNIN = "0123456789abcdef"


def metadata(made_by, step, before="-", **fields):
    """Return what Create of the flow *made_by* writes for *step* after a round that ended as *before*; *fields* override."""
    values = {
        "v": derive.FORMAT,
        "flow": made_by.fingerprint,
        "facts": "0" * len(made_by.conditions),
        "step": step,
        "before": before,
        "signin": SIGNIN,
        "claim": "c1a1",
        "issued": "1700000000",
        "carry": "",
        **fields,
    }
    return ";".join(f"{name}={values[name]}" for name in derive.METADATA_FIELDS)


def session(words, flow, **fields):
    """Return the session (name, result, metadata) that *words* tell; *fields* override metadata in every round."""
    rounds = []
    before = "-"
    for word in words.split():
        name, sign = word[:-1], word[-1]
        result = {"+": True, "-": False, "~": False}[sign]
        if name in HOST_ROUNDS:
            rounds.append((HOST_ROUNDS[name], result, None))
            before = "-"
        else:
            rounds.append((derive.CUSTOM, result, metadata(flow, name, before, **fields)))
            before = "choice" if name == derive.SELECT else {"~": "resend"}.get(sign, "answer")
    return rounds


def judged(words, flow, *, previous=(), attributes=None, client="", known=True, choice=None, action=None, **fields):
    """Return what *flow* decides after *words*; a resend in the last word is told by the client's metadata."""
    rounds = session(words, flow, **fields) if isinstance(words, str) else words
    if isinstance(words, str) and words.endswith("~"):
        action = "resend"
    programs = [flow.program, *(old.program for old in previous)]
    return derive.judge(rounds, programs, attributes or {}, client, known, action, choice)[0]


def results(rounds):
    """Return a session as Cognito writes it into its events."""
    return [
        {"challengeName": name, "challengeResult": result, "challengeMetadata": text} for name, result, text in rounds
    ]
