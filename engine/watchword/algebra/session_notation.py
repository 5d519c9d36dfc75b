"""Write and parse sessions as text: ``srp_a+ password_verifier+ email_otp- email_otp+``.

A word is a step's name, a host round's in lower case, or ``select``; its last character says how the round went:
``+`` true, ``-`` false, ``~`` false because the client asked for a resend, ``!`` false because the step could not be asked.
``select:passkey+`` is a select round that was answered for the option `passkey`, which it offered. The host's own EMAIL_OTP round is spoken
``host_email_otp``, since a step may have that name; a step that has the name of a host round nevertheless is spoken with
``step_`` before it.
"""

from __future__ import annotations

from collections.abc import Collection

from watchword.algebra import derivative
from watchword.algebra.flow import ReadRound, Use
from watchword.errors import ConfigurationError

MAX_SESSION_TEXT = 100_000
"""The longest text of a session, in characters. A thousand rounds take a third of it."""

_HOST_EMAIL = "EMAIL_OTP"
HOST_WORDS = {
    ("host_" if name == _HOST_EMAIL else "") + name.lower(): name
    for name in (derivative.SRP_A, derivative.PASSWORD_VERIFIER, derivative.NEW_PASSWORD, *derivative.HOSTED)
}
_SIGNS: dict[str, tuple[Use, bool]] = {
    "+": ("answer", True),
    "-": ("answer", False),
    "~": ("resend", False),
    "!": ("unasked", False),
}


def format_round(read: ReadRound) -> str:
    """Return the word for one round."""
    if read.name != derivative.CUSTOM:
        spoken = next((word for word, name in HOST_WORDS.items() if name == read.name), read.name.lower())
        return spoken + ("+" if read.right is True else "-")
    sign = "+" if read.right is True else {"resend": "~", "unasked": "!"}.get(read.use, "-")
    return (_offered(read.step) if read.use == derivative.OFFERED else _spoken(read.step)) + sign


def _spoken(step: str) -> str:
    return f"step_{step}" if step in HOST_WORDS else step


def _offered(step: str) -> str:
    return f"{derivative.SELECT}:{step}"


def parse_session(words: str, steps: Collection[str], offered: Collection[str] | None = None) -> tuple[ReadRound, ...]:
    """Return the rounds that *words* stand for; *steps* are the names of the flow's steps.

    Of them, *offered* can be answered in a select round; all of them if it is None, as a foreign session may say.

    Raises:
        ConfigurationError: for a word that is none; the message lists what there is.
    """
    if len(words) > MAX_SESSION_TEXT:
        raise ConfigurationError(f"the session has {len(words)} characters, {MAX_SESSION_TEXT} at most are read")
    own = {_spoken(step): step for step in (*steps, derivative.SELECT)}
    in_select = {_offered(step): step for step in (steps if offered is None else offered)}
    rounds: list[ReadRound] = []
    for word in words.split():
        name, sign = word[:-1], word[-1]
        if sign not in _SIGNS or not (name in own or (name in (*HOST_WORDS, *in_select) and sign in "+-")):
            known = ", ".join([*own, *in_select, *HOST_WORDS])
            raise ConfigurationError(
                f"{word[:80]!r} is no round: write a name and + (right), - (wrong) or, for a step, ~ (resend) or ! (could not be asked): "
                f"{known}"
            )
        use, right = _SIGNS[sign]
        if name in in_select:
            rounds.append(ReadRound.custom(in_select[name], right=right, use="offered"))
        elif name in own:
            rounds.append(ReadRound.custom(own[name], right=right, use=use))
        else:
            rounds.append(ReadRound.host(HOST_WORDS[name], right=right))
    return tuple(rounds)
