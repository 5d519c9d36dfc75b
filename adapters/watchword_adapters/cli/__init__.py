"""The command line: `watchword COMMAND`. Each command is a module of its own, imported when it runs."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "show a complete sign-in on this machine, and three attacks that fail"),
    "try": ("try_flow", "try a flow in the terminal"),
    "serve": ("serve", "serve a flow in a local user pool over HTTP, for real clients"),
    "check": ("check", "check whether a flow can be cheated, where it gets stuck, what it costs and proves"),
    "diff": ("diff", "compare two flows: who gets in, what is asked instead, what is weaker"),
    "advise": (
        "advise",
        "say what Cognito's native sign-in could do of a flow, and what only custom authentication can",
    ),
    "attack": ("attack", "attack a flow in a hundred ways, and count the attacks that succeed"),
    "graph": ("graph", "draw the state diagram of a flow"),
    "explain": ("explain", "explain the decision for a session, round by round"),
    "replay": ("replay", "explain the decision for captured Lambda events"),
    "new": ("new", "create a project for a plugin or a flow, with tests that pass"),
    "build": ("build", "build the three functions of a flow for AWS Lambda"),
    "template": ("template", "write the CloudFormation template of a flow"),
    "doctor": ("doctor", "find what is wrong with a deployed pool or a template"),
    "studio": ("studio", "open a page on which a flow is edited, checked, drawn and played"),
    "sign-in-page": ("sign_in_page", "copy the sign-in form into a folder, for any page"),
    "preview": ("preview", "show what a message of a kind looks like, or find what is wrong with its templates"),
    "kinds": ("kinds", "list the kinds of challenge that are installed, and what each proves"),
    "unlock": ("unlock", "reset the budgets of a user"),
    "credentials": ("credentials", "list, remove, export, import and purge what users enrolled"),
    "trace": ("trace", "find in logs everything about the reference that a user saw"),
    "who": ("who", "print the digest that names a user in the audit, or find the user of a digest"),
}
"""Each command's module in `commands`, and what it does in a line."""

_DESCRIPTION = "The challenge engine for sign-in on Amazon Cognito's custom authentication."
_EPILOG = "Begin with: watchword demo. Each command has its own --help, with an example."
_LONGEST_MESSAGE = 600

_NO_SUCH_PLACE = frozenset({errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENOENT})
"""Errors of the operating system for a path that was given wrongly."""

EXIT_USAGE = 2
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""Exit statuses: the last two are a shell's for SIGINT and SIGPIPE."""


class Command(Protocol):
    """What a command's module has."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments, description and example to *parser*."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit status."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* (`sys.argv` without the program, if None) names; return the exit status.

    0 if all went well; 2 if an argument, file, flow or setting is wrong; 1 if something else failed. An error is one
    line on stderr. With ``WATCHWORD_DEBUG=1`` it is raised, with its traceback.
    """
    with _open_streams():
        return _main(list(sys.argv[1:] if argv is None else argv))


@contextmanager
def _open_streams() -> Generator[None]:
    """Put the null device where the caller closed a standard stream, as in ``watchword check flow.toml >&-``.

    Python has None there, which has no methods, and with which `print` writes an error to standard output. Descriptors are
    given out from the lowest, so that no file of the command gets the number of a standard stream.
    """
    with ExitStack() as files:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                files.callback(setattr, sys, name, None)
                setattr(sys, name, files.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
        yield


def _main(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            # A terminal that lacks a sign shows it escaped; it does not end the program.
            cast("Any", stream).reconfigure(errors="backslashreplace")
    try:
        status = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return EXIT_BROKEN_PIPE
    except Exception as error:
        if os.environ.get("WATCHWORD_DEBUG") == "1":
            raise
        return _failed(error)
    return status


def _dispatch(words: list[str]) -> int:
    parser = _Parser(prog="watchword", description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    parsers = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser, title="commands")
    word = words[0] if words else ""
    command: Command | None = None
    chosen = parser
    for name, (module, summary) in COMMANDS.items():
        subparser = parsers.add_parser(
            name, help=summary, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == word:
            chosen = subparser
            command = cast("Command", import_module(f"{__name__}.commands.{module}"))
            command.configure(subparser)
    if any("\0" in each for each in words):
        parser.error("an argument holds a null character")  # from Python: no shell passes one, and no path has one
    if command is None and not word.startswith("-"):
        parser.error(f"there is no command {word[:40]!r}{_nearest(word)}" if word else "no command is given")
    try:
        arguments, unknown = parser.parse_known_args(words)
    except SystemExit:  # behind --help and --version; errors are raised otherwise
        return 0
    if unknown:
        chosen.refuse(unknown)
    if command is None:
        parser.error("no command is given")
    return command.run(arguments)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are raised: `main` says all of them in one way."""

    def error(self, message: str) -> NoReturn:
        from watchword.errors import ConfigurationError  # noqa: PLC0415 - only for an error

        raise ConfigurationError(f"{message}; see {self.prog} --help")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Refuse arguments that are *unknown*, with the option that is nearest to the first."""
        from difflib import get_close_matches  # noqa: PLC0415 - only for an error

        close = get_close_matches(unknown[0].partition("=")[0], list(self._option_string_actions), n=1)
        self.error(f"unrecognized arguments: {' '.join(unknown)}{f'; did you mean {close[0]}?' if close else ''}")


class _Version(argparse.Action):
    """Prints the version: looked up only then, since that is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            print(f"watchword {version('watchword')}")
        except PackageNotFoundError:
            print("watchword, run from a source tree that is not installed")
        parser.exit()


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    close = get_close_matches(word, list(COMMANDS), n=1)
    there = ", ".join(COMMANDS)
    return f"; did you mean {close[0]}? There is {there}" if close else f"; there is {there}"


def _failed(error: Exception) -> int:
    from watchword.errors import ConfigurationError, UnavailableError, WatchwordError  # noqa: PLC0415 - --help does without

    match error:
        case ConfigurationError() | UnavailableError(reason="setup"):
            return _tell(str(error), EXIT_USAGE)
        case WatchwordError():
            return _tell(str(error), EXIT_FAILED)
        case OSError():
            named = f"{error.filename}: " if error.filename else ""
            status = EXIT_USAGE if error.filename and error.errno in _NO_SUCH_PLACE else EXIT_FAILED
            return _tell(f"{named}{error.strerror or type(error).__name__}", status)
        case _:
            # Its text is not shown: nobody has seen to it that it holds nothing secret.
            name = type(error).__name__
            return _tell(f"{name}, which is a defect; set WATCHWORD_DEBUG=1 to see where, and report it", EXIT_FAILED)


def _tell(message: str, status: int) -> int:
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(message.split()))
    print(f"watchword: error: {line[:_LONGEST_MESSAGE]}", file=sys.stderr)
    return status


def _abandon_stdout() -> None:
    # Or the interpreter would flush what is left when it ends, and complain again.
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
