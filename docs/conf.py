"""How Sphinx builds these pages: `sphinx-build docs docs/_build/html`."""

import io
import logging
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
    """Draw the flow of a TOML file beside the pages, as it is now: ``flow-diagram`` with the file as its argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        name, file = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(name)
        with redirect_stdout(io.StringIO()) as drawn:
            main(["graph", file, "--format", "svg"])
        return [nodes.raw("", f'<div class="flow-diagram">{drawn.getvalue()}</div>', format="html")]


def setup(app: "Sphinx") -> None:
    """Print a drawing as text: GitHub and GitLab draw Mermaid; Pygments does not know it. Draw flows."""
    app.add_lexer("mermaid", TextLexer)
    app.add_directive("flow-diagram", FlowDiagram)
