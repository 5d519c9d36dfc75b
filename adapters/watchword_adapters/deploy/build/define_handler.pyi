from collections.abc import Callable, Sequence
from typing import Any

from watchword.algebra.derivative import Program

ACTION: str
CHOICE: str
LOG: str
AUDIT: str
_REF_ALPHABET: str

class TriggerError(Exception): ...
class MalformedError(Exception): ...

def define_event(
    given: object, flows: Sequence[tuple[str, Program]], evaluate_session: Callable[..., tuple[Any, ...]]
) -> dict[str, Any]: ...
def _reference(claim: str) -> str: ...
