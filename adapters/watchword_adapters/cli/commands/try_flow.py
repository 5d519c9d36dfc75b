"""`watchword try`: play a flow in the terminal, with answers from the keyboard or from a pipe."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from attrs import define, field

from watchword.algebra import derivative
from watchword.algebra.derivative import CUSTOM, SELECT
from watchword.algebra.evaluation import ACTION, CHOICE
from watchword.algebra.flow import Flow
from watchword.contract.kinds import Email
from watchword.contract.typed_codes import write_token_answer
from watchword.errors import ConfigurationError, WatchwordError
from watchword.loading.registry import Registry
from watchword_adapters.cli.commands.check import warn_of_bare_tokens
from watchword_adapters.cli.flow_argument import add_flow, attributes_of, read_flow
from watchword_adapters.cli.image_file import open_picture, save_picture
from watchword_adapters.cli.local.call_recording import (
    LONGEST_READ,
    RecordedCall,
    TriggerCall,
    claims_lines,
    claims_of,
    cut,
    shortened,
)
from watchword_adapters.cli.local.local_run import (
    DEFAULT_EMAIL,
    DEFAULT_PASSWORD,
    DEFAULT_USER,
    LocalRun,
    log_lines,
    reachable,
    start_local_run,
)
from watchword_adapters.cli.local.pool_client import PoolClient
from watchword_adapters.cli.local.unsent_messages import UnsentMessages
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.qr_code import qr_terminal

_FARTHEST = 86_400
_MOST_SIGN_INS = 20
_EPILOG = """\
The flow runs in a local user pool with one user: no AWS, no network. Answers are read from standard input, line by line:
the user name, the password if the flow asks for it (an empty line takes the value in brackets), then the
answers. Lines that begin with a colon are commands; :help lists them. The status is 0 if the sign-in ends with tokens.

example:
  watchword try docs/examples/flows/srp_then_code.toml
  watchword try flow.toml --attribute custom:tier=gold --events
  watchword try docs/examples/flows/password_and_app.toml --enrolled totp"""
_HELP = """\
:resend        ask for the message once more
:choose NAME   choose the step to come; where you are asked to choose, the name alone will do
:answer NAME TEXT   where you are asked to choose: answer TEXT to NAME at once, if it is offered
:events        show what each trigger was given and answered in the last call
:mail          show every message so far, whatever its channel
:wait SECONDS  put the clock forward, in this sign-in alone
:quit          stop
::TEXT         answer :TEXT"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword try`."""
    parser.description = "Try a flow in the terminal: answer its challenges, read its messages, see its triggers."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("--user", default=DEFAULT_USER, metavar="NAME", help="the user in the pool (%(default)s)")
    parser.add_argument("--password", default=DEFAULT_PASSWORD, help="the user's password (%(default)s)")
    parser.add_argument("--email", default=DEFAULT_EMAIL, metavar="ADDRESS", help="a verified address (%(default)s)")
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another attribute, or another value; may be given again",
    )
    parser.add_argument("--client", metavar="ID", help="the id of the app client, for flows that look at it")
    parser.add_argument(
        "--enrolled",
        action="append",
        default=[],
        metavar="KIND",
        help="a kind for which the user enrols before the sign-in begins; may be given again",
    )
    parser.add_argument(
        "--sign-ins",
        type=int,
        default=1,
        metavar="N",
        help=f"sign in so many times, 1 to {_MOST_SIGN_INS}; what was enrolled stays (%(default)s)",
    )
    parser.add_argument("--unknown-user", action="store_true", help="sign in as a user who is not in the pool")
    parser.add_argument("--events", action="store_true", help="show the event and the reply of each trigger")
    parser.add_argument("--open", action="store_true", help="open pictures, besides saving them")


def run(arguments: argparse.Namespace) -> int:
    """Play the flow; return 0 if it ends with tokens."""
    registry = Registry()
    flow = read_flow(arguments, registry)
    attributes = {**reachable(flow, arguments.user, arguments.email), **attributes_of(arguments.attribute)}
    _check(arguments, flow)
    screen = Terminal()
    with log_lines() as log:
        stage = start_local_run(
            flow,
            user=None if arguments.unknown_user else arguments.user,
            password=arguments.password,
            attributes=attributes,
            audit=UnsentMessages(log.append),
            app_client=arguments.client,
            registry=registry,
        )
        screen.line(f'The flow "{flow.name}": {", ".join(flow.steps) or "the password alone"}', "title")
        warn_of_bare_tokens(flow, screen)
        screen.line("Type :help for help.", "quiet")
        known = {} if arguments.unknown_user else {arguments.user: attributes}
        try:
            return _Play(screen, stage, flow, arguments, log, known).play()
        except EOFError:
            screen.line()
            raise WatchwordError("the input ended before the sign-in did: nobody is signed in") from None
        except _QuitError:
            screen.line("stopped: nobody is signed in")
            return 1


def _check(arguments: argparse.Namespace, flow: Flow) -> None:
    kinds = list(dict.fromkeys(step.kind.kind for step in flow.steps.values() if step.powers.enrols))
    for kind in arguments.enrolled:
        if kind not in kinds:
            told = f"users of this flow enrol for {', '.join(kinds)} only" if kinds else "nobody enrols in this flow"
            raise ConfigurationError(f"--enrolled {kind[:60]}: {told}")
    if arguments.enrolled and arguments.unknown_user:
        raise ConfigurationError("--enrolled and --unknown-user: an unknown user has enrolled nothing; leave out one")
    if not 1 <= arguments.sign_ins <= _MOST_SIGN_INS:
        raise ConfigurationError(f"--sign-ins must be from 1 to {_MOST_SIGN_INS}")


class _QuitError(Exception):
    """Raised if the player has had enough."""


@define
class _Play:
    """One sign-in, played. *known* are the attributes of the users in the pool by name."""

    screen: Terminal
    stage: LocalRun
    flow: Flow
    arguments: argparse.Namespace
    log: list[str]
    known: Mapping[str, Mapping[str, str]]
    calls: tuple[TriggerCall, ...] = field(default=(), init=False)
    mails_shown: int = field(default=0, init=False)
    choice: str = field(default="", init=False)

    def play(self) -> int:
        """Enrol the user, and sign in as often as is wanted; return 0 if each sign-in ends with tokens."""
        for kind in self.arguments.enrolled:
            self._enrol(kind)
        wanted = self.arguments.sign_ins
        for number in range(1, wanted + 1):
            if wanted > 1:
                self.screen.line()
                self.screen.line(f"Sign-in {number} of {wanted}", "title")
            status = self._sign_in()
            if status:
                return status
        return 0

    def _sign_in(self) -> int:
        client = self._client()
        exchange = client.open()
        while True:
            self._show(exchange)
            if exchange.code:
                self.screen.line(f"The sign-in is over. {exchange.code}: {exchange.error}", "bad")
                return 1
            if exchange.tokens:
                for line in ("Signed in.", *claims_lines(claims_of(exchange))):
                    self.screen.line(line, "good")
                return 0
            exchange = self._respond(client)

    def _enrol(self, kind: str) -> None:
        """Have the user enrol for *kind*, as somebody who is signed in."""
        name = str(self.arguments.user)
        begun = self.stage.begin_enrolment(name, kind)
        self.screen.line()
        self.screen.line(f"enrol {kind}", "title")
        self._show_public(begun.public)
        while True:
            done = self.stage.complete_enrolment(name, begun.handle, self._read("answer that completes it: "))
            self._show_news()
            if done:
                self.screen.line(f"{name} has enrolled for {kind}.", "good")
                return
            if done.reason != "wrong":
                raise WatchwordError(f"{name} is not enrolled for {kind}: {done.reason}")
            self.screen.line("wrong", "warning")

    # Asking

    def _client(self) -> PoolClient:
        name = self._read(f"user name [{self.arguments.user}]: ") or str(self.arguments.user)
        by_password, plain = self._openings(name)
        if by_password and plain:
            by_password = self._read("with the password? [Y/n]: ").strip().lower() not in {"n", "no"}
        if not by_password:
            return self.stage.client(name, None)
        password = self._read(f"password [{self.arguments.password}]: ") or str(self.arguments.password)
        return self.stage.client(name, password)

    def _openings(self, name: str) -> tuple[bool, bool]:
        """Say whether the flow can be opened with SRP by the user *name*, and whether without."""
        attributes = self.known.get(name)
        outcomes = derivative.outcomes_of(
            self.flow.conditions, attributes or {}, self.stage.pool.client_id, attributes is not None
        )
        body = derivative.resolve(self.flow.program[2], outcomes)
        return derivative.SRP_A in derivative.heads(body), derivative.without_srp(body) is not None

    def _respond(self, client: PoolClient) -> RecordedCall:
        match client.challenge:
            case "PASSWORD_VERIFIER":
                return client.prove_password(self.stage.clock)
            case "NEW_PASSWORD_REQUIRED":
                return client.respond({"NEW_PASSWORD": self._read("new password: ")}, {})
            case _ if client.parameters.get("kind") == SELECT:
                return self._choose(client)
            case _:
                return self._answer(client)

    def _choose(self, client: PoolClient) -> RecordedCall:
        choices = client.parameters.get("choices", "").split(",")
        offers = [each for each in client.parameters.get("offers", "").split(",") if each]
        only = choices[0] if len(choices) == 1 else ""
        asked = f"press Enter for {only}: " if only else f"choose one of {', '.join(choices)}: "
        while True:
            line = self._read(asked, commands=(":choose", ":answer")).strip() or only
            word, _, rest = line.partition(" ")
            name, _, text = rest.partition(" ")
            if word == ":answer":
                if name in offers:
                    return client.answer(text, **{CHOICE: name, ACTION: "answer"})
                self.screen.line(f"offered to be answered at once: {', '.join(offers) or 'none'}", "warning")
                continue
            name = line.removeprefix(":choose").strip()
            # What is chosen with the command goes out as it is, so that a wrong choice can be tried as well.
            if name in choices or (name and line != name):
                return client.answer(name, **{CHOICE: name})
            self.screen.line(
                f"there is no {name}; type one of the names" if name else "type one of the names", "warning"
            )

    def _answer(self, client: PoolClient) -> RecordedCall:
        step = client.parameters.get("step", "")
        worked = client.drawn if self._is_work(step) else ""
        asked = self.flow.steps.get(step)
        with_token = asked is not None and asked.powers.with_token
        prompt = "press Enter to answer with the work done: " if worked else "answer: "
        prompt = "answer (an access token goes out with it): " if with_token else prompt
        while True:
            line = self._read(prompt, commands=(":resend", ":choose"))
            if line.strip() == ":resend":
                return client.answer("-", **{ACTION: "resend"})
            if line.startswith(":choose"):
                self.choice = line.removeprefix(":choose").strip()
                self.screen.line(f"{self.choice or 'no choice'} goes out with your next answer", "quiet")
                continue
            metadata = {CHOICE: self.choice} if self.choice else {}
            self.choice = ""
            text = line.removeprefix(":") if line.startswith("::") else line
            if with_token and not text.lstrip().startswith("{"):
                text = write_token_answer(self._access_token(), text)
            return client.answer(text if text.strip() else worked or text, **metadata)

    def _access_token(self) -> str:
        """Return an access token of the user, as an app holds one that signed them in before; nobody unknown has one."""
        if self.arguments.unknown_user:
            return ""
        pool = self.stage.pool
        given = {"USERNAME": self.arguments.user, "PASSWORD": self.arguments.password}
        reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        return str(reply["AuthenticationResult"]["AccessToken"])

    def _is_work(self, step: str) -> bool:
        """Say whether *step* asks nothing of people: a machine answers, and what is right was drawn."""
        asked = self.flow.steps.get(step)
        return asked is not None and not (
            asked.proves or asked.powers.sends or asked.powers.remembers or asked.powers.cognitive
        )

    def _read(self, prompt: str, commands: tuple[str, ...] = ()) -> str:
        """Return the next line that is no command, or one of *commands*; carry the others out."""
        while True:
            line = input(prompt)
            if not sys.stdin.isatty():
                self.screen.line(line)  # nobody typed it, so it is not on the screen yet
            word, _, rest = line.strip().partition(" ")
            if not word.startswith(":") or word.startswith("::") or word in commands:
                return line
            self._carry_out(word, rest)

    def _carry_out(self, word: str, rest: str) -> None:
        match word:
            case ":help":
                self.screen.lines(_HELP)
            case ":events":
                self._show_events()
            case ":mail":
                self._show_mail(0)
            case ":wait":
                self._wait(rest)
            case ":quit":
                raise _QuitError
            case ":resend" | ":choose" | ":answer":
                self.screen.line(f"{word} can be said only to a challenge", "warning")
            case _:
                self.screen.line(f"there is no {word}; :help lists what there is", "warning")

    def _wait(self, text: str) -> None:
        seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        if not 1 <= seconds <= _FARTHEST:
            self.screen.line(f":wait takes whole seconds, from 1 to {_FARTHEST}", "warning")
            return
        self.stage.clock.forward(seconds)
        self.screen.line(f"{seconds} seconds later", "quiet")

    # Showing

    def _show(self, exchange: RecordedCall) -> None:
        self.calls = exchange.calls
        if self.arguments.events:
            self._show_events()
        self._show_news()
        if exchange.reply.get("ChallengeName") != CUSTOM:
            return
        self.screen.line()
        self.screen.line(exchange.public.get("step", "a challenge"), "title")
        self._show_public({name: value for name, value in exchange.public.items() if name not in {"step", "kind"}})

    def _show_news(self) -> None:
        """Show what was logged, and the mail that came, since the last time."""
        for line in self.log:
            self.screen.line(f"log: {line}", "warning")
        self.log.clear()
        self.mails_shown = self._show_mail(self.mails_shown)

    def _show_public(self, public: Mapping[str, str]) -> None:
        for name, value in shortened(public, LONGEST_READ).items():
            self.screen.line(f"  {name}: {self._readable(name, value)}")
        self._draw(public.get("otpauth_uri", ""))
        path = save_picture(public)
        if path is not None:
            self.screen.line(f"  the picture is saved as {path}")
            if self.arguments.open:
                open_picture(path)

    def _draw(self, uri: str) -> None:
        """Show the URI by which an authenticator app learns its secret as a QR code, to be scanned off the screen."""
        if not uri:
            return
        try:
            self.screen.lines(qr_terminal(uri).rstrip("\n"))
        except ConfigurationError as error:  # nothing to draw with, or a URI of a plugin that is too long
            self.screen.line(f"  {error}", "quiet")

    def _readable(self, name: str, value: str) -> str:
        """Return a time as seconds from now, everything else as it is."""
        if name not in {"expires_at", "resend_after"} or not value.isdigit():
            return value
        left = int(value) - int(self.stage.clock.now())
        return f"{value} (in {left} s)" if left > 0 else f"{value} (now)"

    def _show_events(self) -> None:
        if not self.calls:
            self.screen.line("no trigger was called", "quiet")
        for call in self.calls:
            self.screen.pane(f"{call.trigger}: event", json.dumps(cut(call.event), indent=2))
            answered = call.error or json.dumps(cut(call.response), indent=2)
            self.screen.pane(f"{call.trigger}: {'error' if call.error else 'response'}", answered)

    def _show_mail(self, first: int) -> int:
        messages = self.stage.outbox.messages
        for message in messages[first:]:
            head, body = f"{message.channel} to {message.to}", "\n".join(message.texts())
            if isinstance(message, Email):
                head, body = f"{head}: {message.subject}", message.text
            self.screen.pane(head, body)
        return len(messages)
