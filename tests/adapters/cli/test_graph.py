"""`watchword graph`: the diagram as Mermaid, DOT or SVG, collapsed or in full."""

from __future__ import annotations

import pytest

from kit.paths import FLOWS
from watchword import load_flow
from watchword.analysis import diagram
from watchword.analysis.diagram import collapsed, dot, full, mermaid
from watchword.analysis.state_space import explore
from watchword_adapters.cli import main
from watchword_adapters.drawing.svg import svg

FILES = sorted(FLOWS.glob("*.toml"))
ONE = str(FILES[0])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("options", "draw"),
    [
        ("", lambda found: mermaid(collapsed(found))),
        ("--full", lambda found: mermaid(full(found))),
        ("--format mermaid", lambda found: mermaid(collapsed(found))),
        ("--format dot", lambda found: dot(collapsed(found))),
        ("--format dot --full", lambda found: dot(full(found))),
        ("--format svg", lambda found: svg(collapsed(found))),
        ("--format svg --full", lambda found: svg(full(found))),
    ],
)
def test_the_diagram_is_that_of_the_exploration(path, options, draw, capsys):
    """On standard output, nothing on stderr."""
    assert 0 == main(["graph", str(path), *options.split()])
    assert (draw(explore(load_flow(path))), "") == capsys.readouterr()


def test_mermaid_collapsed_is_the_default(capsys):
    """A picture that a person can paste into a page."""
    assert 0 == main(["graph", ONE])
    assert "stateDiagram-v2\n" in capsys.readouterr().out


def test_the_output_goes_to_a_file(tmp_path, capsys):
    """With -o, and standard output stays empty; what was in the file is gone."""
    path = tmp_path / "flow.mmd"
    path.write_text("before " * 1000)
    assert 0 == main(["graph", ONE, "-o", str(path)])
    assert ("", "") == capsys.readouterr()
    assert mermaid(collapsed(explore(load_flow(ONE)))) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "begins"), [("a.dot", "digraph"), ("a.GV", "digraph"), ("a.mmd", "---"), ("a", "---"), ("a.b.txt", "---")]
)
def test_a_file_holds_what_its_ending_says(name, begins, tmp_path):
    """Unless a format is asked for; an ending that says nothing is Mermaid's."""
    path = tmp_path / name
    assert 0 == main(["graph", ONE, "-o", str(path)])
    assert path.read_text(encoding="utf-8").startswith(begins)
    assert 0 == main(["graph", ONE, "--format", "dot", "-o", str(path)])
    assert path.read_text(encoding="utf-8").startswith("digraph")


def test_an_svg_file_is_a_picture(tmp_path):
    """Not Mermaid's text under a name that no program opens."""
    path = tmp_path / "a.svg"
    assert 0 == main(["graph", ONE, "-o", str(path)])
    assert svg(collapsed(explore(load_flow(ONE)))) == path.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_one_line(tmp_path, capsys):
    """It is named."""
    assert 2 == main(["graph", ONE, "-o", str(tmp_path / "no" / "flow.mmd")])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert "flow.mmd" in err


def test_a_huge_flow_is_not_drawn_in_full(monkeypatch, capsys):
    """One line with the numbers; collapsed it is drawn."""
    monkeypatch.setattr(diagram, "MAX_DRAWN", 10)
    assert 2 == main(["graph", ONE, "--full"])
    assert "has 20 states, too many to draw in full (at most 10)" in capsys.readouterr().err
    assert 0 == main(["graph", ONE])


def test_another_format_is_refused(capsys):
    """With the list of those there are."""
    assert 2 == main(["graph", ONE, "--format", "png"])
    err = capsys.readouterr().err
    assert "png" in err
    assert "svg" in err
