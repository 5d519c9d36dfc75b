"""State diagrams of flows, drawn from their exploration: as Mermaid or DOT text, collapsed by step or in full."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Literal, TypeAlias

from attrs import frozen

from watchword import derive
from watchword.errors import ConfigurationError
from watchword.explanation import left, upcoming
from watchword.exploration import Exploration
from watchword.flow import ReadRound
from watchword.speech import say

Shape: TypeAlias = Literal["step", "choice", "host", "end"]

MAX_DRAWN = 1000
"""The most states that are drawn in full; nobody reads more."""

TOKENS, FAIL = "tokens", "fail"
_BEGIN = "[*]"
_ORDER = ("right", "new password due", "chosen", "wrong", "resend", "tries used up", "not asked", "no choice")


@frozen
class Node:
    """One state, or in a collapsed diagram all states in which the same is asked."""

    id: str
    label: str
    shape: Shape


@frozen
class Edge:
    """A way from one node to another; the beginning is ``[*]``."""

    source: str
    target: str
    label: str


@frozen
class Diagram:
    """Nodes and edges, in an order that is the same every time."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def full(exploration: Exploration) -> Diagram:
    """Return the diagram with a node for every state and an edge for every transition.

    Raises:
        ConfigurationError: if there are more than `MAX_DRAWN` states.
    """
    states = exploration.states
    if len(states) > MAX_DRAWN:
        raise ConfigurationError(
            f"flow {exploration.flow.name!r} has {len(states)} states, too many to draw in full (at most {MAX_DRAWN}): "
            "draw it collapsed by step"
        )
    nodes = tuple(Node(f"s{number}", _label(state), _shape(state)) for number, state in enumerate(states))
    begins = (Edge(_BEGIN, f"s{number}", label) for number, label in _beginnings(exploration))
    onward = (
        Edge(f"s{number}", f"s{target}", say(read))
        for number, followers in enumerate(exploration.onward)
        for read, target in followers
    )
    return Diagram(exploration.flow.name, nodes, (*begins, *onward))


def collapsed(exploration: Exploration) -> Diagram:
    """Return the diagram with one node for each step, choice and host round, and the two ends.

    It shows what may come after what; how many tries are left, it does not.
    """
    return _Collapsing(exploration, _blocks_of_choices(exploration)).diagram()


def mermaid(diagram: Diagram) -> str:
    """Return *diagram* as a Mermaid ``stateDiagram-v2``."""
    lines = ["---", f"title: {json.dumps(diagram.title, ensure_ascii=False)}", "---", "stateDiagram-v2"]
    lines += [f'    state "{_entities(node.label)}" as {node.id}' for node in diagram.nodes]
    for edge in diagram.edges:
        label = f": {_entities(edge.label)}" if edge.label else ""
        lines.append(f"    {edge.source} --> {edge.target}{label}")
    lines += [f"    {node.id} --> [*]" for node in diagram.nodes if node.shape == "end"]
    return "\n".join(lines) + "\n"


_SHAPES: dict[Shape, str] = {
    "step": "shape=box, style=rounded",
    "choice": "shape=diamond",
    "host": "shape=box, style=dashed",
    "end": "shape=box, peripheries=2",
}


def dot(diagram: Diagram) -> str:
    """Return *diagram* in DOT, the language of Graphviz."""
    title = _quoted(diagram.title)
    lines = [f"digraph {title} {{", f'    label={title}; labelloc="t";', '    begin [shape=point, label=""];']
    lines += [f"    {node.id} [{_SHAPES[node.shape]}, label={_quoted(node.label)}];" for node in diagram.nodes]
    for edge in diagram.edges:
        source = "begin" if edge.source == _BEGIN else edge.source
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"    {source} -> {edge.target}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _entities(text: str) -> str:
    # Mermaid has no escape in labels but its entity codes; a colon, quote or semicolon would end the label.
    return "".join(
        sign if sign.isalnum() or sign in " _-+~.,()=|[]/" else f"#{ord(sign)};" for sign in " ".join(text.split())
    )


def _quoted(text: str) -> str:
    # DOT: a quote ends the text; in labels a backslash begins an escape, and & the name of a sign as in HTML.
    escaped = " ".join(text.split()).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _beginnings(exploration: Exploration) -> Iterator[tuple[int, str]]:
    """Give each state to begin in, with the conditions under which one does."""
    conditions = exploration.flow.conditions
    ways: dict[int, list[str]] = {}
    for outcomes, number in exploration.beginnings:
        held = [_condition(each) for each, holds in zip(conditions, outcomes, strict=True) if holds]
        ways.setdefault(number, []).append(" and ".join(held) or "otherwise")
    for number, labels in ways.items():
        # If all outcomes lead to one state, the conditions make no difference.
        yield number, " or ".join(labels) if len(ways) > 1 else ""


def _condition(condition: Sequence[str]) -> str:
    return f"{condition[-2]} = {condition[-1]}"


# --- in full ------------------------------------------------------------------------------------------------------


def _label(state: derive.State) -> str:
    body, _, phase, _ = state
    if body == derive.PASSED:
        return TOKENS
    if derive.ending(body):
        return FAIL
    shown = derive.shown(body)
    begun = "" if phase == derive.CLOSED else f" (shown: {shown})" if shown else ""
    return left(body) + begun


def _shape(state: derive.State) -> Shape:
    names = upcoming(state)
    if derive.ending(state[0]):
        return "end"
    if not names or names[0] == derive.PASSWORD_VERIFIER:
        return "host"
    return "choice" if len(names) > 1 and derive.shown(state[0]) is None else "step"


# --- collapsed ----------------------------------------------------------------------------------------------------


def _blocks_of_choices(exploration: Exploration) -> dict[str, tuple[str, ...]]:
    """Return for each step that may be chosen the names of all steps of the same choice, in order.

    What is left of a choice when some of it is done offers fewer names; all that share a name are one choice.
    """
    steps = tuple(exploration.flow.steps)
    block: dict[str, set[str]] = {}
    for names in {upcoming(state) for state in exploration.states}:
        if len(names) > 1:
            joined = set(names).union(*(block.get(name, ()) for name in names))
            block.update(dict.fromkeys(joined, joined))
    return {name: tuple(step for step in steps if step in block[name]) for name in block}


@frozen
class _Collapsing:
    exploration: Exploration
    blocks: dict[str, tuple[str, ...]]

    def diagram(self) -> Diagram:
        nodes: dict[str, Node] = {}
        edges: dict[tuple[Node, Node], list[str]] = {}

        def add(source: Node, target: Node, label: str) -> None:
            nodes.setdefault(source.id, source)
            nodes.setdefault(target.id, target)
            labels = edges.setdefault((source, target), [])
            if label and label not in labels:
                labels.append(label)

        begin = Node(_BEGIN, "", "end")
        asked = [tuple(self._asked(number)) for number in range(len(self.exploration.states))]
        for first, label in _beginnings(self.exploration):
            for node in asked[first]:
                add(begin, node, label)
        for number, followers in enumerate(self.exploration.onward):
            state = self.exploration.states[number]
            if self._chooses(state):
                choice = self._choice(state)
                for name in upcoming(state):
                    add(choice, _step(name), "chosen")
                if not derive.asks(state[0]):
                    add(choice, _END[FAIL], "no choice")
            for read, target in followers:
                source = self._of(read, state)
                for node in asked[target]:
                    add(source, node, self._outcome(read, target, node))
        ends = [_END[name] for name in (TOKENS, FAIL) if name in nodes]
        drawn = [node for node in nodes.values() if node != begin and node not in ends]
        return Diagram(
            self.exploration.flow.name,
            (*drawn, *ends),
            tuple(Edge(source.id, target.id, _merged(labels)) for (source, target), labels in edges.items()),
        )

    def _asked(self, number: int) -> Iterator[Node]:
        """Give what may be asked in the state *number*, or the end that it is."""
        state = self.exploration.states[number]
        body = state[0]
        reads = {read.name for read, _ in self.exploration.onward[number]}
        for name in (derive.SRP_A, derive.NEW_PASSWORD):
            if name in reads:
                yield _host(name)
        if derive.ending(body):
            yield _END[TOKENS if body == derive.PASSED else FAIL]
            return
        names = upcoming(state)
        if self._chooses(state):
            yield self._choice(state)
        elif names:
            yield _host(names[0]) if names[0] == derive.PASSWORD_VERIFIER else _step(derive.shown(body) or names[0])

    def _chooses(self, state: derive.State) -> bool:
        return len(upcoming(state)) > 1 and derive.shown(state[0]) is None

    def _choice(self, state: derive.State) -> Node:
        names = self.blocks[upcoming(state)[0]]
        return Node(f"choose_{'_'.join(names[:1])}", f"choose {', '.join(names)}", "choice")

    def _of(self, read: ReadRound, state: derive.State) -> Node:
        """Return the node at which the round *read* is asked."""
        if read.name != derive.CUSTOM:
            return _host(read.name)
        return self._choice(state) if read.step == derive.SELECT else _step(read.step)

    def _outcome(self, read: ReadRound, target: int, node: Node) -> str:
        if node.id == f"host_{derive.NEW_PASSWORD.lower()}":
            return "new password due"
        if read.name != derive.CUSTOM:
            return ""
        if read.step == derive.SELECT:
            return "no choice"
        if read.right is True:
            return "right"
        if read.use == derive.UNASKED:
            return "not asked"
        states = self.exploration.states
        if derive.find(states[target][0], read.step) is None:
            return "tries used up"
        return "resend" if read.use == "resend" else "wrong"


_END: dict[str, Node] = {name: Node(name, name, "end") for name in (TOKENS, FAIL)}


def _step(name: str) -> Node:
    # A step may bear the name of an end, or a word of the drawing's own language.
    return Node(f"step_{name}", name, "step")


def _host(name: str) -> Node:
    return Node(f"host_{name.lower()}", name, "host")


def _merged(labels: Collection[str]) -> str:
    known = [label for label in _ORDER if label in labels]
    return " / ".join([*known, *(label for label in labels if label not in _ORDER)])
