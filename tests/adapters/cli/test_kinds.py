"""`watchword kinds`: what is installed, from whom, what it proves, and what it lacks."""

from __future__ import annotations

import json

import pytest

from watchword_adapters.cli import main

KIND = """
from typing import ClassVar
import watchword

class Riddle:
    kind: ClassVar[str] = "riddle"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})
    requires_create: ClassVar[tuple[str, ...]] = ("no_such_module_for_riddles",)
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "riddles[sphinx]"

    def create(self, request):
        return watchword.Challenge()

    def verify(self, request):
        return watchword.Verdict(right=False)

@watchword.hookimpl
def register_kinds(register):
    register(Riddle)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution with one kind: name, version, kind and the module's source."""
    monkeypatch.setattr("sys.path", [str(tmp_path), *__import__("sys").path])

    def install(name: str, version: str, kind: str, source: str) -> None:
        information = tmp_path / f"{name}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (information / "entry_points.txt").write_text(f"[watchword]\n{kind} = {name}_module\n")
        (tmp_path / f"{name}_module.py").write_text(source)

    return install


def listed(capsys) -> dict[str, dict]:
    """Return what `kinds --json` prints, by kind."""
    assert 0 == main(["kinds", "--json"])
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_the_built_in_kinds_are_listed_with_what_they_prove(capsys):
    """Name, distribution, version, module and factors; a CAPTCHA proves nothing."""
    kinds = listed(capsys)
    assert {"captcha": [], "email_otp": ["possession"], "srp": ["knowledge"]} == {
        name: kinds[name]["proves"] for name in ("captcha", "email_otp", "srp")
    }
    assert ("watchword", "watchword_plugins.srp", True) == tuple(
        kinds["srp"][key] for key in ("distribution", "module", "usable")
    )


def test_a_table_is_printed_for_people(capsys):
    """One row for each kind, under a head, aligned."""
    assert 0 == main(["kinds"])
    head, *rows = capsys.readouterr().out.splitlines()
    assert ["KIND", "PROVES", "FROM", "STATE"] == head.split()
    captcha = next(row for row in rows if row.startswith("captcha"))
    assert "nothing" == captcha[head.index("PROVES") : head.index("FROM")].strip()


def test_a_missing_extra_is_shown_with_the_line_that_installs_it(install, capsys):
    """A kind that lacks a module is incomplete, and says what to run."""
    install("riddles", "1.2", "riddle", KIND)
    kind = listed(capsys)["riddle"]
    assert ("riddles", "1.2", False) == (kind["distribution"], kind["version"], kind["usable"])
    assert "pip install 'riddles[sphinx]'" == kind["remedy"]
    main(["kinds"])
    out = capsys.readouterr().out
    assert "riddle needs more than is installed: pip install 'riddles[sphinx]'" in out
    assert "incomplete" in out


def test_a_broken_plugin_is_shown_as_broken_and_the_others_as_ever(install, capsys):
    """A module that cannot be imported ends nothing: it is named with its distribution, and the status is 0."""
    install("wrecks", "0.1", "wreck", "raise RuntimeError('half a plugin \\x1b[31m')")
    kinds = listed(capsys)
    assert "RuntimeError" in kinds["wreck"]["error"]
    assert kinds["email_otp"]["usable"]
    assert 0 == main(["kinds"])
    out = capsys.readouterr().out
    assert "wreck is broken: kind 'wreck' of wrecks 0.1" in out
    assert "Traceback" not in out
    assert "\x1b" not in out


def test_a_kind_that_two_bring_is_broken_in_both_rows(install, capsys):
    """Neither can take the other's place: both distributions are named."""
    install("first", "1", "riddle", KIND)
    install("second", "2", "riddle", KIND)
    assert 0 == main(["kinds"])
    out = capsys.readouterr().out
    assert 2 == out.count("first 1 and second 2")


PREPARES = """
    def prepare(self):
        {body}
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "raise watchword.ConfigurationError('sphinx 2.1 is needed, and 2.0 is installed: pip install --upgrade sphinx')",
            "sphinx 2.1",
        ),
        ("raise OSError('there is no such service here')", ""),
        ("pass", ""),
    ],
    ids=["refused", "only where it runs", "ready"],
)
def test_a_kind_that_cannot_be_set_up_is_not_ready(install, capsys, body, told):
    """A library that is too old is one reason. What a kind finds only where it runs is none."""
    prepares = KIND.replace('("no_such_module_for_riddles",)', "()").replace(
        "\n@watchword", PREPARES.format(body=body) + "\n@watchword"
    )
    install(f"riddles{len(body)}", "1.2", "riddle", prepares)  # a module is imported once
    kind = listed(capsys)["riddle"]
    assert (not told, told) == (kind["usable"], kind["error"][: len(told)])
    assert 0 == main(["kinds"])
    assert bool(told) == ("riddle is broken: sphinx 2.1 is needed" in capsys.readouterr().out)
