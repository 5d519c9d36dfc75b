"""The Define function as it is shipped: `derivative`, a handler that imports nothing, and the flows as nested tuples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from watchword.algebra import derivative
from watchword.algebra.flow import Flow
from watchword_adapters.deploy.build import define_handler
from watchword_adapters.deploy.build.generated_modules import written
from watchword_adapters.dialects import passwordless_words
from watchword_adapters.dialects.passwordless import steps_of_methods

HANDLER = "define.define"

_HANDLER = '''\
"""Define Auth Challenge of a flow, made by `watchword build`. It needs neither key nor ledger nor courier."""

from define_handler import define_event
from derivative import evaluate_session

# Each flow's name and program, the own one first; then those whose sign-ins may be under way.
FLOWS = ...


def define(event, context=None):
    """Answer Define Auth Challenge: what comes next, tokens, or the end."""
    return define_event(event, FLOWS, evaluate_session)
'''


_DIALECT_HANDLER = '''\
"""Define Auth Challenge of a flow, made by `watchword build` for the passwordless client. It needs neither key nor ledger nor courier."""

from define_handler import define_event, words_in
from derivative import evaluate_session, read_metadata
from passwordless_words import hear

# Each flow's name and program, the own one first; then those whose sign-ins may be under way.
FLOWS = ...

# The names of the steps by method, by the fingerprint of the flow.
METHODS = ...


def _heard(said, session):
    asked = read_metadata(session[-1][2]) if session else None
    return hear(said, asked, METHODS) or (*words_in(said), None)


def define(event, context=None):
    """Answer Define Auth Challenge: what comes next, tokens, or the end."""
    return define_event(event, FLOWS, evaluate_session, _heard)
'''


def define_files(flows: Sequence[Flow], dialect: str = "") -> dict[str, bytes]:
    """Return the files of the Define function of *flows*, the own one first, then previous ones; for a *dialect* if one is named.

    A previous flow that differs in texts alone is left out: its sessions are the own flow's.

    Raises:
        ConfigurationError: if one cannot be written down.
    """
    distinct = {flow.fingerprint: flow for flow in reversed(flows)}
    kept = [flow for flow in flows if distinct[flow.fingerprint] is flow]
    values: dict[str, object] = {"FLOWS": tuple((flow.name, flow.program) for flow in kept)}
    spoken = {"passwordless_words.py": _source(passwordless_words.__file__)} if dialect else {}
    if dialect:
        values["METHODS"] = steps_of_methods(kept)
    return {
        **spoken,
        "define.py": written(_DIALECT_HANDLER if dialect else _HANDLER, values),
        "define_handler.py": _source(define_handler.__file__),
        "derivative.py": _source(derivative.__file__),
    }


def _source(file: str) -> bytes:
    return Path(file).with_suffix(".py").read_bytes()
