"""Lay out a diagram in layers: every arrow goes down, but for those that go back, and no label lies on another.

The method is that of Sugiyama, Tagawa and Toda (1981): break the circles, give each node a layer, put a place on every layer that an
arrow crosses, order the layers so that few arrows cross, then move everything near its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from attrs import define, field, frozen

from watchword.analysis.diagram import Diagram, Edge
from watchword.errors import ConfigurationError

BEGIN = "[*]"

CHARACTER, LINE = 7.2, 18.0
"""Width of a character and height of a line, in the units of the picture."""

MOST_CROSSINGS = 4000
"""The most places at which arrows may cross layers: a picture of more takes seconds, and nobody can read it."""

_MOST_CHARACTERS = 26
_PADDING, _GAP, _LEVEL = 12.0, 22.0, 34.0
_SWEEPS = 12
_MARGIN = 16.0


@frozen
class Box:
    """A node: its *id*, the *lines* of its label, the middle of it, and its size."""

    id: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@frozen
class Arrow:
    """An edge: from *source* to *target* through *points*, with the *lines* of its label, in the middle at *label*."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    lines: tuple[str, ...]
    label: tuple[float, float]


@frozen
class Layout:
    """Where everything goes, in a picture of this size."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@define(eq=False)
class _Place:
    """A node, or where an arrow crosses a layer; there its label may stand."""

    lines: tuple[str, ...]
    width: float
    height: float
    layer: int
    above: list[_Place] = field(factory=list["_Place"])
    below: list[_Place] = field(factory=list["_Place"])
    x: float = 0.0
    y: float = 0.0
    order: float = 0.0


def lay_out(diagram: Diagram) -> Layout:
    """Return where the nodes and edges of *diagram* go: the same for the same diagram.

    Raises:
        ConfigurationError: if its arrows cross more than `MOST_CROSSINGS` layers.
    """
    loops = [edge for edge in diagram.edges if edge.source == edge.target]
    edges = [edge for edge in diagram.edges if edge.source != edge.target]
    back = _back_edges([BEGIN, *(node.id for node in diagram.nodes)], edges)
    layer = _layers(diagram, edges, back)
    if sum(2 * abs(layer[edge.source] - layer[edge.target]) - 1 for edge in edges) > MOST_CROSSINGS:
        raise ConfigurationError(
            f"the diagram has {len(diagram.nodes)} nodes and {len(edges)} arrows, too many for a picture: "
            "watchword graph writes it as Mermaid or DOT"
        )
    places = {BEGIN: _Place((), LINE, LINE, 0)}
    said = {edge.source: wrapped(edge.label) for edge in loops}
    for node in diagram.nodes:
        lines = wrapped(node.label)
        beside = _width(said[node.id]) + 2 * _GAP if node.id in said else 0.0
        width = max(_width(lines), 4 * CHARACTER) + 2 * _PADDING + (20 if node.shape == "choice" else 0)
        # Room on both sides, so that the arrow to itself has its own and the box stays in the middle.
        places[node.id] = _Place(lines, width + 2 * beside, len(lines) * LINE + _PADDING, 2 * layer[node.id])
    ways = {edge: _way(edge, places, turned=edge in back) for edge in edges}
    rows = _rows([*places.values(), *(place for way in ways.values() for place in way[1:-1])])
    _order(rows)
    _spread(rows)
    return _drawn(diagram, places, ways, rows, said)


def wrapped(text: str) -> tuple[str, ...]:
    """Return *text* in lines that are not too long; nothing if it is empty."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= _MOST_CHARACTERS:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines += [word[at : at + _MOST_CHARACTERS] for at in range(0, len(word), _MOST_CHARACTERS)]
    return tuple(lines)


def _width(lines: Iterable[str]) -> float:
    return max((len(line) * CHARACTER for line in lines), default=0.0)


def _back_edges(nodes: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """Return the edges that lead back to where one comes from: without them there is no circle."""
    onward: dict[str, list[Edge]] = {node: [] for node in nodes}
    for edge in edges:
        onward[edge.source].append(edge)
    back, done, open_ = set[Edge](), set[str](), set[str]()
    for root in nodes:
        stack: list[tuple[str, int]] = [(root, 0)] if root not in done else []
        while stack:
            node, at = stack.pop()
            open_.add(node)
            if at == len(onward[node]):
                open_.discard(node)
                done.add(node)
                continue
            stack.append((node, at + 1))
            edge = onward[node][at]
            if edge.target in open_:
                back.add(edge)
            elif edge.target not in done:
                stack.append((edge.target, 0))
    return back


def _layers(diagram: Diagram, edges: Sequence[Edge], back: set[Edge]) -> Mapping[str, int]:
    """Return the layer of each node: below all that leads to it. The ends are on the last one."""
    layer = {BEGIN: 0, **{node.id: 1 for node in diagram.nodes}}
    onward = [(edge.target, edge.source) if edge in back else (edge.source, edge.target) for edge in edges]
    for _ in range(len(layer)):
        before = dict(layer)
        for source, target in onward:
            layer[target] = max(layer[target], layer[source] + 1)
        if before == layer:
            break
    last = max(layer.values())
    return {**layer, **{node.id: last for node in diagram.nodes if node.shape == "end"}}


def _way(edge: Edge, places: Mapping[str, _Place], *, turned: bool) -> list[_Place]:
    """Return the places that *edge* goes through, from the upper one down; the one in the middle has its label."""
    first, last = places[edge.source], places[edge.target]
    if turned:
        first, last = last, first
    between = range(first.layer + 1, last.layer)
    middle = between[len(between) // 2] if between else None
    way = [first]
    for layer in between:
        lines = wrapped(edge.label) if layer == middle else ()
        way.append(_Place(lines, _width(lines) + 6, max(len(lines) * LINE, 2.0), layer))
    way.append(last)
    for upper, lower in pairwise(way):
        upper.below.append(lower)
        lower.above.append(upper)
    return way


def _rows(places: Iterable[_Place]) -> list[list[_Place]]:
    rows: dict[int, list[_Place]] = {}
    for place in places:
        rows.setdefault(place.layer, []).append(place)
    return [rows[layer] for layer in sorted(rows)]


def _order(rows: Sequence[list[_Place]]) -> None:
    """Sort each row by the middle of what its places are joined to, down and up by turns."""
    for row in rows:
        for number, place in enumerate(row):
            place.order = number
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            beside = [(place.above if down else place.below) or [place] for place in row]
            means = [sum(each.order for each in joined) / len(joined) for joined in beside]
            row[:] = [
                place for _, _, place in sorted(zip(means, range(len(row)), row, strict=True), key=lambda it: it[:2])
            ]
            for number, place in enumerate(row):
                place.order = number


def _spread(rows: Sequence[list[_Place]]) -> None:
    """Give each place its x: near the middle of its neighbours, and clear of those beside it."""
    for row in rows:
        at = 0.0
        for place in row:
            place.x = at + place.width / 2
            at += place.width + _GAP
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            for place in row:
                joined = [*place.above, *place.below]
                place.x = sum(each.x for each in joined) / len(joined) if joined else place.x
            _clear(row)


def _clear(row: Sequence[_Place]) -> None:
    """Push apart what overlaps, the same way to the left and to the right."""
    wanted = [place.x for place in row]
    pushed = list(wanted)
    for at in range(1, len(row)):
        pushed[at] = max(pushed[at], pushed[at - 1] + _apart(row[at - 1], row[at]))
    pulled = list(wanted)
    for at in range(len(row) - 2, -1, -1):
        pulled[at] = min(pulled[at], pulled[at + 1] - _apart(row[at], row[at + 1]))
    for place, one, other in zip(row, pushed, pulled, strict=True):
        place.x = (one + other) / 2


def _apart(left: _Place, right: _Place) -> float:
    return (left.width + right.width) / 2 + _GAP


def _drawn(
    diagram: Diagram,
    places: Mapping[str, _Place],
    ways: Mapping[Edge, Sequence[_Place]],
    rows: Sequence[Sequence[_Place]],
    said: Mapping[str, tuple[str, ...]],
) -> Layout:
    # A loop and its label stand at the right of a node, which has as much room at its left, so that it stays in the middle.
    beside = {places[node]: _width(lines) + 2 * _GAP for node, lines in said.items()}
    left = min(place.x - place.width / 2 + beside.get(place, 0.0) for row in rows for place in row) - _MARGIN
    height = _MARGIN
    for row in rows:
        tallest = max(place.height for place in row)
        for place in row:
            place.x -= left
            place.y = height + tallest / 2
        height += tallest + (_LEVEL if row[0].layer % 2 == 0 else _LEVEL / 2)
    width = max(place.x + place.width / 2 for row in rows for place in row) + _MARGIN
    boxes = [Box(BEGIN, (), places[BEGIN].x, places[BEGIN].y, LINE, LINE)]
    for node in diagram.nodes:
        place = places[node.id]
        width_of_box = place.width - 2 * beside.get(place, 0.0)
        boxes.append(Box(node.id, place.lines, place.x, place.y, width_of_box, place.height))
    by_id = {box.id: box for box in boxes}
    arrows = [_arrow(edge, ways[edge], by_id) for edge in ways]
    arrows += [_loop(by_id[node], lines) for node, lines in said.items()]
    return Layout(width, height, tuple(boxes), tuple(arrows))


def _arrow(edge: Edge, way: Sequence[_Place], boxes: Mapping[str, Box]) -> Arrow:
    source, target = boxes[edge.source], boxes[edge.target]
    down = source.y <= target.y
    inner = [(place.x, place.y) for place in way[1:-1]]
    inner = inner if down else inner[::-1]
    sign = 1 if down else -1
    points = (
        (source.x, source.y + sign * source.height / 2),
        *inner,
        (target.x, target.y - sign * target.height / 2),
    )
    spoken = next((place for place in way[1:-1] if place.lines), None)
    label = (spoken.x, spoken.y) if spoken else points[len(points) // 2]
    return Arrow(edge.source, edge.target, points, spoken.lines if spoken else (), label)


def _loop(box: Box, lines: tuple[str, ...]) -> Arrow:
    right, reach = box.x + box.width / 2, _GAP
    points = ((right, box.y - 6), (right + reach, box.y - 6), (right + reach, box.y + 6), (right, box.y + 6))
    return Arrow(box.id, box.id, points, lines, (right + reach + 4 + _width(lines) / 2, box.y))
