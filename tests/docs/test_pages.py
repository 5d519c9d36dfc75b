"""What every page has: a form that the index, the tests of commands and readers rely on."""

import re

import pytest

from kit.paths import ROOT
from watchword import Flow
from watchword.loading.registry import Registry
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers import Outbox
from watchword_adapters.poolserver.inspector import Inspector
from watchword_adapters.poolserver.pages import pages_of
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?:(?:% |<!-- )installed: (\w+)[^\n]*\n+)?```([\w-]+)\n", re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in PAGES if "_build" not in path.parts], ids=lambda path: path.stem)
def test_shell_commands_are_run_or_said_not_to_be(path):
    """A block of commands is `sh`, which runs from a wheel on a page that `tests/installed` reads, or says why it is skipped."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    assert not {language for _, language in found} & {"bash", "shell", "zsh", "shell-session"}
    runs = [said for said, language in found if language == "sh" and said != "skip"]
    readers = "".join(each.read_text("utf-8") for each in (ROOT / "tests" / "installed").glob("test_*.py"))
    assert not runs or f'"{path.name}"' in readers, f"no test in tests/installed reads {path.name}"


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "changelog").glob("*.md")), ids=lambda path: path.stem)
def test_each_fragment_of_the_changelog_begins_with_a_heading(path):
    """By which the list of changes names it; a short line, without code of its own."""
    first, blank, *rest = path.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"# \S.{3,}", first)
    assert "" == blank
    assert any(rest)


def test_each_page_of_the_local_pool_that_is_named_is_there():
    """Readers type these addresses into a browser."""
    pool = LocalUserPool(*triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=Outbox(), environment={}))
    served = {f"/_watchword/{name}" for name in pages_of(pool, Inspector(SystemClock(), peeking=True))}
    named = {name for path in PAGES for name in re.findall(r"/_watchword/[\w.-]*", path.read_text("utf-8"))}
    assert named
    assert named <= served


def test_the_guide_to_tokens_has_the_words_of_every_kind():
    """A back end asks by them; those of kinds that come along are listed with their kinds."""
    guide = (ROOT / "docs" / "how-to" / "read-in-a-token-what-was-proved.md").read_text("utf-8")
    _, table = guide.split("## The words", 1)
    listed = {
        (word, kind)
        for word, kinds in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)
        for kind in re.findall(r"`(\w+)`", kinds)
    }
    registry = Registry()
    kinds = [registry.find_kind(each.name) for each in registry.installed_kinds() if each.distribution == "watchword"]
    assert listed == {(word, kind.kind) for kind in kinds for word in getattr(kind, "methods", ())}


def test_each_kind_shows_its_own_form():
    """On its page in the reference; that of `srp` asks for the password."""
    for kind in (each.name for each in Registry().installed_kinds() if each.distribution == "watchword"):
        name = kind.replace("_", "-")
        page = (ROOT / "docs" / "reference" / f"{name}.md").read_text()
        assert f"../pictures/form-{'password' if kind == 'srp' else name}.png" in page, kind
