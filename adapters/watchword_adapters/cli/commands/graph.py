"""`watchword graph`: the state diagram of a flow, drawn from its exploration."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.analysis.diagram import Diagram, collapsed, dot, full, mermaid
from watchword.analysis.state_space import explore
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.output_file import flow_files, refuse_overwriting, write
from watchword_adapters.cli.progress import Progress
from watchword_adapters.drawing.svg import svg

_ENDINGS = {".dot": "dot", ".gv": "dot", ".svg": "svg"}

_EPILOG = """\
One node stands for each step, choice and host round; --full draws every state, with the words of sessions (right +,
wrong -, resend ~, not asked !) on the transitions. Mermaid is shown by GitHub and GitLab in a mermaid block. SVG needs no other program.

example:
  watchword graph docs/examples/flows/srp_then_code.toml
  watchword graph flow.toml -o flow.svg"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword graph`."""
    parser.description = "Draw the state diagram of a flow."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument(
        "--format", choices=("mermaid", "dot", "svg"), help="what to draw (by the ending of FILE, else mermaid)"
    )
    parser.add_argument("--full", action="store_true", help="draw every state")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to FILE in place of standard output")


def run(arguments: argparse.Namespace) -> int:
    """Draw the flow."""
    flow = read_flow(arguments)
    refuse_overwriting(arguments.output, flow_files(arguments.flow))
    form = arguments.format or _ENDINGS.get(arguments.output.suffix.lower() if arguments.output else "", "mermaid")
    exploration = explore(flow, progress=Progress("states walked"))
    write(_drawn(full(exploration) if arguments.full else collapsed(exploration), form), arguments.output)
    return 0


def _drawn(diagram: Diagram, form: str) -> str:
    return {"mermaid": mermaid, "dot": dot, "svg": svg}[form](diagram)
