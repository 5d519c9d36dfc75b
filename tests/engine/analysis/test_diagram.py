"""State diagrams: in full they are the exploration, collapsed they hide nothing that may come next."""

import re

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kit.dressed_flows import dressed_flows
from kit.engine_host import Mail
from kit.paths import FLOWS
from kit.random_flows import APP, TIER, Quiz, flows
from kit.random_flows import Password as Prelude
from watchword import (
    ConfigurationError,
    Flow,
    all_of,
    at_least,
    attribute,
    fallback,
    load_flow,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.blocks import AtLeast, Fallback, InSequence, OneOf, When
from watchword.algebra.session_notation import format_round
from watchword.analysis import diagram
from watchword.analysis.diagram import Edge, collapsed, dot, full, mermaid
from watchword.analysis.state_space import explore

EXAMPLES = sorted(FLOWS.glob("*.toml"))
STATE = re.compile(r'    state "(.*)" as (\w+)')
ARROW = re.compile(r"    (\S+) --> (\S+?)(?:: (.*))?")
DOT_NODE = re.compile(r'    (\w+) \[shape=.*, label="(.*)"\];')
DOT_EDGE = re.compile(r'    (\w+) -> (\w+)(?: \[label="(.*)"\])?;')


def quiz(name, **settings):
    """A step of one try, unless *settings* say otherwise."""
    return named(name, Quiz(**{"attempts": 1, **settings}))


def drawn(body, **settings):
    """Return the collapsed diagram of *body* as a set of (source, target, label), the names without their sort."""
    made = collapsed(explore(Flow(body, **settings)))
    labels = {node.id: node.label for node in made.nodes} | {"[*]": "[*]"}
    assert len(labels) == len(made.nodes) + 1
    return {(labels[edge.source], labels[edge.target], edge.label) for edge in made.edges}


def read_mermaid(text):
    """Return (nodes by id, edges) of Mermaid text; a line that is neither fails."""
    head, title, *lines = text.splitlines()
    assert ["---", "---", "stateDiagram-v2"] == [head, *lines[:2]]
    assert title.startswith("title: ")
    nodes, edges = {}, []
    for line in lines[2:]:
        if match := STATE.fullmatch(line):
            assert match[2] not in nodes
            nodes[match[2]] = match[1]
        else:
            edges.append(ARROW.fullmatch(line).groups())
    return nodes, edges


# --- in full ------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(flow=flows(most_steps=3, attempts=2))
def test_the_full_diagram_is_the_exploration(flow):
    """A node for every state, every transition on an edge by its word, a beginning for every state one begins in."""
    found = explore(flow)
    assume(len(found.states) <= diagram.MAX_DRAWN)
    made = full(found)
    onward = [
        (f"s{number}", f"s{target}", format_round(read))
        for number, followers in enumerate(found.onward)
        for read, target in followers
    ]
    begins = {f"s{number}" for _, number in found.beginnings}
    assert [f"s{number}" for number in range(len(found.states))] == [node.id for node in made.nodes]
    drawn = [edge for edge in made.edges if edge.source != "[*]"]
    assert sorted(onward) == sorted(
        (edge.source, edge.target, word) for edge in drawn for word in edge.label.split(" / ")
    )
    assert len({(edge.source, edge.target) for edge in drawn}) == len(drawn)
    assert begins == {edge.target for edge in made.edges if edge.source == "[*]"}
    assert len(onward) == found.transitions


@settings(max_examples=40)
@given(flow=flows(most_steps=3, attempts=2))
def test_both_languages_say_what_the_diagram_holds(flow):
    """Node for node and edge for edge; in Mermaid the ends lead to the end sign as well."""
    found = explore(flow)
    assume(len(found.states) <= 200)
    for made in (full(found), collapsed(found)):
        ends = [(node.id, "[*]", None) for node in made.nodes if node.shape == "end"]
        nodes, edges = read_mermaid(mermaid(made))
        assert [node.id for node in made.nodes] == list(nodes)
        told = [(edge.source, edge.target, edge.label.replace(":", "#58;") or None) for edge in made.edges]
        assert told + ends == edges
        lines = dot(made).splitlines()[3:-1]
        boxes = [DOT_NODE.fullmatch(line).groups() for line in lines[: len(nodes)]]
        arrows = [DOT_EDGE.fullmatch(line).groups() for line in lines[len(nodes) :]]
        assert [(node.id, node.label) for node in made.nodes] == boxes
        assert [(edge.source.replace("[*]", "begin"), edge.target, edge.label or None) for edge in made.edges] == arrows


def test_a_state_is_labelled_with_what_is_left():
    """What is asked, with tries and resend requests, then what follows; what was shown last and may be left; the two ends."""
    made = full(explore(Flow(one_of(quiz("aa"), quiz("bb")))))
    labels = [node.label for node in made.nodes]
    assert "aa 1/5 | bb 1/5" == labels[0]
    assert "aa 1/4 (shown) | bb 1/4" in labels
    assert {"tokens", "fail"} < set(labels)
    assert {"choice", "step", "end"} == {node.shape for node in made.nodes}
    long = full(
        explore(
            Flow(sequence(Prelude(), fallback(at_least(2, *map(quiz, ["aa", "bb", "cc"])), quiz("dd")), quiz("ee")))
        )
    )
    labels = [node.label for node in long.nodes]
    assert "srp_a, then aa, bb, cc, dd, ee" == labels[0]
    assert "2 of aa 1/5 | bb 1/5 | cc 1/5, then dd, ee" in labels
    assert "bb 1/5 | cc 1/5, then dd, ee" in labels
    assert {"dd 1/5, then ee", "ee 1/5"} <= set(labels)


def test_no_label_is_longer_than_people_read():
    """However long names and values are: nodes and conditions are cut off, words of sessions are not."""
    names = [f"s{number}_{'x' * 28}" for number in range(6)]
    value = "v" * 200
    body = sequence(
        Prelude(), when(attribute("custom:tier", value), at_least(2, *map(quiz, names[:3])), quiz(names[3]))
    )
    for made in (full(explore(Flow(body))), collapsed(explore(Flow(body)))):
        labels = [node.label for node in made.nodes] + [edge.label for edge in made.edges]
        parts = [part for label in labels for part in label.split(" / ")]
        assert all(len(part) <= diagram.MAX_LABEL for part in parts)
        assert any(part.endswith("...") for part in parts)


def test_host_rounds_have_a_shape_of_their_own():
    """Before SRP_A and before the password nobody is asked by the flow."""
    made = full(explore(Flow(sequence(Prelude(), quiz("aa")))))
    assert ["host", "host", "step"] == [node.shape for node in made.nodes[:3]]


def test_too_many_states_are_not_drawn_in_full(monkeypatch):
    """At the limit they are, above it the message tells the numbers and the way out."""
    found = explore(Flow(quiz("aa"), name="big"))
    monkeypatch.setattr(diagram, "MAX_DRAWN", len(found.states))
    assert full(found)
    monkeypatch.setattr(diagram, "MAX_DRAWN", len(found.states) - 1)
    with pytest.raises(ConfigurationError, match=rf"'big' has {len(found.states)} states.*at most .*collapsed"):
        full(found)


# --- collapsed ----------------------------------------------------------------------------------------------------


def test_one_step_is_one_node():
    """However many tries it has: right ends well, wrong and resend come back, the last try ends ill."""
    assert {
        ("[*]", "aa", ""),
        ("aa", "tokens", "right"),
        ("aa", "aa", "wrong / asked anew"),
        ("aa", "fail", "tries used up"),
    } == drawn(quiz("aa", attempts=3))


def test_the_prelude_is_drawn_as_the_host_runs_it():
    """SRP_A, the password, a new password where one is due, then the first step."""
    edges = drawn(sequence(Prelude(), quiz("aa")))
    assert {
        ("[*]", "SRP_A", ""),
        ("SRP_A", "PASSWORD_VERIFIER", ""),
        ("PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED", "new password due"),
        ("PASSWORD_VERIFIER", "aa", ""),
        ("NEW_PASSWORD_REQUIRED", "aa", ""),
    } == {edge for edge in edges if edge[0] != "aa"}


def test_the_opening_decides_between_password_and_code():
    """One begins with SRP_A or with the step; nobody is asked to choose."""
    begins = {edge[1] for edge in drawn(one_of(sequence(Prelude(), quiz("aa")), quiz("bb"))) if edge[0] == "[*]"}
    assert {"SRP_A", "bb"} == begins


def test_a_bare_opening_that_is_ignored_is_drawn():
    """Both with SRP_A and without it the first step follows."""
    edges = drawn(quiz("aa"), unwanted_srp="ignore")
    assert {("[*]", "SRP_A", ""), ("[*]", "aa", ""), ("SRP_A", "aa", "")} <= edges


def test_a_choice_is_one_node_however_much_of_it_is_done():
    """Of three options in any order, the choice among two is the same node; another block's choice is another."""
    edges = drawn(sequence(all_of(quiz("aa"), quiz("bb"), quiz("cc")), one_of(quiz("dd"), quiz("ee"))))
    choices = {node for edge in edges for node in edge[:2] if node.startswith("choose")}
    assert {"choose aa, bb, cc", "choose dd, ee"} == choices
    assert {
        ("choose aa, bb, cc", "bb", "chosen"),
        ("bb", "choose aa, bb, cc", "right"),
        ("bb", "cc", "right / asked anew and choice"),
        ("aa", "choose dd, ee", "right"),
        ("choose dd, ee", "choose dd, ee", "no choice"),
        ("choose dd, ee", "fail", "no choice"),
        ("dd", "dd", "asked anew"),
    } <= edges


def test_a_fallback_is_entered_when_the_tries_are_used_up():
    """Its label tells so."""
    edges = drawn(fallback(quiz("aa"), quiz("bb")))
    assert ("aa", "bb", "tries used up") in edges
    assert ("aa", "fail", "tries used up") not in edges


def test_a_step_that_sends_may_not_be_asked():
    """Then the other way follows, or the end; nothing is said of steps that send nothing."""
    letter, other = named("aa", Mail()), quiz("bb")
    assert ("aa", "bb", "tries used up / not asked") in drawn(fallback(letter, other))
    assert ("aa", "fail", "tries used up / not asked") in drawn(letter)
    assert ("aa", "bb", "resend and choice / not asked") in drawn(one_of(letter, other))


def test_a_resend_may_come_with_another_choice():
    """The client leaves the step that was shown last, and may come back."""
    edges = drawn(one_of(named("aa", Mail()), quiz("bb")))
    assert {("aa", "bb", "resend and choice / not asked"), ("aa", "aa", "wrong / resend")} <= edges
    # A kind that sends nothing sends nothing again: it asks anew.
    assert {("bb", "aa", "asked anew and choice"), ("bb", "bb", "asked anew")} <= edges


def test_each_fork_bears_its_condition():
    """At the arrow where the ways part, not before: behind the password, behind a step, at the beginning."""
    edges = drawn(sequence(Prelude(), when(TIER, quiz("aa"), quiz("bb")), when(APP, quiz("cc")), quiz("dd")))
    assert {
        ("[*]", "SRP_A", ""),
        ("SRP_A", "PASSWORD_VERIFIER", ""),
        ("PASSWORD_VERIFIER", "aa", "custom:tier = gold"),
        ("PASSWORD_VERIFIER", "bb", "otherwise"),
        ("PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED", "new password due"),
        ("NEW_PASSWORD_REQUIRED", "aa", "custom:tier = gold"),
        ("aa", "cc", "right if client = app-1"),
        ("aa", "dd", "right if client is not app-1"),
        ("bb", "cc", "right if client = app-1"),
        ("cc", "dd", "right"),
        ("aa", "aa", "asked anew"),
        ("aa", "fail", "tries used up"),
    } <= edges


def test_conditions_label_the_beginnings():
    """Where a flow begins with them: each with what must hold, or with otherwise."""
    body = sequence(when(TIER, quiz("aa")), when(APP, quiz("bb")), quiz("cc"))
    begins = {(target, label) for source, target, label in drawn(body) if source == "[*]"}
    both = "custom:tier is not gold and client = app-1"
    assert {("cc", "otherwise"), ("aa", "custom:tier = gold"), ("bb", both)} == begins
    made = full(explore(Flow(body)))
    assert {
        "otherwise",
        both,
        "custom:tier = gold and client is not app-1",
        "custom:tier = gold and client = app-1",
    } == {edge.label for edge in made.edges if edge.source == "[*]"}


def test_conditions_that_change_nothing_are_not_told():
    """Where every outcome leads to the same state, the way there bears no label; where two of three do, both are told."""
    tin = when(attribute("custom:tier", "tin"), quiz("bb"), quiz("cc"))
    flow = Flow(when(attribute("custom:tier", "gold"), quiz("aa"), tin))
    assert {"otherwise", "custom:tier = gold", "custom:tier = tin"} == {
        edge.label for edge in full(explore(flow)).edges if edge.source == "[*]"
    }
    (begin,) = (edge for edge in full(explore(Flow(quiz("aa")))).edges if edge.source == "[*]")
    assert Edge("[*]", "s0", "") == begin
    flow = Flow(sequence(when(TIER, quiz("aa"), when(APP, quiz("bb"), quiz("cc")))))
    assert {"otherwise", "custom:tier is not gold and client = app-1", "custom:tier = gold"} == {
        edge.label for edge in full(explore(flow)).edges if edge.source == "[*]"
    }


# Several conditions, some on one attribute.
SETTINGS = [TIER, APP, attribute("custom:tier", "tin"), attribute("custom:desk", "yes")]


def reconditioned(block, conditions):
    """Return *block* with other conditions, as they are met."""
    match block:
        case When(_, then, otherwise):
            then = reconditioned(then, conditions)
            return evolve(
                block,
                condition=next(conditions),
                then=then,
                otherwise=otherwise and reconditioned(otherwise, conditions),
            )
        case InSequence(parts) | Fallback(parts):
            return evolve(block, parts=tuple(reconditioned(part, conditions) for part in parts))
        case OneOf(options) | AtLeast(_, options):
            return evolve(block, options=tuple(reconditioned(option, conditions) for option in options))
    return block


def ways_of(made):
    """Return the edges as {(source, target): {word: condition}}; the condition is a text, empty for everybody."""
    found = {}
    for edge in made.edges:
        words = found.setdefault((edge.source, edge.target), {})
        for part in edge.label.split(" / "):
            if part in diagram._ORDER:
                words[part] = ""
            elif " if " in part:
                word, _, condition = part.partition(" if ")
                words[word] = condition
            else:
                words[""] = part
    return found


def holds(condition, flow, outcomes):
    """Say whether a *condition*, as a label tells it, holds."""
    spoken = {
        f"{each[-2]} {sign} {each[-1]}": (sign == "=") is held
        for each, held in zip(flow.conditions, outcomes, strict=True)
        for sign in ("=", "is not")
    }
    return any(all(spoken[each] for each in group.split(" and ")) for group in condition.split(" or "))


def alone(found, outcomes, number):
    """Return what was *found* of those for whom the conditions have these *outcomes*, and of nobody else."""
    seen, queue = {number}, [number]
    for here in queue:
        more = [target for _, target in found.onward[here] if target not in seen]
        seen.update(more)
        queue += dict.fromkeys(more)
    nothing = (derivative.FAILED, *found.states[0][1:])
    states = tuple(state if place in seen else nothing for place, state in enumerate(found.states))
    onward = tuple(each if place in seen else () for place, each in enumerate(found.onward))
    return evolve(found, states=states, onward=onward, beginnings=((outcomes, number),))


@settings(max_examples=60)
@given(flow=flows(most_steps=4, attempts=1), data=st.data())
def test_whoever_follows_the_conditions_sees_the_flow_without_them(flow, data):
    """For each outcome, the edges whose conditions hold are those of that user's own diagram: no more, no fewer."""
    conditions = iter(lambda: data.draw(st.sampled_from(SETTINGS)), None)
    flow = Flow(reconditioned(flow.body, conditions), unwanted_srp=flow.unwanted_srp)
    found = explore(flow)
    blocks = diagram._blocks_of_choices(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagram, "MAX_LABEL", 10_000)
        every = ways_of(diagram._Collapsing(found, blocks, frozenset()).diagram())
        for outcomes, number in found.beginnings:
            own = ways_of(diagram._Collapsing(alone(found, outcomes, number), blocks, frozenset()).diagram())
            assert not any(condition for words in own.values() for condition in words.values())
            told = {}
            for (source, target), words in every.items():
                if source not in {way[0] for way in own}:
                    continue
                others = [
                    condition
                    for way, said in every.items()
                    for condition in said.values()
                    if way[0] == source and condition not in {"", "otherwise"}
                ]
                for word, condition in words.items():
                    if condition == "otherwise":
                        there = not any(holds(each, flow, outcomes) for each in others)
                    else:
                        there = not condition or holds(condition, flow, outcomes)
                    if there:
                        told.setdefault((source, target), set()).add(word)
            assert {way: set(words) for way, words in own.items()} == told


def test_steps_may_be_named_as_ends_and_words_of_the_language():
    """A step `tokens` is not the end of that name, nor is `end` the end of a block."""
    names = ["tokens", "fail", "end", "note", "state", "begin", "digraph", "srp_a"]
    made = collapsed(explore(Flow(sequence(*map(quiz, names)))))
    assert len(made.nodes) == len({node.id for node in made.nodes}) == len(names) + 2
    assert {node.id for node in made.nodes if node.shape == "end"} == {"tokens", "fail"}


@settings(max_examples=60)
@given(flow=dressed_flows([Quiz(), Mail()], most_steps=4, attempts=2))
def test_nothing_that_may_come_next_is_missing(flow):
    """Every round of every state is at a node, and every step that leads on to another has an edge, through a choice or not."""
    found = explore(flow)
    made = collapsed(found)
    labels = {node.id: node.label for node in made.nodes}
    ways = {(labels.get(edge.source, edge.source), labels[edge.target]) for edge in made.edges}
    ways |= {
        (one, other) for one, choice in ways for again, other in ways if choice == again and choice.startswith("choose")
    }

    def wish(step):
        return "resend" if isinstance(flow.steps[step].kind, Mail) else "asked anew"

    def asked(read):
        return read.step or read.name

    words = {}
    for edge in made.edges:
        words.setdefault(labels.get(edge.source, edge.source), set()).update(edge.label.split(" / "))

    for number, followers in enumerate(found.onward):
        for read, target in followers:
            if read.step == derivative.SELECT:
                names = diagram.upcoming(found.states[number])
                source = next(
                    each
                    for each in words
                    if each.startswith("choose ") and names[0] in each[7:].partition(";")[0].split(", ")
                )
                passes = derivative.find(found.states[target][0], names[0]) and len(names) == 1
                assert any(word.startswith("chosen" if passes else "no choice") for word in words[source])
                continue
            if read.use == derivative.OFFERED:
                continue  # it leads where the choice and then the answer lead
            if read.name == derivative.CUSTOM:
                over = derivative.find(found.states[target][0], read.step) is None
                ended = {"unasked": "not asked", "answer": "tries used up" if over else "wrong"}.get(
                    read.use, wish(read.step)
                )
                word = "right" if read.right else "tries used up" if over and read.use == "resend" else ended
                assert any(each.split(" if ")[0] == word for each in words[asked(read)]), (number, read)
            for then, _ in found.onward[target]:
                if then.step != derivative.SELECT:
                    assert (asked(read), asked(then)) in ways, (number, read, then)
            if found.states[target][0] in {derivative.PASSED, derivative.FAILED}:
                end = "tokens" if found.states[target][0] == derivative.PASSED else "fail"
                assert (asked(read), end) in ways


# --- the text -----------------------------------------------------------------------------------------------------

HOSTILE = 'a "b" \' : #x; \\ & é 😀 %%{init}%% --> {c} <<choice>> [*] ---'


def test_names_are_escaped():
    """A name or a value that looks like the language is text: the diagram keeps its lines, nodes and edges."""
    flow = Flow(when(attribute("custom:odd", HOSTILE + "\nend"), quiz("aa"), quiz("bb")), name=HOSTILE)
    made = collapsed(explore(flow))
    nodes, edges = read_mermaid(mermaid(made))
    assert (4, 8 + 2) == (len(nodes), len(edges))
    label = next(label for _, _, label in edges if label and "custom" in label)
    assert not set(label) & set('":%{}<>*\\&\n')
    assert HOSTILE + " end" == re.sub(r"#(\d+);", lambda each: chr(int(each[1])), label).partition(" = ")[2]
    text = dot(made)
    assert 'digraph "a \\"b\\" \' : #x; \\\\ &amp; é' in text
    assert len(text.splitlines()) == 4 + len(made.nodes) + len(made.edges)


def test_the_title_is_the_name_of_the_flow():
    """As a quoted text of YAML, which is that of JSON here."""
    assert '---\ntitle: "a \\"b\\""\n---\nstateDiagram-v2\n' in mermaid(
        collapsed(explore(Flow(quiz("aa"), name='a "b"')))
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_same_flow_is_drawn_alike(path):
    """Twice the same flow, twice the same text."""
    one, two = (explore(load_flow(path)) for _ in range(2))
    for draw in (full, collapsed):
        assert mermaid(draw(one)) == mermaid(draw(two))
        assert dot(draw(one)) == dot(draw(two))


def test_a_large_choice_stays_readable():
    """Any two of five: five steps, one choice, two ends."""
    made = collapsed(explore(Flow(at_least(2, *(quiz(f"s{number}") for number in range(5))))))
    assert 5 + 1 + 2 == len(made.nodes)
    assert Edge("[*]", "choose_s0", "") == made.edges[0]
