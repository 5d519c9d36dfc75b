"""How Sphinx builds these pages: `sphinx-build docs docs/_build/html`."""

import io
import logging
import re
import tempfile
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.util.docutils import SphinxDirective

from watchword_adapters.cli import main

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Watchword"
author = "The Watchword maintainers"
version = release = _project["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "examples"]
# A toctree takes every page of its folder, and a folder may still be empty. (Sphinx 9 gives this warning no type, so that
# suppress_warnings cannot name it.)
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3  # [text](page.md#heading) is checked by the build

html_theme = "furo"
html_title = f"Watchword {version}"
html_show_sphinx = False


class FlowDiagram(SphinxDirective):
    """Draw a flow as it is now: ``flow-diagram`` with a TOML file beside the pages, or with ``#NAME``, the block of that file on this page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        wanted = self.arguments[0]
        if not wanted.startswith("#"):
            name, file = self.env.relfn2path(wanted)
            self.env.note_dependency(name)
            return [self.drawn(file)]
        page = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
        above = "".join(page.splitlines(keepends=True)[: self.lineno])
        block = re.findall(rf"^```toml\n# file: {re.escape(wanted[1:])}\n(.*?)^```", above, re.MULTILINE | re.DOTALL)[
            -1
        ]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "flow.toml")
            file.write_text(block, encoding="utf-8")
            return [self.drawn(str(file))]

    def drawn(self, file: str) -> nodes.Node:
        """Return the picture of the flow in *file*."""
        with redirect_stdout(io.StringIO()) as text:
            main(["graph", file, "--format", "svg"])
        return nodes.raw(
            "", f'<div class="flow-diagram" style="overflow-x: auto">{text.getvalue()}</div>', format="html"
        )


def setup(app: "Sphinx") -> None:
    """Print as text what Pygments cannot read: Mermaid, which GitHub and GitLab draw, and JSX with elements that have a hyphen. Draw flows."""
    app.add_lexer("mermaid", TextLexer)
    app.add_lexer("jsx", TextLexer)
    app.add_directive("flow-diagram", FlowDiagram)
