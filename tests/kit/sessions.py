"""Sessions as they are spoken: ``session("srp_a+ password_verifier+ email_otp- email_otp+", flow)``.

A word is the name of a step, of a host round in lower case, or ``select``; its last character says how it went:
``+`` true, ``-`` false, ``~`` false because the client asked for a resend, ``!`` false because the step could not be asked. Every custom round carries the metadata that
*flow*'s own Create would have written.
"""

from watchword import ReadRound, derive
from watchword.testing.session_lists import SIGNIN, metadata, recorded

__all__ = ["HOST_ROUNDS", "SIGNIN", "judged", "metadata", "results", "session"]

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


def session(words, flow, **fields):
    """Return the session (name, result, metadata) that *words* tell; *fields* override metadata in every round."""
    reads = []
    for word in words.split():
        name, sign = word[:-1], word[-1]
        right = {"+": True, "-": False, "~": False, "!": False}[sign]
        if name in HOST_ROUNDS:
            reads.append(ReadRound.host(HOST_ROUNDS[name], right=right))
        else:
            reads.append(ReadRound.custom(name, right=right, use={"~": "resend", "!": "unasked"}.get(sign, "answer")))
    return [(each.name, each.result, each.metadata) for each in recorded(flow, reads, **fields)]


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
