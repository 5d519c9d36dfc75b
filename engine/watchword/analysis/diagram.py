"""Draw the state diagram of a flow as Mermaid or DOT text, one node for each step or for each state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.flow import ReadRound
from watchword.algebra.session_notation import format_round
from watchword.analysis.findings import Conditions, Outcomes, beginnings_of, union
from watchword.analysis.state_space import Exploration, must_choose, sending_steps, upcoming
from watchword.errors import ConfigurationError

NodeShape: TypeAlias = Literal["step", "choice", "host", "end"]

MAX_DRAWN = 1000
"""The most states that a full diagram has."""

MAX_LABEL = 80
"""The most characters of one label; what is cut off ends in three dots."""

TOKENS, FAIL = "tokens", "fail"
_BEGIN = "[*]"
_ORDER = (
    *(
        "",
        "right",
        "new password due",
        "chosen",
        "wrong",
        "resend",
        "asked anew",
        "resend and choice",
        "asked anew and choice",
        "tries used up",
        "not asked",
    ),
    "no choice",
)


@frozen
class Node:
    """One state, or in a collapsed diagram all states in which the same is asked."""

    id: str
    label: str
    shape: NodeShape


@frozen
class Edge:
    """An arrow from one node to another; the beginning is ``[*]``."""

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
    """Return the diagram with a node for every state, and on the edges every transition.

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
    conditions = Conditions(exploration)
    begins = (
        Edge(_BEGIN, f"s{number}", _cut(conditions.told(mask, others)))
        for number, mask, others in beginnings_of(exploration)
    )
    words: dict[tuple[int, int], list[str]] = {}
    for number, followers in enumerate(exploration.onward):
        for read, target in followers:
            words.setdefault((number, target), []).append(format_round(read))
    onward = (Edge(f"s{number}", f"s{target}", " / ".join(said)) for (number, target), said in words.items())
    return Diagram(exploration.flow.name, nodes, (*begins, *onward))


def collapsed(exploration: Exploration) -> Diagram:
    """Return the diagram with one node for each step, choice and host round, and the two ends.

    It shows what may come after what, and at each fork by which condition; how many tries are left, it does not.
    """
    return _Collapsing(exploration, _blocks_of_choices(exploration), sending_steps(exploration.flow)).diagram()


def place_of(exploration: Exploration, state: derivative.State) -> str:
    """Return the id of the node of the collapsed diagram at which a sign-in in *state* stands."""
    if state[0] in derivative.ENDS:
        return TOKENS if state[0] == derivative.PASSED else FAIL
    names, asked = upcoming(state), derivative.shown(state[0])
    if must_choose(state):
        first = _blocks_of_choices(exploration).get(names[0], names)[0]
        return f"choose_{first}"
    if not names:
        return _host(derivative.SRP_A).id  # nothing was asked yet, and there is no way without the password
    node = _host(names[0]) if names[0] in derivative.SRP_ROUNDS else _step(asked or names[0])
    return node.id


def mermaid(diagram: Diagram) -> str:
    """Return *diagram* as a Mermaid ``stateDiagram-v2``."""
    lines = ["---", f"title: {json.dumps(diagram.title, ensure_ascii=False)}", "---", "stateDiagram-v2"]
    lines += [f'    state "{_entities(node.label)}" as {node.id}' for node in diagram.nodes]
    for edge in diagram.edges:
        label = f": {_entities(edge.label)}" if edge.label else ""
        lines.append(f"    {edge.source} --> {edge.target}{label}")
    lines += [f"    {node.id} --> [*]" for node in diagram.nodes if node.shape == "end"]
    return "\n".join(lines) + "\n"


_SHAPES: dict[NodeShape, str] = {
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


def _where(label: str, condition: str) -> str:
    """Return *label* with the *condition* under which it holds, if any."""
    return f"{label} if {condition}" if condition else label


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 3]}..."


# --- in full ------------------------------------------------------------------------------------------------------


def _label(state: derivative.State) -> str:
    """Return what is asked in *state*, with the tries and resend requests that are left, and the steps after it, cut short."""
    body, _, phase, _ = state
    if body == derivative.PASSED:
        return TOKENS
    if body in derivative.ENDS:
        return FAIL
    names = derivative.heads(body)
    shown = "" if phase == derivative.CLOSED else derivative.shown(body)
    asked = " | ".join(_counted(body, name) + " (shown)" * (name == shown) for name in names)
    need = _need(body)
    asked = f"{need} of {asked}" if need > 1 else asked
    later = ", ".join(name for name in _steps(body) if name not in names)
    return _cut(f"{asked}, then {later}" if later else asked)


def _need(body: derivative.Body) -> int:
    """Return how many of what is asked at the head of *body* must be passed."""
    if body[0] in {"sequence", "fallback"}:
        return _need(body[1])
    return max(1, body[1]) if body[0] == "choose" else 1


def _counted(body: derivative.Body, name: str) -> str:
    found = derivative.find(body, name)
    return f"{name} {found[2]}/{found[3]}" if found else name.lower()


def _steps(body: derivative.Body) -> Iterator[str]:
    """Give the names of the steps in *body*, in order."""
    tag = body[0]
    if tag in {"step", "ask"}:
        yield body[1]
    elif tag in {"sequence", "fallback"}:
        for part in (body[1], *body[2]):
            yield from _steps(part)
    elif tag in {"choose", "chosen"}:
        for part in body[2] if tag == "choose" else (body[2], *body[3]):
            yield from _steps(part)


def _shape(state: derivative.State) -> NodeShape:
    names = upcoming(state)
    if state[0] in derivative.ENDS:
        return "end"
    if not names or names[0] == derivative.PASSWORD_VERIFIER:
        return "host"
    return "choice" if must_choose(state) else "step"


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
    sending: frozenset[str]

    def diagram(self) -> Diagram:
        nodes: dict[str, Node] = {}
        edges: dict[tuple[str, str], dict[str, Outcomes]] = {}

        def add(source: Node, target: Node, label: str, mask: Outcomes) -> None:
            nodes.setdefault(source.id, source)
            nodes.setdefault(target.id, target)
            labels = edges.setdefault((source.id, target.id), {})
            labels[label] = labels.get(label, 0) | mask

        begin = Node(_BEGIN, "", "end")
        asked = [tuple(self._asked(number)) for number in range(len(self.exploration.states))]
        reached = self._reached()
        for first, mask, _ in beginnings_of(self.exploration):
            for node in asked[first]:
                add(begin, node, "", mask)
        for number, followers in enumerate(self.exploration.onward):
            state, mask = self.exploration.states[number], reached[number]
            if must_choose(state):
                choice = self._choice(state)
                for name in upcoming(state):
                    add(choice, _step(name), "chosen", mask)
                if not derivative.asks(state[0]):
                    add(choice, _END[FAIL], "no choice", mask)
            for read, target in followers:
                if read.use == derivative.OFFERED:
                    continue  # it leads where the choice and then the answer lead
                source = self._of(read, state)
                for node in asked[target]:
                    add(source, node, self._outcome(read, target, node), mask)
                for name in self._switched_to(target):
                    add(source, _step(name), f"{self._wish(read.step)} and choice", mask)
        ends = [_END[name] for name in (TOKENS, FAIL) if name in nodes]
        drawn = [node for node in nodes.values() if node != begin and node not in ends]
        return Diagram(self.exploration.flow.name, (*drawn, *ends), tuple(self._labelled(edges)))

    def _labelled(self, edges: Mapping[tuple[str, str], Mapping[str, Outcomes]]) -> Iterator[Edge]:
        """Give the edges with their labels, each with the condition under which one goes there and not elsewhere."""
        conditions = Conditions(self.exploration)
        forks: dict[str, dict[Outcomes, None]] = {}
        for (source, _), labels in edges.items():
            forks.setdefault(source, {}).update(dict.fromkeys(labels.values()))
        bare = {
            (source, mask): conditions.told(mask, masks.keys() - {mask})
            for source, masks in forks.items()
            for mask in masks
        }
        spelt = {
            (source, mask): conditions.spelt(conditions.cubes(mask, union(forks[source])))
            for (source, mask), told in bare.items()
            if told
        }
        for (source, target), labels in edges.items():
            words = [
                _where(label, spelt.get((source, labels[label]), "")) if label else bare[source, labels[label]]
                for label in _ORDER
                if label in labels
            ]
            yield Edge(source, target, " / ".join(_cut(text) for text in words if text))

    def _reached(self) -> list[Outcomes]:
        """Return for each state the outcomes for which it is reached."""
        reached = [0] * len(self.exploration.states)
        for bit, (_, number) in enumerate(self.exploration.beginnings):
            reached[number] |= 1 << bit
        for number in self.exploration.forwards():
            for _, target in self.exploration.onward[number]:
                reached[target] |= reached[number]
        return reached

    def _asked(self, number: int) -> Iterator[Node]:
        """Give what may be asked in the state *number*, or the end that it is."""
        state = self.exploration.states[number]
        body = state[0]
        reads = {read.name for read, _ in self.exploration.onward[number]}
        for name in (derivative.SRP_A, derivative.NEW_PASSWORD):
            if name in reads:
                yield _host(name)
        if body in derivative.ENDS:
            yield _END[TOKENS if body == derivative.PASSED else FAIL]
            return
        names = upcoming(state)
        if must_choose(state):
            yield self._choice(state)
        elif names:
            yield (
                _host(names[0])
                if names[0] == derivative.PASSWORD_VERIFIER
                else _step(derivative.shown(body) or names[0])
            )

    def _switched_to(self, number: int) -> Iterator[str]:
        """Give the steps that a client may choose instead of the one that it asks to be sent again."""
        state = self.exploration.states[number]
        shown = derivative.shown(state[0])
        return (name for name in upcoming(state) if shown and name != shown)

    def _choice(self, state: derivative.State) -> Node:
        first = upcoming(state)[0]
        names = self.blocks.get(first, (first,))
        offered = [name for name in names if name in self.exploration.flow.offered]
        told = f"choose {', '.join(names)}" + f"; or answer {', '.join(offered)}" * bool(offered)
        return Node(f"choose_{'_'.join(names[:1])}", _cut(told), "choice")

    def _of(self, read: ReadRound, state: derivative.State) -> Node:
        """Return the node at which the round *read* is asked."""
        if read.name != derivative.CUSTOM:
            return _host(read.name)
        return self._choice(state) if read.step == derivative.SELECT else _step(read.step)

    def _outcome(self, read: ReadRound, target: int, node: Node) -> str:
        if node.id == f"host_{derivative.NEW_PASSWORD.lower()}":
            return "new password due"
        if read.name != derivative.CUSTOM:
            return ""
        if read.step == derivative.SELECT:
            return "no choice" if node.shape == "choice" else "chosen"
        if read.right is True:
            return "right"
        if read.use == derivative.UNASKED:
            return "not asked"
        states = self.exploration.states
        if derivative.find(states[target][0], read.step) is None:
            return "tries used up"
        return self._wish(read.step) if read.use == "resend" else "wrong"

    def _wish(self, step: str) -> str:
        """Return what a client does that asks for another message, or of a kind that sends nothing for another challenge."""
        return "resend" if step in self.sending else "asked anew"


_END: dict[str, Node] = {name: Node(name, name, "end") for name in (TOKENS, FAIL)}


def _step(name: str) -> Node:
    # A step may bear the name of an end, or a word of the drawing's own language.
    return Node(f"step_{name}", name, "step")


def _host(name: str) -> Node:
    return Node(f"host_{name.lower()}", name, "host")
