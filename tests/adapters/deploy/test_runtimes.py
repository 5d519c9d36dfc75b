"""Lambda's Pythons have an end: it is told before it comes, by the build, the template and the doctor."""

import datetime as dt

import pytest

from kit.paths import FLOWS
from watchword_adapters.cli import main
from watchword_adapters.deploy import runtimes
from watchword_adapters.deploy.runtimes import NOTICE, RUNTIME_ENDS, runtime_warning

FLOW = FLOWS / "email_code.toml"


def at(monkeypatch, date):
    """Set today's date."""
    monkeypatch.setattr(runtimes, "today", lambda: date)


@pytest.mark.parametrize("runtime", RUNTIME_ENDS)
def test_an_end_is_told_from_the_notice_on(runtime, monkeypatch):
    """Not the day before; then as what will be, and from the day itself as what is."""
    end = dt.date.fromisoformat(RUNTIME_ENDS[runtime].deprecated)
    at(monkeypatch, end - NOTICE - dt.timedelta(1))
    assert "" == runtime_warning(runtime)
    at(monkeypatch, end - NOTICE)
    assert runtime_warning(runtime).startswith(f"{runtime} will be deprecated on {end}: ")
    at(monkeypatch, end)
    assert runtime_warning(runtime).startswith(f"{runtime} is deprecated since {end}: ")
    assert RUNTIME_ENDS[runtime].no_new in runtime_warning(runtime)
    assert RUNTIME_ENDS[runtime].no_changed in runtime_warning(runtime)


@pytest.mark.parametrize("runtime", ["", "python3.99", "python3", "nodejs22.x", "provided.al2023"])
def test_of_a_runtime_that_is_not_in_the_table_nothing_is_told(runtime, monkeypatch):
    """Nobody knows its end."""
    at(monkeypatch, dt.date(2999, 1, 1))
    assert "" == runtime_warning(runtime)


@pytest.mark.parametrize("old", [True, False])
def test_build_and_template_warn_of_an_end(old, monkeypatch, tmp_path, capsys):
    """On standard error, and all is written as without the warning."""
    at(monkeypatch, dt.date(2028, 6, 1) if old else dt.date(2026, 11, 28))
    warnings = ["warning: python3.12 will be deprecated on 2028-10-31"] if old else []
    commands = [
        ["build", str(FLOW), "-o", str(tmp_path / "dist"), "--python", "3.12"],
        ["template", str(FLOW), "-o", str(tmp_path / "own.yaml"), "--python", "3.12"],
        ["template", str(FLOW), "-o", str(tmp_path / "stack.yaml"), "--dist", str(tmp_path / "dist")],
    ]
    for command in commands:
        assert 0 == main(command)
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
        assert warnings == [line.partition(": Lambda takes")[0] for line in said]
    assert (tmp_path / "stack.yaml").is_file()
