"""What somebody should know of a flow before trusting it: told from its blocks alone, without walking its states."""

from __future__ import annotations

from typing import assert_never

from watchword.blocks import AtLeast, Block, Fallback, InSequence, Named, OneOf, When
from watchword.challenge import HostRun, Kind
from watchword.flow import Flow


def cautions(flow: Flow) -> tuple[str, ...]:
    """Return a sentence for each thing to beware of in *flow*; none if there is nothing."""
    if _surely_proves(flow.body):
        return ()
    caution = (
        f'the flow "{flow.name}" proves nothing about who signs in: on some path tokens are issued without a factor; '
        "put a step that proves one, such as email_otp or srp, on every path"
    )
    return (caution,)


def _surely_proves(block: Block) -> bool:
    """Say whether every way through *block* proves a factor."""
    match block:
        case InSequence(parts):
            return any(map(_surely_proves, parts))
        case OneOf(parts) | Fallback(parts):
            return all(map(_surely_proves, parts))
        case AtLeast(count, options):
            return count > sum(not _surely_proves(option) for option in options)
        case When(_, then, otherwise):
            return otherwise is not None and _surely_proves(then) and _surely_proves(otherwise)
        case Named(_, kind):
            return bool(kind.proves)
        case Kind():
            return bool(block.proves)
        case HostRun():
            return True  # Srp is the only one that a flow may hold
        case _:
            assert_never(block)
