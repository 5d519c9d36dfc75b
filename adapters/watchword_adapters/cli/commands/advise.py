"""`watchword advise`: what Cognito's native sign-in could do of a flow, what only custom authentication can, and at which price."""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections.abc import Mapping
from decimal import Decimal

from watchword.errors import ConfigurationError
from watchword_adapters.advice.advice import Advice, advice_as_json, advise
from watchword_adapters.advice.monthly_cost import Month, Usage
from watchword_adapters.advice.native_facts import ONLY_NATIVE, TIERS_BY_NAME, Tier
from watchword_adapters.advice.pool_gap import PoolGap
from watchword_adapters.advice.price_list import PRICES_AS_OF
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.reading.deployment import Deployment

_WIDTH = 78
_NUMBER = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?")
_MOST_USERS = 10_000_000_000
_MOST_OFTEN = 10_000
_TIERS: Mapping[str, Tier] = {name.lower(): tier for name, tier in TIERS_BY_NAME.items()}
_LINES = {
    "users": "Cognito, active users",
    "mail": "mails",
    "sms": "texts (SMS)",
    "other_messages": "other messages",
    "lambda": "Lambda",
    "dynamodb": "DynamoDB",
    "logs": "logs",
    "fixed": "keys and alarms",
}
_EPILOG = """\
All sign-ins are reckoned by the dearest way through the flow, each answer right
at once. Prices are list prices of us-east-1, each with its date: none is from a
bill. A text by SMS costs a hundred times more in one country than in another:
give the price of yours by --sms-price.

examples:
  watchword advise flow.toml --users 50000
  watchword advise flow.toml --users 50000 --sign-ins 12 --messages 1.1 --json
  watchword advise flow.toml --users 50000 --sms-price 0.04 --tier essentials
  watchword advise flow.toml --users 50000 --pool-id us-east-1_Abc123"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword advise`."""
    parser.description = (
        "Say what Cognito's native sign-in could do of a flow, on which tier and at which price, and what only custom "
        "authentication can."
    )
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("--users", default="100000", metavar="N", help="active users in a month (%(default)s)")
    parser.add_argument("--sign-ins", default="4", metavar="N", help="sign-ins of a user in a month (%(default)s)")
    parser.add_argument(
        "--messages",
        default="1",
        metavar="N",
        help="messages of each step that sends, on average, resends included (%(default)s)",
    )
    parser.add_argument(
        "--sms-price", default="", metavar="DOLLARS", help="the price of one text by SMS, all of its parts"
    )
    parser.add_argument(
        "--pre-token",
        action="store_true",
        help="tokens tell what was passed: reckon the trigger that does it, and its record of each sign-in",
    )
    parser.add_argument(
        "--tier",
        choices=_TIERS,
        default="",
        help="the tier that the pool needs anyway (lite, or that of --pool-id)",
    )
    parser.add_argument("--pool-id", metavar="ID", help="look at this user pool too; nothing is changed")
    parser.add_argument("--region", default="", help="the region of the pool (default: boto3's own)")
    parser.add_argument("--endpoint", default="", metavar="URL", help="another URL for AWS, for an emulator")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the advice. The status is 0, whatever it says."""
    usage = Usage(
        int(_number("--users", arguments.users, _MOST_USERS, whole=True)),
        _number("--sign-ins", arguments.sign_ins, _MOST_OFTEN),
        _number("--messages", arguments.messages, _MOST_OFTEN),
        _number("--sms-price", arguments.sms_price, _MOST_OFTEN) if arguments.sms_price else None,
        arguments.pre_token,
    )
    flow = read_flow(arguments)
    advice = advise(flow, usage, _TIERS.get(arguments.tier), _read_pool(arguments))
    if arguments.json:
        print(json.dumps(advice_as_json(advice), indent=2))
    else:
        _tell(advice, Terminal())
    return 0


def _read_pool(arguments: argparse.Namespace) -> Deployment | None:
    if arguments.pool_id == "":  # as of a variable that is not set: the advice would say nothing of the pool
        raise ConfigurationError("--pool-id is empty: give the id of a user pool, or leave the option out")
    if arguments.pool_id is not None:
        return read_aws.read_pool(read_aws.clients(arguments.region, arguments.endpoint), arguments.pool_id)
    if arguments.region or arguments.endpoint:
        raise ConfigurationError(f"--{'region' if arguments.region else 'endpoint'} is of a pool: give --pool-id too")
    return None


def _number(option: str, text: str, most: int, *, whole: bool = False) -> Decimal:
    """Return the number that *option* gives as *text*.

    Raises:
        ConfigurationError: if it is none, below 0, above *most*, or not *whole* where it must be.
    """
    if not _NUMBER.fullmatch(text) or Decimal(text) > most or (whole and Decimal(text) % 1):
        wanted = f"a {'whole ' * whole}number from 0 to {most}"
        raise ConfigurationError(f"{option} is {text[:40]!r}: give {wanted}")
    return Decimal(text)


def _tell(advice: Advice, screen: Terminal) -> None:
    _paragraph(screen, f'"{advice.flow.name}": {advice.summary}', "title")
    if advice.native_words:
        _list(screen, "Native sign-in could do", advice.native_words)
    _list(screen, "Only custom authentication can", advice.only_custom)
    _list(screen, "Only native sign-in has", ONLY_NATIVE)
    if advice.pool is not None:
        _pool(advice.pool, advice, screen)
    _costs(advice, screen)


def _pool(pool: PoolGap, advice: Advice, screen: Terminal) -> None:
    about = f"The pool {pool.id}: {pool.tier}, about {pool.users:,} users"
    if advice.native is None:
        screen.line()
        _paragraph(screen, about, "title")
    elif pool.lacks:
        _list(screen, f"{about}. For native sign-in it needs", pool.lacks)
    else:
        screen.line()
        _paragraph(screen, f"{about}. It has all that native sign-in needs, as far as was read.", "title")
    for each in pool.unread:
        _paragraph(screen, f"not read: {each}", "warning")


def _list(screen: Terminal, title: str, items: tuple[str, ...]) -> None:
    screen.line()
    _paragraph(screen, title, "title")
    for item in items:
        for line in textwrap.wrap(
            item, _WIDTH, initial_indent="  * ", subsequent_indent="    ", break_on_hyphens=False
        ):
            screen.line(line)


def _paragraph(screen: Terminal, text: str, style: str = "") -> None:
    for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False):
        screen.line(line, style)


def _costs(advice: Advice, screen: Terminal) -> None:
    usage, native, custom = advice.usage, advice.native, advice.custom
    screen.line()
    screen.line(f"A month in US dollars, prices as of {PRICES_AS_OF}", "title")
    often = "1 sign-in" if usage.sign_ins == 1 else f"{usage.sign_ins:f} sign-ins"
    screen.line(
        f"  {usage.users:,} active user{'s' * (usage.users != 1)}, {often} each, right at once, by the dearest way"
    )
    lines = [each for each in _LINES if each in custom.lines or (native is not None and each in native.lines)]
    head = ("", "native", "custom")
    rows = [head, ("tier", "-" if native is None else native.tier, custom.tier)]
    rows += [(_LINES[each], _amount(native, each), _amount(custom, each)) for each in lines]
    rows.append(("total", "-" if native is None else f"{native.total:,.2f}", f"{custom.total:,.2f}"))
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    for number, row in enumerate(rows):
        cells = (row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]))
        screen.line(f"  {'   '.join(cells)}".rstrip(), "" if number else "title")
    screen.line()
    _paragraph(screen, " ".join(filter(None, (advice.difference, *advice.notes))))


def _amount(month: Month | None, line: str) -> str:
    if month is None or line not in month.lines:
        return "-"
    cost = month.lines[line]
    return "?" if cost is None else f"{cost:,.2f}"
