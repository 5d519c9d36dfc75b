"""What the passwordless client says with an answer. This file imports nothing, so that a built Define can hold it."""

METHOD = "signInMethod"
"""The key of client metadata by which the client says its method."""

FIDO2 = "FIDO2"
ANSWER = "answer"
_SELECT = "select"
NO_SECOND_ROUND = "no_second_round"


def method_of(metadata: dict[str, object] | None) -> str | None:
    """Return the method that the client says in its *metadata*; None if it says none."""
    said = metadata.get(METHOD) if isinstance(metadata, dict) else None
    return said if isinstance(said, str) else None


def hear(
    metadata: dict[str, object] | None, asked: dict[str, str] | None, passkeys: dict[str, str]
) -> tuple[str | None, str | None] | None:
    """Return the action and the choice, in the engine's words, with which the client answered; None if it spoke those itself.

    *asked* are the fields of the last round's metadata, *passkeys* the names of the flows' passkey steps by fingerprint. Who says
    a method has no other words, and Verify hears the same.
    """
    method = method_of(metadata)
    if method is None:
        return None
    step = passkeys.get(asked["flow"]) if asked else None
    chosen = method == FIDO2 and step and asked and asked["step"] == _SELECT
    return (ANSWER, step) if chosen else (None, None)


def ends_at_once(metadata: dict[str, object] | None, rounds: int) -> bool:
    """Say whether tokens or a failure must come after *rounds* rounds: after a passkey the client throws at another one."""
    return rounds > 0 and method_of(metadata) == FIDO2
