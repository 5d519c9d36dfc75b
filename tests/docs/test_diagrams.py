"""The diagrams in the documents are those that `watchword graph` draws."""

import re
import runpy

import pytest

from kit.paths import DOCS
from watchword import load_flow
from watchword.analysis.diagram import collapsed, mermaid
from watchword.analysis.state_space import explore

PAGE = DOCS / "explanation" / "diagrams.md"
FLOWS = sorted((DOCS / "examples" / "flows").glob("*.toml"))


def diagrams(text):
    """Return the diagrams of *text*, by the name of the flow that stands in the heading above."""
    return dict(re.findall(r"^## `(\w+)`\n.*?^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_each_diagram_is_the_one_that_is_drawn(path):
    """To the letter. To draw anew: `watchword graph docs/examples/flows/NAME.toml`."""
    assert mermaid(collapsed(explore(load_flow(path)))) == diagrams(PAGE.read_text(encoding="utf-8"))[path.stem]


def test_every_example_has_its_diagram_and_nothing_else_has():
    """A flow that is added is drawn, one that is gone is not."""
    assert [path.stem for path in FLOWS] == sorted(diagrams(PAGE.read_text(encoding="utf-8")))


def test_a_diagram_that_is_wider_than_the_page_scrolls_by_itself():
    """So the page of the site keeps its width on a small screen."""
    pytest.importorskip("sphinx")
    directive = runpy.run_path(str(DOCS / "conf.py"))["FlowDiagram"]
    html = directive.drawn(None, str(FLOWS[0])).astext()
    assert '<div class="flow-diagram" style="overflow-x: auto">' == html.partition("<svg")[0].strip()
