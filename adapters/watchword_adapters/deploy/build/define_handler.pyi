from collections.abc import Callable, Sequence
from typing import Any

from watchword.algebra.derivative import Program

ACTION: str
CHOICE: str
LOG: str
AUDIT: str
REF_ALPHABET: str

class TriggerError(Exception): ...
class MalformedError(Exception): ...

def answer(
    given: object, flows: Sequence[tuple[str, Program]], judge: Callable[..., tuple[Any, ...]]
) -> dict[str, Any]: ...
def reference(claim: str) -> str: ...
