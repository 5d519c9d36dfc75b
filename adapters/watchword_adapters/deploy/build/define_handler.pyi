from collections.abc import Callable, Sequence
from typing import Any

from watchword.algebra.derivative import Program

ACTION: str
CHOICE: str
SAID_SIGN_IN: str
LOG: str
AUDIT: str
_REF_ALPHABET: str

class TriggerError(Exception): ...
class MalformedError(Exception): ...

def define_event(
    given: object,
    flows: Sequence[tuple[str, Program]],
    evaluate_session: Callable[..., tuple[Any, ...]],
    hear: Callable[[object, list[Any]], tuple[str | None, str | None, str | None]] | None = None,
) -> dict[str, Any]: ...
def words_in(metadata: object) -> tuple[str | None, str | None]: ...
def _reference(claim: str) -> str: ...
