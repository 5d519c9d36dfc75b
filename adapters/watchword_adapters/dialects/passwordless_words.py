"""What the passwordless client says with an answer. This file imports nothing, so that a built Define can hold it."""

METHOD = "signInMethod"
"""The key of client metadata by which the client says its method."""

HAS_LINK = "alreadyHaveMagicLink"
"""The key by which it says whether the answer is a link's ticket."""

FIDO2, MAGIC_LINK, SMS_OTP_STEPUP = "FIDO2", "MAGIC_LINK", "SMS_OTP_STEPUP"
ANSWER = "answer"
NO_SECOND_ROUND = "no_second_round"
_SELECT = "select"


def method_of(metadata: dict[str, object] | None) -> str | None:
    """Return the method that the client says in its *metadata*; None if it says none."""
    said = metadata.get(METHOD) if isinstance(metadata, dict) else None
    return said if isinstance(said, str) else None


def is_answer(metadata: dict[str, object]) -> bool:
    """Say whether the client, where it is asked which way to take, answers for its method. Else it wants to be asked for that."""
    method = method_of(metadata)
    return method == FIDO2 or (method == MAGIC_LINK and metadata.get(HAS_LINK) == "yes")


def hear(
    metadata: dict[str, object] | None, asked: dict[str, str] | None, methods: dict[str, dict[str, str]]
) -> tuple[str | None, str | None, str | None] | None:
    """Return what the client means, in the engine's words: the action, the choice, and which step may come next.

    *asked* says the flow and the step of the round that was answered; *methods* are the names of the steps by method, by the
    fingerprint of the flow. Return None for a client that says no method: it spoke the engine's words itself. Who says a method has no
    other words, and Define, Create and Verify hear the same. The step that may come next is empty if tokens or a failure must, since
    the client throws at anything else; None before any challenge.
    """
    method = method_of(metadata)
    if method is None or metadata is None:
        return None
    if asked is None:
        return None, None, None
    step = methods.get(asked["flow"], {}).get(method, "")
    chosen = asked["step"] == _SELECT and bool(step)
    action = ANSWER if chosen and is_answer(metadata) else None
    # Whoever has asked for a message is asked for what it carries; a code may be typed again, and a link is opened once.
    goes_on = method == SMS_OTP_STEPUP or (chosen and action is None)
    return action, step if chosen else None, step if goes_on else ""
