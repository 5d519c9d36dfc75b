"""Diagrams as SVG: every node and edge is drawn once, nothing lies on anything else, and every label is text."""

import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.paths import FLOWS
from watchword import load_flow
from watchword.analysis.diagram import Diagram, Edge, Node, collapsed, full
from watchword.analysis.state_space import explore
from watchword_adapters.drawing.layout import BEGIN, CHARACTER, LINE, lay_out, wrapped
from watchword_adapters.drawing.svg import svg

EXAMPLES = [collapsed(explore(load_flow(path))) for path in sorted(FLOWS.glob("*.toml"))]
NAMES = [f"n{number}" for number in range(9)]
SVG = "{http://www.w3.org/2000/svg}"


def diagrams():
    """Diagrams of any form: circles, arrows to the node itself, nodes that nothing leads to, several ends."""
    shapes = st.sampled_from(["step", "choice", "host", "end"])
    names = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)

    def joined(ids):
        nodes = st.tuples(*(st.builds(Node, st.just(each), st.text(max_size=60), shapes) for each in ids))
        edge = st.builds(Edge, st.sampled_from([BEGIN, *ids]), st.sampled_from(ids), st.text(max_size=40))
        edges = st.lists(edge, max_size=20, unique_by=lambda each: (each.source, each.target)).map(tuple)
        return st.builds(Diagram, st.text(max_size=20), nodes, edges)

    return names.flatmap(joined)


def corners(x, y, width, height):
    """Left, top, right and bottom."""
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other):
    """Whether two rectangles share more than a line."""
    return one[0] < other[2] - 0.1 and other[0] < one[2] - 0.1 and one[1] < other[3] - 0.1 and other[1] < one[3] - 0.1


def areas(layout):
    """What nodes and labels cover."""
    for box in layout.boxes:
        yield corners(box.x, box.y, box.width, box.height)
    for arrow in layout.arrows:
        if arrow.lines:
            size = max(map(len, arrow.lines)) * CHARACTER, len(arrow.lines) * LINE
            yield corners(*arrow.label, *size)


def assert_drawn(diagram):
    """Each node once, each edge once, everything inside the picture, no blank strip at its left, and nothing on anything else."""
    layout = lay_out(diagram)
    assert [BEGIN, *(node.id for node in diagram.nodes)] == [box.id for box in layout.boxes]
    drawn = sorted((arrow.source, arrow.target) for arrow in layout.arrows)
    assert sorted((edge.source, edge.target) for edge in diagram.edges) == drawn
    covered = list(areas(layout))
    assert not any(overlap(one, other) for one, other in combinations(covered, 2))
    for left, top, right, bottom in covered:
        assert left >= 0
        assert top >= 0
        assert right <= layout.width
        assert bottom <= layout.height
    assert min([each[0] for each in covered] + [x for arrow in layout.arrows for x, _ in arrow.points]) <= 20
    for arrow in layout.arrows:
        assert len(arrow.points) >= 2
        if arrow.source != arrow.target:
            rows = [y for _, y in arrow.points]
            assert rows in (sorted(rows), sorted(rows, reverse=True))


@pytest.mark.parametrize("diagram", EXAMPLES, ids=lambda diagram: diagram.title)
def test_the_examples_are_drawn(diagram):
    """From the top down."""
    assert_drawn(diagram)


@given(diagrams())
@settings(max_examples=150, deadline=None)
def test_any_diagram_is_drawn(diagram):
    """Whatever leads where."""
    assert_drawn(diagram)
    assert svg(diagram) == svg(diagram)


def test_every_state_is_drawn():
    """In full, too."""
    diagram = full(explore(load_flow(FLOWS / "password_or_code.toml")))
    assert_drawn(diagram)


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_labels_are_text(diagram):
    """The picture is well-formed whatever they hold, and they stand in it as text."""
    printable = "".join(sign for node in diagram.nodes for sign in node.label if sign.isprintable())
    tree = ET.fromstring(svg(diagram))
    said = "".join(each.text or "" for each in tree.iter(f"{SVG}text"))
    assert {sign for sign in printable if not sign.isspace()} <= {*said}
    assert {each.tag for each in tree.iter()} <= {
        f"{SVG}{name}" for name in ("svg", "title", "style", "g", "path", "polygon", "rect", "circle", "text")
    }


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "]]>", "&lt;", "\"' onload='x", "\0\x1b\ud800\ufffe"])
def test_hostile_labels_stay_labels(text):
    """Also as the title, and as the id of a node."""
    picture = svg(Diagram(text, (Node(text, text, "step"),), (Edge(BEGIN, text, text),)))
    assert "<script" not in picture
    assert {f"{SVG}svg"} == {ET.fromstring(picture).tag}


def test_lines_are_wrapped_at_words():
    """And inside words that are too long."""
    assert () == wrapped("  ")
    assert ("one two",) == wrapped("one  two")
    lines = wrapped("word " * 20 + "x" * 70)
    assert max(map(len, lines)) <= 26
    assert "".join(lines).replace(" ", "") == "word" * 20 + "x" * 70
    assert all(one or other for one, other in pairwise(lines))
