"""The screen: plain lines without rich or a terminal, colour with both, and never a control character."""

from __future__ import annotations

import io

import pytest

from watchword_adapters.cli import terminal
from watchword_adapters.cli.terminal import Terminal, printable


class PretendedTerminal(io.StringIO):
    """Standard output that a person looks at."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def test_colour_needs_rich_and_a_terminal(monkeypatch):
    """Without rich, without a terminal, or with NO_COLOR, lines are plain."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert Terminal()._rich is None
    monkeypatch.setattr("sys.stdout", PretendedTerminal())
    assert Terminal()._rich is not None
    monkeypatch.setenv("NO_COLOR", "1")
    assert Terminal()._rich is None
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(terminal, "find_spec", lambda name: None)
    assert Terminal()._rich is None


def test_colour_changes_no_word(monkeypatch, capsys):
    """What is printed with rich is what is printed without, but for the colours; nothing in it is markup."""
    text = "session [SRP_A+]  ->  [bold]x :smile: " + "long " * 60
    Terminal(None).line(text, "title")
    plain = capsys.readouterr().out
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = PretendedTerminal()
    monkeypatch.setattr("sys.stdout", terminal)
    Terminal().line(text, "title")
    assert "\x1b[1m" in terminal.getvalue()
    assert plain == terminal.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize("text", ["\x1b[31m", "\x07", "a\rb", "\x9b2J", "\u202eevil", "\udcff"])
def test_no_control_character_reaches_the_terminal(text):
    """Escape sequences, returns, bells, bidi controls and lone surrogates are shown as question marks."""
    assert printable(text).isprintable()
    assert "?" in printable(text)


def test_line_ends_tabs_and_letters_stay():
    """Mail has lines, and names have letters of any script."""
    assert "Zoë\n\t名" == printable("Zoë\n\t名")


@pytest.mark.parametrize("print_it", [Terminal.line, lambda screen, text: screen.table([("a", "b"), (text, text)])])
@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x0bb", "a\x0cb", "a\x85b", "a\u2028b", "\nb", "a\n"])
def test_one_line_is_one_line(capsys, print_it, text):
    """A line end in what is printed is shown; it begins no line."""
    print_it(Terminal(None), "ab")
    before = capsys.readouterr().out.splitlines()
    print_it(Terminal(None), text)
    after = capsys.readouterr().out
    assert len(before) == len(after.splitlines())
    assert "?" in after


def test_lines_are_as_many_as_they_are(capsys):
    """For a text of our own, such as the help."""
    Terminal(None).lines("\none\ntwo")
    assert "\none\ntwo\n" == capsys.readouterr().out


def test_a_pane_has_a_rule_on_its_left(capsys):
    """A title, then every line behind a rule; no space at their ends."""
    Terminal(None).pane("mail", "\none\n\ntwo\n", indent="  ")
    assert "  +-- mail\n  |   one\n  |\n  |   two\n" == capsys.readouterr().out
