"""`watchword studio`: a page with the flow as text, as a diagram and as a sign-in that works."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import webbrowser
from pathlib import Path

from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword_adapters.cli.flow_argument import attributes_of, minutes_given
from watchword_adapters.cli.messages.message_costs import read_prices, refuse_unknown_channels
from watchword_adapters.cli.studio.server import address, new_token, studio_application
from watchword_adapters.cli.studio.workshop import PASSWORD, USER, Workshop
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.dialects.dialect import DIALECTS
from watchword_adapters.extras import demand
from watchword_adapters.poolserver.http.server import SERVING, endpoint_of, hosts_of, open_sockets, serve
from watchword_adapters.userpool.sign_in.signing_keys import SIGNING

_EPILOG = f"""\
The page is for this machine alone, and for who has its address. The user {USER!r} has the password {PASSWORD}. No message leaves: the page shows
them. Nothing is written but the file, when you save it. Ctrl-C ends it.

example:
  watchword studio flow.toml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword studio`."""
    parser.description = "Open a page on which the flow is edited, checked, drawn and played."
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("flow", metavar="FLOW", type=Path, help="a TOML file")
    add(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an attribute of the user, for kinds that look at it; may be given again",
    )
    add(
        "--price",
        action="append",
        default=[],
        metavar="PRICE",
        help="what messages cost, as of watchword check: sms=0.08, or URLs of couriers; may be given again",
    )
    add(
        "--previous",
        action="append",
        default=[],
        metavar="FLOW",
        help="a flow that was deployed before, by which captured events are explained too; may be given again",
    )
    add("--dialect", choices=DIALECTS, help="the client whose words captured events have")
    add(
        "--session-minutes",
        type=minutes_given,
        default=3,
        metavar="N",
        help="how long a challenge may be answered, 3 to 15 minutes, in the findings and in the sign-in (%(default)s)",
    )
    add("--port", type=int, default=0, metavar="N", help="the port; 0 is a free one (%(default)s)")
    add("--no-open", action="store_true", help="do not open the page in a browser")
    add("--json", action="store_true", help='print one line of JSON, {"url": …}, when connections are accepted')


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0."""
    demand("the studio", *SIGNING, *SERVING)
    if arguments.flow.suffix != ".toml":
        raise ConfigurationError(f"{arguments.flow}: the studio edits a TOML file; give it one that ends in .toml")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # plugins of the folder, as for the other commands
    registry = Registry()
    prices = read_prices(arguments.price, registry)
    workshop = Workshop(
        arguments.flow,
        attributes_of(arguments.attribute),
        prices,
        previous=[find_flow(each, registry) for each in arguments.previous],
        dialect=arguments.dialect,
        session_minutes=arguments.session_minutes,
    )
    refuse_unknown_channels(prices, workshop.good.flow, registry)
    sockets = open_sockets(None, arguments.port)
    token = new_token()
    url = address(endpoint_of(sockets), token)
    screen = Terminal()

    def ready() -> None:
        if arguments.json:
            print(json.dumps({"url": url}), flush=True)
            return
        screen.line(f"studio   {url}", "title")
        screen.line("Ctrl-C ends it.", "quiet")
        if sys.stdout.isatty() and not arguments.no_open:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    try:
        serve(studio_application(workshop, hosts_of(sockets), token), sockets, ready=ready)
    finally:
        for each in sockets:
            each.close()
    if not arguments.json:
        screen.line("stopped", "quiet")
    return 0
