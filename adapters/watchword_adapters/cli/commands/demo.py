"""`watchword demo`: a whole sign-in on this machine, told as it happens, and three attacks that fail."""

from __future__ import annotations

import argparse
import json
from typing import Any

from watchword.contract.kinds import Email
from watchword_adapters.cli.image_file import open_picture
from watchword_adapters.cli.local.call_recording import call_as_json, call_lines, claims_lines
from watchword_adapters.cli.local.demo_scenes import DemoScene, UnexpectedOutcomeError, start_demo
from watchword_adapters.cli.local.local_run import DEFAULT_EMAIL, log_lines
from watchword_adapters.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword demo`."""
    parser.description = (
        "Show a complete sign-in: password, picture, e-mailed code, tokens. Then three attacks that fail."
    )
    parser.epilog = (
        "It needs no AWS, no network and no keyboard. The status is 0 only if everything went as described.\n\n"
        "example:\n  watchword demo --open"
    )
    parser.add_argument("--json", action="store_true", help="print all events and replies as JSON")
    parser.add_argument("--open", action="store_true", help="open the picture too")


def run(arguments: argparse.Namespace) -> int:
    """Play the tour and tell it."""
    with log_lines():  # the attacks make the triggers log errors, as they should
        return _run_as_json(arguments) if arguments.json else _run_as_text(arguments)


def _run_as_text(arguments: argparse.Namespace) -> int:
    screen = Terminal()
    tour = start_demo()
    screen.line("Watchword: a sign-in, from the password to the tokens", "title")
    screen.lines(
        f'\nThe flow "{tour.flow.name}" asks for the password (SRP), the characters of a picture and an e-mailed code.\n'
        f"Its three triggers run in a local user pool that plays Cognito: no AWS, no network. Ann is {DEFAULT_EMAIL}."
    )
    screen.lines("\n> is what the client calls, < what it gets back; between them are the triggers.", "quiet")
    attacks = 0
    for number, scene in enumerate(tour.scenes(), start=1):
        if scene.attack and not attacks:
            screen.lines("\nThree attacks that fail", "title")
        attacks += scene.attack
        _show(screen, scene, attacks if scene.attack else number)
        if scene.picture and arguments.open:
            open_picture(scene.picture)
    screen.lines("\nAll went as it should. Play a flow of your own: watchword try flow.toml", "good")
    return 0


def _show(screen: Terminal, scene: DemoScene, number: int) -> None:
    screen.lines(f"\n{number}. {scene.title}", "title")
    for line in scene.before:
        screen.line(f"   {line}")
    for exchange in () if scene.attack else scene.exchanges:
        for line in call_lines(exchange):
            screen.line(f"   {line}", "quiet" if line.startswith(" ") else "")
    for message in scene.mail:
        screen.pane(f"mail to {message.to}: {message.subject}", message.text, indent="   ")
    for line in claims_lines(scene.claims):
        screen.line(f"   {line}", "good")
    for line in scene.after:
        screen.line(f"   {line}")


def _run_as_json(arguments: argparse.Namespace) -> int:
    tour = start_demo()
    scenes: list[dict[str, Any]] = []
    failure: UnexpectedOutcomeError | None = None
    try:
        for scene in tour.scenes():
            scenes.append(_scene_as_json(scene))
            if scene.picture and arguments.open:
                open_picture(scene.picture)
    except UnexpectedOutcomeError as error:
        failure = error
    print(
        json.dumps(
            {
                "flow": tour.flow.name,
                "fingerprint": tour.flow.fingerprint,
                "scenes": scenes,
                "ok": failure is None,
            },
            indent=2,
        )
    )
    if failure is not None:
        raise failure
    return 0


def _scene_as_json(scene: DemoScene) -> dict[str, Any]:
    return {
        "title": scene.title,
        "attack": scene.attack,
        "says": [*scene.before, *scene.after],
        "exchanges": [call_as_json(exchange) for exchange in scene.exchanges],
        "mail": [_mail_as_json(message) for message in scene.mail],
        "picture": str(scene.picture) if scene.picture else None,
        "claims": scene.claims,
    }


def _mail_as_json(message: Email) -> dict[str, str]:
    return {"to": message.to, "subject": message.subject, "text": message.text, "html": message.html}
