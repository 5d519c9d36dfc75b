"""Draw a diagram as SVG, with its own style for light and dark. Whatever a label holds is text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from watchword.analysis.diagram import Diagram
from watchword_adapters.drawing.layout import BEGIN, LINE, Arrow, Box, lay_out

DIAGRAM_STYLE = """
svg.flow { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; --ink: #1a1a1a; --paper: #fff; --line: #6b6b6b; --lit: #0b57d0; --on-lit: #fff }
@media (prefers-color-scheme: dark) { svg.flow { --ink: #eee; --paper: #1b1b1f; --line: #a0a0a0; --lit: #a8c7fa; --on-lit: #062e6f } }
svg.flow text { fill: var(--ink); text-anchor: middle; dominant-baseline: central }
svg.flow .node > :is(rect, polygon, circle) { fill: var(--paper); stroke: var(--line); stroke-width: 1.5 }
svg.flow .node.host > rect { stroke-dasharray: 5 4 }
svg.flow .node.begin > circle { fill: var(--line) }
svg.flow .edge > path { fill: none; stroke: var(--line); stroke-width: 1.3 }
svg.flow .edge > text { font-size: 11.5px; paint-order: stroke; stroke: var(--paper); stroke-width: 5px }
svg.flow .edge > .head { fill: var(--line); stroke: none }
svg.flow .node.lit > :is(rect, polygon) { fill: var(--lit); stroke: var(--lit) }
svg.flow .node.lit > text { fill: var(--on-lit) }
svg.flow .edge.lit > path { stroke: var(--lit); stroke-width: 2.5 }
svg.flow .edge.lit > .head { fill: var(--lit) }
"""


def svg(diagram: Diagram, *, style: bool = True) -> str:
    """Return *diagram* as SVG: one element, with its *style* unless the page has that.

    Each node is a group of the class ``node`` with its id in ``data-node``, each edge one of the class ``edge`` with ``data-from`` and ``data-to``: so a
    page can light them up by the class ``lit``.
    """
    layout = lay_out(diagram)
    shapes = {node.id: node.shape for node in diagram.nodes}
    boxes = "".join(_box(box, shapes.get(box.id, "begin")) for box in layout.boxes)
    arrows = "".join(_edge(arrow) for arrow in layout.arrows)
    size = (
        f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" width="{layout.width:.0f}" height="{layout.height:.0f}"'
    )
    title = _escaped(" ".join(diagram.title.split()))
    told = f"<style>{DIAGRAM_STYLE}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" aria-label="{title}" {size}>'
        f"<title>{title}</title>{told}{arrows}{boxes}</svg>\n"
    )


def _box(box: Box, shape: str) -> str:
    left, top, right, bottom = (
        box.x - box.width / 2,
        box.y - box.height / 2,
        box.x + box.width / 2,
        box.y + box.height / 2,
    )
    size = f'x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    match shape:
        case "begin":
            drawn = f'<circle cx="{box.x:.1f}" cy="{box.y:.1f}" r="6"/>'
        case "choice":
            corners = (
                *((left, box.y), (left + 10, top), (right - 10, top)),
                *((right, box.y), (right - 10, bottom), (left + 10, bottom)),
            )
            drawn = f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}"/>'
        case "end":
            inner = f'x="{left + 3:.1f}" y="{top + 3:.1f}" width="{box.width - 6:.1f}" height="{box.height - 6:.1f}"'
            drawn = f'<rect {size} rx="4"/><rect {inner} rx="2"/>'
        case _:
            drawn = f'<rect {size} rx="{0 if shape == "host" else 8}"/>'
    name = "" if box.id == BEGIN else f' data-node="{_escaped(box.id)}"'
    return f'<g class="node {shape}"{name}>{drawn}{_text(box.lines, box.x, box.y)}</g>'


def _edge(arrow: Arrow) -> str:
    ends = f'data-from="{_escaped(arrow.source)}" data-to="{_escaped(arrow.target)}"'
    return f'<g class="edge" {ends}><path d="{_path(arrow)}"/>{_head(arrow)}{_text(arrow.lines, *arrow.label)}</g>'


def _path(arrow: Arrow) -> str:
    (x, y), *points = arrow.points
    drawn = f"M{x:.1f} {y:.1f}"
    if arrow.source == arrow.target:
        return drawn + "".join(f"L{to_x:.1f} {to_y:.1f}" for to_x, to_y in points)
    for to_x, to_y in points:
        half = (y + to_y) / 2
        drawn += f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return drawn


def _head(arrow: Arrow) -> str:
    """Return the head: it points down or up, or for an arrow to the node itself to the left."""
    (x, y), (_, before) = arrow.points[-1], arrow.points[-2]
    if arrow.source == arrow.target:
        corners = ((x, y), (x + 8, y - 4), (x + 8, y + 4))
    else:
        back = y - 8 if y > before else y + 8
        corners = ((x, y), (x - 4, back), (x + 4, back))
    return f'<polygon class="head" points="{" ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in corners)}"/>'


def _text(lines: Sequence[str], x: float, y: float) -> str:
    top = y - (len(lines) - 1) * LINE / 2
    return "".join(
        f'<text x="{x:.1f}" y="{top + number * LINE:.1f}">{_escaped(line)}</text>' for number, line in enumerate(lines)
    )


def _escaped(text: str) -> str:
    """Return *text* as XML has it; what XML has no sign for is shown as unknown."""
    return escape("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text))
