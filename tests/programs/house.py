"""How the house stands: `python tests/programs/house.py [--json | --draw] [--root FOLDER]`.

It reads the source of the three packages, without importing it, and counts what the order of the modules promises: circles, imports
against the layers, long modules, full rooms, rounds read by number, kinds read by `getattr`, names that two modules define, imports on
pages that lead past the public modules, long functions. It counts the lines of the core too. *root* is another checkout, such as one of before. One figure is measured: how
often one Create folds the session. The status is 1 if a promise is broken.
"""

import argparse
import ast
import io
import json
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"engine": "watchword", "plugins": "watchword_plugins", "adapters": "watchword_adapters"}

LAYERS = (("errors",), ("contract",), ("algebra",), ("runtime", "analysis", "loading"), ("testing",))
"""The rooms of the engine, the lowest first: each imports from lower ones and from its own alone."""

CORE = ("errors", "contract", "algebra", "runtime")
"""The rooms that a sign-in runs through."""

LONGEST_MODULE = 400
MOST_MODULES = 9
LONGEST_FUNCTION = 45

ALIKE = {
    "watchword.testing": "the kit of plugin and flow authors, who import one name of it at a time",
    "watchword_adapters.cli.commands": "one module a command",
    "watchword_adapters.attacks.families": "one module a family of attacks",
}
"""Rooms that may be fuller (docs/decisions/0027-rooms.md): whoever reads one of these modules needs no other."""

SHARED = {
    *("configure", "run"),  # of each command; see `watchword_adapters.cli.Command`
    *("register_kinds", "register_couriers", "register_ledgers", "register_credentials"),  # hooks, which many implement
    "FAMILIES",  # of each module of attacks, and of the corpus
    "TYPE_CHECKING",
}
"""Names that many modules define, since whoever calls them looks them up by name (docs/decisions/0028-words.md)."""

INTERFACES = {"watchword_adapters.deploy.build.define_handler": {"TriggerError"}}
"""Names that a module may define again: this one is shipped without the other, and Cognito shows the name of the error."""

PUBLIC = {
    *("watchword", "watchword.contract", "watchword.testing"),
    *(
        f"watchword_plugins.{name}"
        for name in (
            "captcha",
            "email_otp",
            "magic_link",
            "passkey",
            "proof_of_work",
            "recovery_codes",
            "sms_otp",
            "srp",
            "totp",
        )
    ),
    *(
        f"watchword_adapters.{name}"
        for name in (
            "aws_lambda",
            "functions",
            "couriers",
            "ledgers",
            "credentials",
            "credentials_api",
            "keys",
            "audit",
            "clock",
        )
    ),
    *(
        f"watchword_adapters.{name}"
        for name in (
            "userpool",
            "poolserver",
            "rest.local_tokens",
            "srp",
            "step_up",
            "qr_code",
            "attacks",
            "deploy",
            "cli",
            "fido2_api",
            "sign_in_page",
        )
    ),
}
"""The modules that pages and scaffolds import from, as docs/reference/public-modules.md lists them."""

ABOUT_MODULES = ("docs/decisions", "docs/changelog", "docs/explanation/architecture.md", "docs/reference/glossary.md")
"""Pages whose text, other than their code, may name any module."""

SESSIONS = {"rounds", "_rounds", "session", "_session", "reads", "_read"}
"""What a list of rounds is called."""
ROUNDS = {"round", "round_", "last", "before_last"}
"""What a round is called."""
READERS = {"derive", "derivative", "situation"}
"""The derivative, which knows tuples only, and the reader, which alone says which round is which."""
READ = {"kind", "kinds", "block", "courier", "ledger", "plugin"}
"""What a kind, a courier or a ledger is called."""
POWERS = {"Kind", "HostRun", "Sends", "NeedsModules", "NeedsPermissions", "Prepares", "Guessable"}
_ASKING = re.compile(r"^\s*(?:>>> )?(?:from (watchword[\w.]*) import|import (watchword[\w.]*))", re.MULTILINE)
_TELLING = re.compile(r"`(watchword\w*(?:\.\w+)+)")


class House:
    """The modules of a checkout: their names, their syntax trees, and who imports whom."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.paths: dict[str, Path] = {}
        for folder, package in SOURCES.items():
            base = root / folder
            for path in sorted((base / package).rglob("*.py")):
                words = path.relative_to(base).with_suffix("").parts
                self.paths[".".join(words[:-1] if words[-1] == "__init__" else words)] = path

    @cached_property
    def texts(self) -> dict[str, str]:
        """The source of each module."""
        return {name: path.read_text(encoding="utf-8") for name, path in self.paths.items()}

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The syntax tree of each module."""
        return {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def imports(self) -> dict[str, frozenset[str]]:
        """The modules that each module imports."""
        return {name: frozenset(self._imported(name)) for name in self.trees}

    def _imported(self, module: str) -> Iterator[str]:
        for node in ast.walk(self.trees[module]):
            match node:
                case ast.Import(names):
                    found = {alias.name for alias in names}
                case ast.ImportFrom(str(source), names):
                    members = {f"{source}.{alias.name}" for alias in names}
                    # `from package import module` asks for the module; whatever else is imported is the package's.
                    found = {each for each in members if each in self.trees} or {source}
                case _:
                    continue
            yield from (each for each in found if each in self.trees and each != module)

    def is_package(self, module: str) -> bool:
        """Say whether *module* is a room."""
        return self.paths[module].name == "__init__.py"

    def circles(self) -> list[list[str]]:
        """Return the circles between modules, and those between the parts of one room."""
        graphs: list[Mapping[str, frozenset[str]]] = [self.imports]
        for room in filter(self.is_package, self.trees):
            inner: dict[str, set[str]] = defaultdict(set)
            for module, targets in self.imports.items():
                for target in targets:
                    ours, theirs = part_of(room, module), part_of(room, target)
                    if ours and theirs and ours != theirs:
                        inner[ours].add(theirs)
            graphs.append({name: frozenset(targets) for name, targets in inner.items()})
        found = [circle for graph in graphs for circle in circles_in(graph)]
        return [each for place, each in enumerate(found) if each not in found[:place]]

    def arrows(self) -> list[str]:
        """Return the imports that lead upwards, or from one room to another of the same layer."""
        floors = {f"watchword.{room}": floor for floor, rooms in enumerate(LAYERS) for room in rooms}
        found = []
        for module, targets in self.imports.items():
            ours = ".".join(module.split(".")[:2])
            for target in sorted(targets):
                theirs = ".".join(target.split(".")[:2])
                if ours in floors and theirs in floors and ours != theirs and floors[theirs] >= floors[ours]:
                    found.append(f"{module} -> {target}")
                if target.split(".")[0] not in {"watchword", module.split(".")[0]}:
                    found.append(f"{module} -> {target}")
        loose = [name for name in self.trees if name.count(".") == 1 and name.startswith("watchword.")]
        return found + [f"{name} is in no room" for name in loose if name not in floors]

    def lengths(self) -> dict[str, int]:
        """Return the lines of each module, the longest first."""
        counted = {name: text.count("\n") for name, text in self.texts.items()}
        return dict(sorted(counted.items(), key=lambda each: -each[1]))

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Return of each room that a sign-in runs through its lines, and how many are code."""
        core = {room: [name for name in self.texts if f"{name}.".startswith(f"watchword.{room}.")] for room in CORE}
        return {
            room: (
                sum(self.texts[name].count("\n") for name in names),
                sum(len(code_lines(self.texts[name])) for name in names),
            )
            for room, names in core.items()
        }

    def rooms(self) -> dict[str, int]:
        """Return how many modules each room holds itself, `__init__` and `__main__` left out, the fullest first."""
        counted = dict.fromkeys(filter(self.is_package, self.trees), 0)
        for module in self.trees:
            if not self.is_package(module) and not module.endswith("__main__"):
                counted[module.rpartition(".")[0]] += 1
        return dict(sorted(counted.items(), key=lambda each: -each[1]))

    def indexes(self) -> list[str]:
        """Return the places where a round, or a list of rounds, is indexed by a number."""
        readers = {name for name in self.trees if name.rpartition(".")[2] in READERS}
        return [
            f"{name}: {place}" for name, tree in self.trees.items() if name not in readers for place in indexed(tree)
        ]

    def readers_of_kinds(self) -> list[str]:
        """Return the modules that read what a kind, a courier or a ledger can do by `getattr` and its like."""
        return [name for name, tree in self.trees.items() if any(map(_reads_a_kind, ast.walk(tree)))]

    def twice(self) -> dict[str, list[str]]:
        """Return the public names (classes, functions, constants, aliases) that two modules define, with the modules."""
        homes: dict[str, list[str]] = defaultdict(list)
        for module, tree in self.trees.items():
            for name in {name for statement in tree.body for name in _defined(statement)} - INTERFACES.get(
                module, set()
            ):
                homes[name].append(module)
        return {name: modules for name, modules in sorted(homes.items()) if len(modules) > 1 and name not in SHARED}

    def strangers(self) -> list[str]:
        """Return the imports in documents, examples and scaffolds, and the names in text, that lead past the public modules."""
        docs, scaffolds = self.root / "docs", self.root / "adapters/watchword_adapters/scaffolds"
        pages = [*docs.rglob("*.md"), *docs.rglob("*.py"), *scaffolds.rglob("*.template"), self.root / "README.md"]
        return [
            f"{name}: {asked}"
            for name, page in sorted((str(page.relative_to(self.root)), page) for page in pages)
            for asked in self._asked(page.read_text(encoding="utf-8"), told=not name.startswith(ABOUT_MODULES))
            if asked.split(".")[0] in SOURCES.values() and asked not in PUBLIC
        ]

    def _asked(self, text: str, *, told: bool) -> Iterator[str]:
        """Give the modules that the imports of *text* ask for, and, if they are *told* too, those that its inline code names."""
        yield from (one or other for one, other in _ASKING.findall(text))
        for name in _TELLING.findall(text) if told else ():
            words = name.split(".")
            beginnings = (".".join(words[:count]) for count in range(len(words), 0, -1))
            yield from [each for each in beginnings if each in self.trees][:1]

    def long_functions(self) -> list[str]:
        """Return the functions of the runtime, and of nothing else, that fit no screen."""
        return [
            f"{name}.{node.name}: {node.end_lineno - node.lineno + 1}"
            for name, tree in self.trees.items()
            if name.startswith("watchword.runtime.")
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_FUNCTION
        ]

    def drawing(self) -> str:
        """Return the rooms of the engine, the plugins and the adapters as Mermaid, with an arrow for each import between them.

        What follows from other arrows is left out: `testing` imports `errors`, and so does what `testing` imports.
        """
        parts = {
            module: part_of("watchword", module) or module.split(".")[0]
            for module in self.trees
            if module != "watchword"
        }
        arrows: dict[str, set[str]] = {part: set() for part in parts.values()}
        for module, part in parts.items():
            arrows[part] |= {parts[target] for target in self.imports[module] if target in parts} - {part}
        nodes = {part: part.rpartition(".")[2].rpartition("_")[2] for part in arrows}
        lines = ["flowchart BT", *(f'    {nodes[part]}["{part}"]' for part in sorted(arrows))]
        for part, targets in sorted(arrows.items()):
            near = targets - {far for target in targets for far in _beyond(arrows, target)}
            lines += [f"    {nodes[part]} --> {nodes[target]}" for target in sorted(near)]
        return "\n".join(lines)


HOUSE = House()
"""This checkout, which is read once for all who ask."""


def _beyond(arrows: Mapping[str, set[str]], start: str) -> set[str]:
    """Return all that *start* leads to, itself left out."""
    found: set[str] = set()
    waiting = [*arrows[start]]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += arrows[part]
    return found


def code_lines(text: str) -> set[int]:
    """Return the numbers of the lines of *text* that hold code: neither a docstring, nor a comment alone, nor nothing."""
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {line for token in tokens if token.type not in layout for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            code -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return code


def part_of(room: str, module: str) -> str:
    """Return the part of *room* that *module* belongs to, or nothing."""
    depth = room.count(".") + 1
    words = module.split(".")
    return ".".join(words[: depth + 1]) if module.startswith(f"{room}.") else ""


def circles_in(graph: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Return the nodes of *graph* that lead back to themselves, those of each circle together."""
    reached = {}
    for start in graph:
        found, waiting = set(), list(graph[start])
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += graph.get(node, ())
        reached[start] = found
    circles = [sorted(other for other in reached[node] if node in reached.get(other, ())) for node in graph]
    return [list(each) for each in dict.fromkeys(map(tuple, circles)) if each]


def called(node: ast.AST) -> str:
    """Return the name that *node* is written with, that of the list for ``reversed(rounds)``."""
    while isinstance(node, ast.Call) and node.args:
        node = node.args[-1]
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def indexed(node: ast.AST, rounds: frozenset[str] = frozenset(ROUNDS)) -> Iterator[str]:
    """Give each place below *node* where a list of rounds, or a round, is indexed by a number."""
    rounds = rounds | _each_of(node)
    if isinstance(node, ast.Subscript) and _is_number(node.slice) and called(node.value) in SESSIONS | rounds:
        yield ast.unparse(node)
    for child in ast.iter_child_nodes(node):
        yield from indexed(child, rounds)


def _is_number(node: ast.AST) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _each_of(loop: ast.AST) -> set[str]:
    """Return the names that stand for one round each in *loop*."""
    loops = getattr(loop, "generators", [loop] if isinstance(loop, ast.For) else [])
    return {one.target.id for one in loops if isinstance(one.target, ast.Name) and called(one.iter) in SESSIONS}


def _reads_a_kind(node: ast.AST) -> bool:
    match node:
        case ast.Call(ast.Name("getattr" | "hasattr"), [thing, *_]):
            return called(thing) in READ
        case ast.Call(ast.Name("isinstance"), [_, what]):
            return bool(POWERS & {each.id for each in ast.walk(what) if isinstance(each, ast.Name)})
    return False


def _defined(statement: ast.stmt) -> set[str]:
    """Return the public names that *statement* defines; a type variable, which is one letter, means nothing elsewhere."""
    match statement:
        case ast.ClassDef(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.AnnAssign(ast.Name(name)):
            names = {name}
        case ast.Assign(targets):
            names = {each.id for each in targets if isinstance(each, ast.Name)}
        case _:
            names = set[str]()
    return {name for name in names if not name.startswith("_") and len(name) > 1}


def folds() -> int:
    """Return how often one Create, run here, reads its session from the beginning."""
    sys.path.insert(0, str(ROOT / "tests"))
    from kit.engine_host import ANN, Host, Mail, Riddle, world  # found by the line above
    from watchword import Flow, User, fallback
    from watchword.algebra import derivative

    here = world(Flow(fallback(Mail(), Riddle())))
    host = Host(here, User("ann", ANN))
    host.next()
    host.answers("00000000")
    with patch.object(derivative, "begin", wraps=derivative.begin) as begin:
        here.engine.create(host.request())
    return begin.call_count


def report(house: House) -> dict[str, tuple[object, object, bool]]:
    """Return each figure with what shows it, and whether the promise is kept."""
    lengths, rooms = house.lengths(), house.rooms()
    full = {name: count for name, count in rooms.items() if count > MOST_MODULES and name not in ALIKE}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE}
    most = next(count for name, count in rooms.items() if name not in ALIKE)
    figures: dict[str, tuple[object, object, bool]] = {}
    for name, found in (
        ("circles", house.circles()),
        ("arrows against the layers", house.arrows()),
        ("places that index a round by number", house.indexes()),
        ("public names defined twice", house.twice()),
        ("imports on pages past the public modules", house.strangers()),
        (f"functions of the runtime over {LONGEST_FUNCTION} lines", house.long_functions()),
    ):
        figures[name] = (len(found), found, not found)
    longest = next(iter(lengths.values()))
    figures[f"lines of the longest module ({LONGEST_MODULE} at most)"] = (longest, long, not long)
    figures[f"modules of the fullest room ({MOST_MODULES} at most)"] = (most, full, not full)
    sizes = house.sizes()
    lines, code = (sum(each) for each in zip(*sizes.values(), strict=True))
    figures[f"lines of code in {', '.join(CORE)} (of {lines} in all)"] = (code, sizes, True)
    readers = house.readers_of_kinds()
    figures["modules that read a kind by getattr"] = (len(readers), readers, len(readers) <= 1)
    if house.root == ROOT and "watchword.algebra" in house.trees:
        count = folds()
        figures["folds of the session in one Create"] = (count, [], count == 1)
    return figures


def main() -> int:
    """Print the figures; return 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draw", action="store_true", help="draw the rooms and the imports between them, as Mermaid")
    parser.add_argument("--json", action="store_true", help="print all that was found, as JSON")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to look at")
    arguments = parser.parse_args()
    house = House(arguments.root.resolve())
    if arguments.draw:
        print(house.drawing())
        return 0
    figures = report(house)
    if arguments.json:
        print(
            json.dumps(
                {name: {"figure": figure, "found": found} for name, (figure, found, _) in figures.items()}, indent=1
            )
        )
    else:
        for name, (figure, found, kept) in figures.items():
            print(f"{'  ' if kept else '! '}{figure:>5}  {name}")
            if not kept:
                shown = [f"{key}: {value}" for key, value in found.items()] if isinstance(found, dict) else found
                print(
                    *(f"           {each if isinstance(each, str) else ' -> '.join(each)}" for each in shown), sep="\n"
                )
    return not all(kept for *_, kept in figures.values())


if __name__ == "__main__":
    sys.exit(main())
