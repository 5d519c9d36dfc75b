"""The command line as a whole: what is wrong is said in one line, and a command's imports wait for it."""

from __future__ import annotations

import base64
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from watchword_adapters import cli
from watchword_adapters.cli import main
from watchword_adapters.credentials.sqlite import SqliteCredentials

SCRIPT = Path(sys.executable).with_name("watchword")
KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = '[[steps]]\nkind = "email_otp"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder, no settings, nothing to read on standard input, and a `sys.path` of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.path", [*sys.path])
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    return tmp_path


EVENT = '{"triggerSource": "DefineAuthChallenge_Authentication"}'
FILES = {
    "good.toml": GOOD,
    "empty.toml": "",
    "broken.toml": "name =",
    "unknown.toml": '[[steps]]\nkind = "emial_otp"\n',
    "setting.toml": GOOD + "attempts = 99\n",
    "templates.toml": GOOD + 'templates = "nowhere"\n',
    "raises_it.py": "raise ValueError('boo')\n",
    "holds_it.py": "number = 1\n",
}

WRONG = [
    # arguments
    ("", {}, "no command"),
    ("dmeo", {}, "did you mean demo?"),
    ("check\n", {}, "there is no command 'check"),
    ("--nonsense", {}, "--nonsense"),
    ("demo now", {}, "now"),
    ("demo --jso", {}, "--jso"),
    ("kinds --pool x", {}, "--pool"),
    ("try", {}, "FLOW"),
    ("try good.toml --email", {}, "--email"),
    ("try good.toml again", {}, "again"),
    ("try good.toml --attribute tier", {}, "NAME=VALUE"),
    ("try good.toml --attribute =gold", {}, "NAME=VALUE"),
    ("try good.toml --attribute nosuch=1", {}, "nosuch"),
    ("try good.toml --attribute sub=1", {}, "sub"),
    ("try good.toml --user <empty>", {}, "username"),
    ("try good.toml --user " + "a" * 129, {}, "128"),
    ("try good.toml --password <empty>", {}, "--password"),
    ("try good.toml --client a!b", {}, "client_id"),
    ("unlock", {}, "USER, --pool"),
    ("unlock ann", {}, "--pool"),
    ("unlock ann --pool x --sub --name", {}, "--name"),
    ("advise good.toml --pool-id <empty>", {}, "--pool-id is empty"),
    ("advise good.toml --pool-id us-east-1_A --endpoint javascript:x", {}, "--endpoint is no address"),
    ("advise good.toml --pool-id us-east-1_A --endpoint http://[", {}, "--endpoint is no address"),
    ("advise good.toml --pool-id us-east-1_A --endpoint http://ann:hush@localhost/", {}, "without a user"),
    ("doctor --pool-id us-east-1_A --client-id x --endpoint http://localhost:99999", {}, "--endpoint is no address"),
    # files and flows
    ("try <empty>", {}, "FLOW is empty"),
    ("try nowhere.toml", {}, "nowhere.toml"),
    ("try .", {}, "cannot be read"),
    ("try binary.toml", {}, "UTF-8"),
    ("try empty.toml", {}, "steps"),
    ("try broken.toml", {}, "line 1"),
    ("try unknown.toml", {}, "did you mean email_otp"),
    ("try setting.toml", {}, "attempts"),
    ("graph good.toml -o a\0b", {}, "null character"),
    ("graph good.toml -o " + "a" * 300, {}, "File name too long"),
    ("template good.toml --courier ses://x --dist " + "a" * 300, {}, "aaaa"),
    ("new flow mine --directory good.toml/mine", {}, "Not a directory"),
    ("try templates.toml", {}, "nowhere"),
    ("try raises_it:flow", {}, "ValueError"),
    ("try holds_it:flow", {}, "flow is not there"),
    ("try holds_it:number", {}, "no Flow but int"),
    ("try nowhere_at_all:flow", {}, "no module"),
    # settings
    ("unlock ann --pool nonsense", {"WATCHWORD_KEY": KEY}, "--pool 'nonsense'"),
    (
        "unlock ann --pool us-east-1_A --ledger sqlite:///x.db",
        {},
        "neither WATCHWORD_ROOT_KEY nor WATCHWORD_KEY is set",
    ),
    ("unlock ann --pool us-east-1_A --ledger sqlite:///x.db", {"WATCHWORD_KEY": "c2hvcnQ="}, "too short"),
    ("unlock ann --pool us-east-1_A --ledger sqlite:///x.db", {"WATCHWORD_KEY": "?"}, "base64"),
    ("unlock ann --pool us-east-1_A", {"WATCHWORD_KEY": KEY}, "WATCHWORD_LEDGER"),
    ("unlock ann --pool us-east-1_A", {"WATCHWORD_KEY": KEY, "WATCHWORD_LEDGER": "memory:"}, "memory"),
    ("unlock ann --pool us-east-1_A", {"WATCHWORD_KEY": KEY, "WATCHWORD_LEDGER": "process-only"}, "process-only"),
    ("unlock ann --pool us-east-1_A --ledger sqlite:///no.db", {"WATCHWORD_KEY": KEY}, "no such file"),
    ("unlock ann --pool us-east-1_A --ledger nosuch://x", {"WATCHWORD_KEY": KEY}, "nosuch"),
    ("unlock <empty> --pool us-east-1_A", {"WATCHWORD_KEY": KEY}, "USER"),
]


@pytest.mark.parametrize("case", WRONG, ids=[f"{line[:48]!r}" for line, _, _ in WRONG])
def test_whatever_is_wrong_is_said_in_one_line_that_names_it(case, folder, capsys, monkeypatch):
    """Status 2, one line on stderr, nothing on stdout, no traceback, and no file made."""
    line, settings, names = case
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "binary.toml").write_bytes(b"\xff\x00")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    before = sorted(folder.glob("*.*"))
    status = main(["" if word == "<empty>" else word for word in line.split(" ") if word])
    out, err = capsys.readouterr()
    assert (2, "") == (status, out)
    assert err.startswith("watchword: error: ")
    assert 1 == err.count("\n")
    assert "Traceback" not in err
    assert names in err
    assert before == sorted(folder.glob("*.*"))


READERS = {
    "try": ["try X"],
    "serve": ["serve X", "serve good.toml --users X", "serve --triggers X"],
    "check": ["check X"],
    "diff": ["diff X good.toml", "diff good.toml X"],
    "advise": ["advise X"],
    "attack": ["attack X"],
    "graph": ["graph X", "graph X --format svg"],
    "explain": ["explain X --session email_otp+"],
    "replay": ["replay X event.json", "replay good.toml X", "replay good.toml event.json --previous X"],
    "build": ["build X", "build good.toml --previous X"],
    "template": ["template X", "template good.toml --courier ses://x --dist X"],
    "doctor": ["doctor X --template good.toml", "doctor --template X"],
    "studio": ["studio good.toml --no-open --previous X"],
    "preview": ["preview email_otp --templates X", "preview email_otp --flow X"],
    "credentials": ["credentials import X --store sqlite:///s.db"],
}
NO_READERS = {"demo", "new", "sign-in-page", "kinds", "unlock", "trace", "who"}
"""What reads no file, or takes any text for a log."""


@pytest.mark.parametrize("line", [line for lines in READERS.values() for line in lines])
def test_no_file_that_is_none_of_ours_is_a_defect(line, folder, capsys):
    """Missing, empty, a folder, bytes, behind a file, too long a name: status 2 and one line, whichever argument it is for."""
    (folder / "good.toml").write_text(GOOD)
    (folder / "event.json").write_text(EVENT)
    SqliteCredentials(folder / "s.db").list("a" * 20, within=1.0)
    (folder / "empty.toml").write_text("")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (folder / "folder").mkdir()
    for given in (
        "missing",
        "missing.toml",
        "empty.toml",
        "folder",
        "bytes.toml",
        "good.toml/x",
        "x" * 300,
        "event.json",
    ):
        if given == "event.json" and line == "replay good.toml X":
            continue
        status = main([given if word == "X" else word for word in line.split(" ")])
        out, err = capsys.readouterr()
        assert (2, "", 1) == (status, out, err.count("\n")), (given, err)
        assert err.startswith("watchword: error: ")
        assert "defect" not in err


def test_every_command_that_reads_a_file_is_among_them():
    """A new one is put there, or where those are that read none."""
    assert {*READERS} | NO_READERS == {*cli.COMMANDS}


def test_signs_that_a_terminal_would_obey_are_not_passed_on(folder, capsys):
    """An argument with escape sequences or lone surrogates is shown without them."""
    assert 2 == main(["try", "\x1b[31mred\udcff.toml"])
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "?[31mred?.toml" in err


@pytest.mark.parametrize("command", ["demo", "try", "kinds", "unlock"])
def test_every_command_has_help_with_an_example(command, capsys):
    """--help ends with status 0 and shows how the command is called."""
    assert 0 == main([command, "--help"])
    out = capsys.readouterr().out
    assert f"example:\n  watchword {command}" in out or (command == "unlock" and "watchword unlock" in out)


def test_help_lists_every_command(capsys):
    """The table of commands is what --help shows."""
    assert 0 == main(["--help"])
    out = capsys.readouterr().out
    for name, (_, summary) in cli.COMMANDS.items():
        assert name in out
        assert summary.split()[0] in out


def test_version_is_that_of_the_distribution(capsys):
    """--version prints name and version."""
    from importlib.metadata import version

    assert 0 == main(["--version"])
    assert f"watchword {version('watchword')}\n" == capsys.readouterr().out


def test_help_imports_neither_the_engine_nor_any_command():
    """A command's imports wait until it runs, so --help starts at once."""
    program = """
import sys
from watchword_adapters.cli import main
status = main(["--help"])
heavy = {"watchword", "attrs", "pluggy", "rich", "boto3", "PIL", "captcha", "cryptography", "importlib.metadata"}
sys.exit(repr(sorted(heavy & set(sys.modules))) if status == 0 else "status")
"""
    # -S: an editable installation may import what it likes when Python starts.
    paths = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert "[]\n" == done.stderr


class Boom:
    """A command that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def configure(self, parser) -> None:
        """Add nothing."""

    def run(self, arguments) -> int:
        """Raise."""
        raise self.error


def raising(monkeypatch, error: BaseException) -> int:
    """Run a command that raises *error*."""
    monkeypatch.setattr(cli, "import_module", lambda _: Boom(error))
    return main(["kinds"])


def test_a_defect_is_told_without_its_text(monkeypatch, capsys):
    """An exception that nobody foresaw may quote a secret: only its type is shown, and how to see more."""
    monkeypatch.delenv("WATCHWORD_DEBUG", raising=False)
    assert 1 == raising(monkeypatch, RuntimeError("code 12345678"))
    err = capsys.readouterr().err
    assert "RuntimeError" in err
    assert "WATCHWORD_DEBUG=1" in err
    assert "12345678" not in err


def test_debug_shows_the_traceback(monkeypatch):
    """With WATCHWORD_DEBUG=1 an error is raised as it is."""
    monkeypatch.setenv("WATCHWORD_DEBUG", "1")
    with pytest.raises(RuntimeError):
        raising(monkeypatch, RuntimeError("boo"))


def test_a_port_that_fails_is_status_1(monkeypatch, capsys):
    """What is set up right and fails all the same is no usage error."""
    from watchword.errors import UnavailableError

    assert 1 == raising(monkeypatch, UnavailableError("the ledger is down"))
    assert "watchword: error: the ledger is down\n" == capsys.readouterr().err


def test_an_operating_system_error_names_the_file(monkeypatch, capsys):
    """A full disk or a missing right is told with the file that it is about."""
    assert 1 == raising(monkeypatch, PermissionError(13, "Permission denied", "/tmp/picture"))
    assert "watchword: error: /tmp/picture: Permission denied\n" == capsys.readouterr().err


def test_an_interruption_ends_cleanly_with_130(monkeypatch, capsys):
    """Ctrl-C: an end of line and the shell's status, no traceback."""
    assert 130 == raising(monkeypatch, KeyboardInterrupt())
    assert "\n" == capsys.readouterr().err


def test_a_long_message_is_cut(capsys):
    """An argument of any length gives one line of bounded length."""
    assert 2 == main(["try", "x" * 10_000 + ".toml"])
    assert len(capsys.readouterr().err) < 700


# The installed script


@pytest.mark.skipif(not SCRIPT.exists(), reason="the script is not installed beside this Python")
def test_the_installed_script_runs():
    """The entry point: status and streams as from `main`."""
    good = subprocess.run([SCRIPT, "kinds", "--json"], capture_output=True, text=True, check=False)
    assert (0, "") == (good.returncode, good.stderr)
    assert '"email_otp"' in good.stdout
    bad = subprocess.run([SCRIPT, "kinsd"], capture_output=True, text=True, check=False)
    assert (2, "") == (bad.returncode, bad.stdout)
    assert bad.stderr.startswith("watchword: error: there is no command 'kinsd'; did you mean kinds?")


def test_the_package_runs_as_a_module_and_shows_signs_that_the_terminal_lacks():
    """`python -m watchword_adapters` is the same program; an ASCII terminal gets escapes, not a traceback."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "watchword_adapters", "unlock", "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "WATCHWORD_ROOT_KEY=\\u2026" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes of this sort are POSIX")
@pytest.mark.parametrize("arguments", [["kinds"], ["kinds", "--json"], ["demo", "--json"]])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_that_goes_away_ends_it_quietly(arguments, buffered):
    """`watchword kinds | head -0`: no traceback, and the status of SIGPIPE."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "watchword_adapters", *arguments]
    try:
        done = subprocess.run(program, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (141, b"") == (done.returncode, done.stderr)


QUICK = [
    "--help", "kinds", "check good.toml", "diff good.toml good.toml", "advise good.toml", "graph good.toml",
    "explain good.toml --session email_otp+", "replay good.toml event.json", "preview email_otp", "trace ABCDEFGHJK",
    "sign-in-page site --force", "try good.toml", "unlock ann", "dmeo",
]  # fmt: skip


@pytest.mark.parametrize("line", QUICK)
def test_closed_streams_change_no_status(line, folder, monkeypatch):
    """`watchword check flow.toml >&-`: what is printed is lost, and nothing else goes wrong, for want of a stream or of all."""
    (folder / "good.toml").write_text(GOOD)
    (folder / "event.json").write_text(EVENT)
    status = main(line.split())
    for closed in ([], ["stdin"], ["stdout"], ["stderr"], ["stdin", "stdout", "stderr"]):
        with monkeypatch.context() as patch:
            for name in closed:
                patch.setattr(sys, name, None)
            assert status == main(line.split())
            assert [None] * len(closed) == [getattr(sys, name) for name in closed]


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell of POSIX")
def test_an_error_goes_to_no_other_stream():
    """With standard error closed, nothing is on standard output; with that closed too, all is quiet."""
    command = f"{shlex.quote(sys.executable)} -m watchword_adapters dmeo"
    for redirected in ("2>&-", "0<&- 1>&- 2>&-"):
        done = subprocess.run(["/bin/sh", "-c", f"{command} {redirected}"], capture_output=True, check=False)
        assert (2, b"", b"") == (done.returncode, done.stdout, done.stderr)


def test_an_option_that_is_misspelt_is_told_the_one_that_was_meant(capsys):
    """By the command that it was given to."""
    assert 2 == main(["check", "flow.toml", "--requires", "knowledge"])
    assert "--requires knowledge; did you mean --require?; see watchword check --help" in capsys.readouterr().err
