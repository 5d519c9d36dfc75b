"""The Define function as it is shipped: `derive`, a handler that imports nothing, and the flows as nested tuples."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from watchword import derive
from watchword.errors import ConfigurationError
from watchword.flow import Flow
from watchword_adapters.deploy import define_handler

HANDLER = "define.define"

_HANDLER = '''\
"""Define Auth Challenge of the flow {name}, made by `watchword build`. It needs neither key nor ledger nor courier."""

from define_handler import answer
from derive import judge

FLOWS = (
{flows})


def define(event, context=None):
    """Answer Define Auth Challenge: what comes next, tokens, or the end."""
    return answer(event, FLOWS, judge)
'''


def define_files(flows: Sequence[Flow]) -> dict[str, bytes]:
    """Return the files of the Define function of *flows*, the own one first, then previous ones.

    A previous flow that differs in texts alone is left out: its sessions are the own flow's.

    Raises:
        ConfigurationError: if one cannot be written down.
    """
    distinct = {flow.fingerprint: flow for flow in reversed(flows)}
    kept = [flow for flow in flows if distinct[flow.fingerprint] is flow]
    written = "".join(f"    {_literal((flow.name, flow.program))},\n" for flow in kept)
    return {
        "define.py": _HANDLER.format(name=ascii(flows[0].name), flows=written).encode(),
        "define_handler.py": _source(define_handler.__file__),
        "derive.py": _source(derive.__file__),
    }


def _literal(value: object) -> str:
    text = ascii(value)
    try:
        same = ast.literal_eval(text) == value
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise ConfigurationError("a step's settings are no plain values, so the flow cannot be written down for Define")
    return text


def _source(file: str) -> bytes:
    return Path(file).with_suffix(".py").read_bytes()
