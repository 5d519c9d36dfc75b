"""Sessions in the words of `watchword.algebra.session_notation`, as lists of (name, result, metadata): ``session("srp_a+ password_verifier+ email_otp-", flow)``.

Every custom round carries the metadata that *flow*'s own Create would have written. A word may also name a step that *flow* has not.
"""

from watchword.algebra import derivative
from watchword.algebra.session_notation import parse_session
from watchword.testing.session_lists import SIGNIN, metadata, recorded

__all__ = ["SIGNIN", "judged", "listed", "metadata", "results", "session"]


def listed(reads, flow, **fields):
    """Return the session that a host has after the rounds *reads*; *fields* override metadata in every round."""
    return [(each.name, each.result, each.metadata) for each in recorded(flow, reads, **fields)]


def session(words, flow, **fields):
    """Return the session that *words* tell; *fields* override metadata in every round."""
    named = [word[:-1] for word in words.split()]
    return listed(parse_session(words, [*named, *flow.steps]), flow, **fields)


def judged(
    words, flow, *, previous=(), attributes=None, client="", known=True, choice=None, action=None, had=(), **fields
):
    """Return what *flow* decides after *words*; a resend in the last word is told by the client's metadata.

    The first Create finds that the user *had* enrolled these kinds.
    """
    rounds = session(words, flow, **fields) if isinstance(words, str) else words
    if isinstance(words, str) and words.endswith("~"):
        action = "resend"
    if isinstance(words, str) and words.rpartition(" ")[2].startswith("select:"):
        action, choice = "answer", words.rpartition(":")[2][:-1]
    programs = [flow.program, *(old.program for old in previous)]
    return derivative.evaluate_session(rounds, programs, attributes or {}, client, known, action, choice, had)[0]


def results(rounds):
    """Return a session as Cognito writes it into its events."""
    return [
        {"challengeName": name, "challengeResult": result, "challengeMetadata": text} for name, result, text in rounds
    ]
