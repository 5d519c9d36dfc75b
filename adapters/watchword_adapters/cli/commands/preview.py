"""`watchword preview`: what a message of a kind looks like, and what is wrong with its templates."""

from __future__ import annotations

import argparse
import json
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs

from watchword.errors import ConfigurationError
from watchword.loading.flow_file import did_you_mean, make_kind
from watchword.loading.registry import Registry
from watchword_adapters.cli import EXIT_FAILED
from watchword_adapters.cli.flow_argument import attributes_of, flow_named
from watchword_adapters.cli.messages.made_up_message import (
    MadeUpMessage,
    made_up_settings,
    make_up_message,
    setting_names,
    with_settings,
)
from watchword_adapters.cli.messages.template_lint import LintedTemplates, lint_templates
from watchword_adapters.cli.output_file import flow_files, refuse_overwriting, write
from watchword_adapters.cli.terminal import Terminal

_EPILOG = """\
The kind itself makes the message, for a made-up user, with a made-up code and reference. VALUE is written as in a flow's file: --set length=8,
--set 'countries=["+49"]'; what is no TOML is a text: --set app=Acme. A setting that the kind needs and nobody gives is made up.

example:
  watchword preview email_otp --locale fr --set app=Acme --open
  watchword preview sms_otp --set origin=https://example.com
  watchword preview --flow flow.toml email_otp
  watchword preview email_otp --templates mails --lint"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword preview`."""
    parser.description = "Show what a message of a kind looks like, or find what is wrong with its templates."
    parser.epilog = _EPILOG
    parser.add_argument("kind", metavar="KIND", help="a kind that is installed, or with --flow a step of the flow")
    parser.add_argument("--flow", metavar="FLOW", help="takes the kind and its settings from this flow")
    parser.add_argument("--locale", metavar="TAG", help="the language, such as fr or pt-br")
    parser.add_argument("--templates", metavar="FOLDER", help="takes the texts from FOLDER")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the kind; may be given again"
    )
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an attribute of the made-up user, for kinds that look at it; may be given again",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="writes the HTML to FILE")
    parser.add_argument("--open", action="store_true", help="opens the HTML in the browser")
    parser.add_argument("--lint", action="store_true", help="finds what is wrong with the templates in FOLDER")
    parser.add_argument("--json", action="store_true", help="print JSON, the HTML in it")


def run(arguments: argparse.Namespace) -> int:
    """Show the message; with --lint, return 1 if something is found."""
    kind, made_up = _kind(arguments)
    attributes = attributes_of(arguments.attribute)
    screen = Terminal()
    if arguments.lint:
        linted = lint_templates(_templated(arguments, kind), attributes)
        if arguments.json:
            print(json.dumps(_linted_as_json(linted), indent=2))
        else:
            _print_linted(linted, screen)
        return EXIT_FAILED if linted.findings else 0
    if arguments.json and (arguments.open or arguments.output):
        raise ConfigurationError("--json prints the HTML: leave out --open and --output")
    message = make_up_message(kind, arguments.locale, attributes)
    if arguments.json:
        print(json.dumps(_message_as_json(kind, message, made_up), indent=2))
        return 0
    _print_message(kind, message, made_up, screen)
    if html := "".join(message.texts[name] for name in message.texts if message.is_html(name)):
        file = _written(html, arguments)
        screen.line(f"HTML in {file}")
        if arguments.open:
            import webbrowser  # noqa: PLC0415 - only on demand

            webbrowser.open(file.resolve().as_uri())
    elif arguments.open or arguments.output:
        raise ConfigurationError(f"{kind.kind} makes no HTML: leave out --open and --output")
    return 0


def _kind(arguments: argparse.Namespace) -> tuple[Any, Mapping[str, object]]:
    """Return the kind as the arguments say it, and which of its settings are made up."""
    registry = Registry()
    given = dict(_settings(arguments))
    if arguments.flow is not None:
        refuse_overwriting(arguments.output, flow_files(arguments.flow))
        flow = flow_named(arguments.flow, "--flow", registry)
        if arguments.kind not in flow.steps:
            raise ConfigurationError(f"the flow has no step {arguments.kind[:60]!r}; there is {', '.join(flow.steps)}")
        kind = flow.steps[arguments.kind].kind
        _refuse_unknown(kind, given)
        return with_settings(kind, given), {}
    found = registry.find_kind(arguments.kind)
    _refuse_unknown(found, given)
    made_up = made_up_settings(found, given)
    return make_kind(found, {**made_up, **given}), made_up


def _settings(arguments: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    seen = {"templates"} if arguments.templates is not None else set[str]()
    if arguments.templates is not None:
        yield "templates", arguments.templates
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ConfigurationError(f"--set {text[:60]!r}: write NAME=VALUE, such as app=Acme")
        if name in seen:
            raise ConfigurationError(f"--set {text[:60]!r}: {name[:60]} is given twice")
        seen.add(name)
        yield name, _value(value)


def _value(text: str) -> Any:
    """Return the value that *text* is in TOML, else the text itself."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    if len(read) > 1:  # a line end in it
        return text
    value: object = read["value"]
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def _refuse_unknown(kind: Any, given: Mapping[str, Any]) -> None:
    """Refuse settings that the kind does not have."""
    known = setting_names(kind)
    for name in given:
        if name not in known:
            if name == "templates":
                raise ConfigurationError(
                    f"--templates: {kind.kind} has no setting of this name: its texts are no files"
                )
            there = did_you_mean(name, known) or f"; there is {', '.join(known) or 'none'}"
            raise ConfigurationError(f"--set {name[:60]}: {kind.kind} has no such setting{there}")


def _templated(arguments: argparse.Namespace, kind: Any) -> Any:
    """Return *kind* if it has a folder of templates to look through."""
    for option in ("open", "output", "locale"):
        if getattr(arguments, option):
            raise ConfigurationError(f"--lint looks through all files: leave out --{option}")
    if "templates" not in setting_names(kind):
        raise ConfigurationError(f"{kind.kind} has no templates: there is nothing to look through")
    if kind.templates is None:
        raise ConfigurationError("--lint: name the folder to look through with --templates FOLDER")
    return kind


def _written(html: str, arguments: argparse.Namespace) -> Path:
    if arguments.output is not None:
        write(html, arguments.output)
        return Path(arguments.output)
    # The mark at its beginning has a browser read it as UTF-8, also where the page does not say so.
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8-sig", prefix="watchword-", suffix=".html", delete=False, errors="backslashreplace"
    ) as file:
        file.write(html)
    return Path(file.name)


def _print_message(kind: Any, message: MadeUpMessage, made_up: Mapping[str, object], screen: Terminal) -> None:
    screen.line(f"{kind.kind}: a message by {message.channel} to {message.to}", "title")
    for name, value in made_up.items():
        screen.line(f"{name} is made up: {value!r}; --set {name}=VALUE gives your own", "quiet")
    for name, text in message.texts.items():
        if not message.is_html(name):
            screen.pane(name, text)
    if message.size is not None:
        screen.line(_size(message))
        if message.binding:
            site, code = message.binding
            screen.line(f"the last line binds {code} to {site}: browsers offer it there alone")
        else:
            screen.line("the last line binds the code to no site")


def _size(message: MadeUpMessage) -> str:
    size = message.size
    assert size is not None
    parts = "1 part" if size.parts == 1 else f"{size.parts} parts"
    return f"{size.alphabet}, {size.units} units, {parts}"


def _message_as_json(kind: Any, message: MadeUpMessage, made_up: Mapping[str, object]) -> dict[str, object]:
    return {
        "kind": kind.kind,
        "channel": message.channel,
        "to": message.to,
        "texts": dict(message.texts),
        "sms": _size_as_json(message),
        "made_up": dict(made_up),
    }


def _size_as_json(message: MadeUpMessage) -> dict[str, object] | None:
    if message.size is None:
        return None
    site, code = message.binding or ("", "")
    return {**attrs.asdict(message.size), "binds": {"site": site, "code": code} if site else None}


def _print_linted(linted: LintedTemplates, screen: Terminal) -> None:
    for each in linted.findings:
        screen.line(f"{each.file}: {each.message}  [{each.code}]", "bad")
    for language, message in linted.messages.items():
        if message.size is not None:
            screen.line(f"{language}: {_size(message)}", "quiet")
    languages = ", ".join(linted.languages) or "none"
    found = len(linted.findings)
    said = "nothing is wrong" if not found else "1 finding" if found == 1 else f"{found} findings"
    screen.line(f"languages: {languages}; {said}", "bad" if found else "good")


def _linted_as_json(linted: LintedTemplates) -> dict[str, object]:
    return {
        "languages": list(linted.languages),
        "findings": [attrs.asdict(each) for each in linted.findings],
        "sms": {language: _size_as_json(each) for language, each in linted.messages.items() if each.size is not None},
    }
