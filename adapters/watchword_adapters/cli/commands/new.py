"""`watchword new`: begin a project, a plugin's or a flow's, whose tests pass at once."""

from __future__ import annotations

import argparse
import keyword
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path, PurePosixPath
from string import Template

from attrs import evolve, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import STEP_NAME
from watchword.contract.members import ANY_CHANNEL, are_methods
from watchword.errors import ConfigurationError
from watchword.loading.registry import COURIERS, KINDS_GROUP, SCHEME, Registry

_EPILOG = """\
PROJECT is plugin, for a kind of challenge in a distribution of its own, or flow, for a flow with its Lambda triggers
and a test of its policy. With --remembers the kind has state: users enrol for it. With --channel it sends a code by a
channel of its own, and a courier for that channel comes along. A folder that is not empty is refused.

example:
  watchword new plugin riddle
  watchword new plugin code_list --remembers
  watchword new plugin push_code --channel push
  watchword new flow acme --directory acme-sign-in"""

_TAKEN = frozenset(
    {
        *("ANN", "Any", "Attribute", "BaseHTTPRequestHandler", "BeginRequest", "Callable", "Challenge", "ClassVar"),
        *("Clock", "CompleteRequest", "ConfigurationError", "Courier", "CourierContract", "CreateRequest", "Enrolment"),
        *("Factor", "Flow", "FlowUser", "Iterator", "KindContract", "KindRequest", "Literal", "Mailbox", "Mapping"),
        *("Message", "NewCredential", "NoReturn", "Path", "Receipt", "RegisterCourier", "RegisterKind", "Registry"),
        *("Srp", "SystemClock", "TYPE_CHECKING", "Thread", "ThreadingHTTPServer", "UnavailableError", "User"),
        *("Verdict", "VerifyRequest"),
    }
)
"""Names that the templates import; a class may not have them."""

_REMEMBERS = "plugin_that_remembers"
"""The folder of the templates of a plugin whose kind remembers, where they differ from any plugin's."""

_CHANNEL = "plugin_with_channel"
"""The same of a plugin whose kind sends by a channel of its own."""

_LONGEST_ATTRIBUTE = 20  # Amazon Cognito: of a custom attribute's name

_COMMON = {"gitignore": ".gitignore", "workflow.yml": ".github/workflows/test.yml"}


@frozen
class _Project:
    """A sort of project: what to call its folder, each template's place in it, and what to do next."""

    folder: str
    places: Mapping[str, str]
    next: str


_OF_A_CHANNEL = {
    "courier.py": "${module}_courier.py",
    "test_courier.py": "tests/test_${kind}_courier.py",
    "flow.toml": "flow.toml",
}
"""What comes along with a channel: each template's place."""

_PROJECTS: Mapping[str, _Project] = {
    "plugin": _Project(
        "$distribution",
        {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            "module.py": "$module.py",
            "test.py": "tests/test_$kind.py",
            **_COMMON,
        },
        "pip install -e '.[test]' && pytest && watchword kinds",
    ),
    "flow": _Project(
        "$kind",
        {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            "requirements.txt": "requirements.txt",
            "requirements-dev.txt": "requirements-dev.txt",
            "flow.toml": "flow.toml",
            "triggers.py": "triggers.py",
            "test_policy.py": "tests/test_policy.py",
            **_COMMON,
        },
        "pip install -r requirements-dev.txt && pytest && watchword try flow.toml",
    ),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword new`."""
    parser.description = "Create a project with tests that pass."
    parser.epilog = _EPILOG
    parser.add_argument("project", metavar="PROJECT", choices=sorted(_PROJECTS), help="plugin or flow")
    parser.add_argument("name", metavar="NAME", help="2 to 32 of a-z, 0-9 and _, beginning with a letter")
    parser.add_argument("--remembers", action="store_true", help="a plugin whose kind has state: users enrol for it")
    parser.add_argument(
        "--channel", metavar="CHANNEL", help="a plugin whose kind sends by this channel of its own, with a courier"
    )
    parser.add_argument(
        "--directory", metavar="D", help="the folder to write to (watchword-NAME for a plugin, NAME for a flow)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the project."""
    project = _PROJECTS[arguments.project]
    if arguments.remembers and arguments.project != "plugin":
        raise ConfigurationError("--remembers is for a plugin: a flow asks for kinds, it has no state")
    words, variant = _words(arguments.project, arguments.name), _REMEMBERS if arguments.remembers else ""
    if arguments.channel is not None:
        if arguments.project != "plugin":
            raise ConfigurationError("--channel is for a plugin: a flow asks for kinds, and sends as they do")
        if arguments.remembers:
            raise ConfigurationError("--remembers and --channel make kinds of two sorts: give one of them")
        words, variant = _with_channel(words, arguments.channel), _CHANNEL
        project = evolve(project, places={**project.places, **_OF_A_CHANNEL})
    if arguments.directory == "":
        raise ConfigurationError("--directory is empty: give a folder, or leave it out")
    target = Path(arguments.directory or Template(project.folder).substitute(words))
    _refuse_used(target)
    folders = (*filter(None, (variant,)), arguments.project, ".")
    rendered = _rendered(folders, project, words)
    _write(target, rendered)
    print(f"{target}{'' if str(target).endswith('/') else '/'}")
    for place in sorted(rendered):
        print(f"  {place}")
    print(f"next: cd {target} && {project.next}")
    return 0


def _words(project: str, name: str) -> dict[str, str]:
    """Return what stands for the templates' placeholders.

    Raises:
        ConfigurationError: if *name* is no name for what is to be made.
    """
    if not STEP_NAME.fullmatch(name) or name == derivative.SELECT:
        raise ConfigurationError(
            f"{name[:40]!r} is no name: write 2 to 32 of a-z, 0-9 and _, beginning with a letter (and not 'select')"
        )
    if project == "plugin" and name in entry_points(group=KINDS_GROUP).names:
        raise ConfigurationError(f"a kind {name!r} is installed already: take another name, since two are refused")
    return {
        "kind": name,
        "class": _class_name(name, "Kind"),
        "module": f"watchword_{name}",
        "distribution": "watchword-" + re.sub("_+", "-", name).strip("-"),
    }


def _with_channel(words: Mapping[str, str], channel: str) -> dict[str, str]:
    """Return *words*, and those of *channel*, for which there must be no courier yet.

    Raises:
        ConfigurationError: if there is one, or *channel* is no name for a channel, or none for the scheme of a URL.
    """
    if not SCHEME.fullmatch(channel):
        raise ConfigurationError(
            f"{channel[:40]!r} is no name of a channel: write 2 to 32 of a-z, 0-9, _ and -, beginning with a letter"
        )
    registry = Registry()
    schemes = registry.schemes(channel)
    if {*schemes} - {*registry.schemes(ANY_CHANNEL)}:  # one that carries any channel makes none needless
        raise ConfigurationError(
            f"the channel {channel!r} has couriers already, {', '.join(schemes)}: a kind that sends by it needs no other; "
            "take another channel, or begin without --channel"
        )
    scheme = channel.replace("_", "-")  # RFC 3986, 3.1: no underscore
    if scheme in entry_points(group=COURIERS).names:
        raise ConfigurationError(f"a courier {scheme!r} is installed already: take another channel")
    message, courier = (_class_name(channel, "Channel", ending) for ending in ("Message", "Courier"))
    kind = f"{words['class']}Kind" if words["class"] in (message, courier) else words["class"]
    word = channel.replace("-", "_")
    methods = ["otp"] if not are_methods((word,)) or word == "otp" else ["otp", word]
    return {
        **words,
        "methods": ", ".join(f'"{each}"' for each in methods) + "," * (len(methods) == 1),
        "method": " ".join(methods),
        "class": kind,
        "classes": ", ".join(sorted((kind, message))),  # as linters want imports
        "channel": channel,
        "scheme": scheme,
        "message": message,
        "courier": courier,
        "attribute": channel[:_LONGEST_ATTRIBUTE],
    }


def _class_name(name: str, otherwise: str, ending: str = "") -> str:
    """Return the name of the class that *name* makes, with *ending*; and with *otherwise* behind it, if Python or a template has that name."""
    made = "".join(part.capitalize() for part in re.split("[_-]", name)) + ending
    return made + otherwise if keyword.iskeyword(made) or made in _TAKEN else made


def _refuse_used(target: Path) -> None:
    if target.is_dir():
        if any(target.iterdir()):
            raise ConfigurationError(f"{target} is not empty: give an empty folder with --directory")
    elif target.exists() or target.is_symlink():
        raise ConfigurationError(f"{target} is there already and is no folder: give another with --directory")


def _rendered(folders: Sequence[str], project: _Project, words: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every file by its place; each template is in the first of *folders* that has one."""
    templates = files("watchword_adapters") / "scaffolds"
    rendered: dict[str, str] = {}
    for source, place in project.places.items():
        found = (templates / folder / f"{source}.template" for folder in folders)
        text = next(each for each in found if each.is_file()).read_text(encoding="utf-8")
        rendered[Template(place).substitute(words)] = Template(text).substitute(words)
    return rendered


def _write(target: Path, rendered: Mapping[str, str]) -> None:
    """Write *rendered* to *target*, all of it or nothing."""
    there = target.is_dir()
    staged = target / ".watchword-new" if there else target.with_name(f".{target.name}.watchword-new")
    moved: list[Path] = []
    staged.mkdir()  # outside of what is cleaned up: if it is there already, it is somebody else's
    try:
        for place, text in rendered.items():
            path = staged / PurePosixPath(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if not there:
            staged.rename(target)
            return
        # The folder itself stays: it may be the current one of somebody's shell.
        for entry in sorted(staged.iterdir()):
            moved.append(entry.rename(target / entry.name))  # noqa: PERF401 - what was moved is undone one by one
        staged.rmdir()
    except BaseException:
        for path in (staged, *moved):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise
