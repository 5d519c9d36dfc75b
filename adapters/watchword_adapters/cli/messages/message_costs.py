"""What messages of a flow cost at a price: how many parts each has, and what one user or number can cost in one day."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from attrs import frozen

from watchword.algebra.flow import Flow
from watchword.analysis.metrics import ChannelFigures, Figures
from watchword.contract.members import attribute_of, settings_of
from watchword.contract.messages.channel_names import word_for, word_for_one
from watchword.errors import ConfigurationError, WatchwordError
from watchword.loading.registry import Registry
from watchword_adapters.attacks.devices.telephone_numbers import telephone_of
from watchword_adapters.cli.messages.made_up_message import make_up_message

_PRICE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,5})?", re.ASCII)
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_LANGUAGES = tuple(map("".join, product(string.ascii_lowercase, repeat=2)))
"""Every tag of ISO 639-1: in which of them a kind writes is for the kind to know."""


@frozen
class MessagePrice:
    """A price in US dollars: of one part of a message, or of the *whole* message."""

    usd: Decimal
    whole: bool = False

    def of_message(self, parts: int | None) -> Decimal | None:
        """Return the price of a message of so many *parts*; None if it depends on them and they are not known."""
        return self.usd if self.whole else None if parts is None else parts * self.usd


@frozen
class MessageCost:
    """What the messages of one channel cost: *figures*, the most *parts* of a message, and the *price*.

    *parts* is None where a message cannot be made here, *price* where none is given.
    """

    figures: ChannelFigures
    parts: int | None = None
    price: MessagePrice | None = None

    def of(self, messages: int) -> Decimal | None:
        """Return what so many *messages* cost in US dollars; None if that is not known."""
        one = None if self.price is None else self.price.of_message(self.parts)
        return None if one is None else messages * one


def read_prices(texts: Iterable[str], registry: Registry) -> Mapping[str, MessagePrice]:
    """Return the prices by channel that *texts* say.

    Each is ``sms=0.08``, or a courier's URL with ``max_price``, or several URLs with spaces between, as WATCHWORD_COURIER takes them: of
    several, those without a price are passed over.

    Raises:
        ConfigurationError: if one is none of these, or two are for one channel.
    """
    prices: dict[str, MessagePrice] = {}
    for text in texts:
        for channel, price in _of_couriers(text, registry) if "://" in text else (_written(text),):
            if channel in prices:
                raise ConfigurationError(f"--price: two prices are given for {channel}; leave one out")
            prices[channel] = price
    return prices


def _written(text: str) -> tuple[str, MessagePrice]:
    channel, _, price = text.partition("=")
    if not (_CHANNEL.fullmatch(channel) and _PRICE.fullmatch(price)):
        raise ConfigurationError(
            f"--price {text[:60]!r}: write a channel and the US dollars for one part, such as sms=0.08, or the URL of a courier "
            "with max_price (%20 for a space in it)"
        )
    return channel, MessagePrice(Decimal(price))


def _of_couriers(text: str, registry: Registry) -> Iterator[tuple[str, MessagePrice]]:
    """Give the channel of each courier in *text* that has ``max_price``, and that: the US dollars, in digits, for a whole message."""
    urls = text.split()
    priced = False
    for url in urls:
        courier: Any = registry.find_courier(url)
        usd = attribute_of(courier, "max_price")
        if isinstance(usd, str) and _PRICE.fullmatch(usd):
            priced = True
            yield str(courier.channel), MessagePrice(Decimal(usd), whole=True)
        elif len(urls) == 1:
            raise ConfigurationError(
                f"--price: the courier of {_scheme(url)}: has no max_price; write {courier.channel}=0.08 with your own price"
            )
    if not priced:
        raise ConfigurationError(
            f"--price: none of the couriers of {', '.join(f'{_scheme(each)}:' for each in urls)} has a max_price; write sms=0.08 with "
            "your own price"
        )


def _scheme(url: str) -> str:
    return url.partition(":")[0][:20]


def message_costs(flow: Flow, figures: Figures, prices: Mapping[str, MessagePrice]) -> tuple[MessageCost, ...]:
    """Return what the messages of *flow* cost, by channel.

    Raises:
        ConfigurationError: if there is a price for a channel on which the flow sends nothing.
    """
    channels = {each.channel for each in figures.channels}
    for channel in prices:
        if channel not in channels:
            raise ConfigurationError(
                f"--price: the flow sends nothing by {channel}; it sends by {', '.join(sorted(channels)) or 'nothing at all'}"
            )
    return tuple(MessageCost(each, _parts(flow, each.channel), prices.get(each.channel)) for each in figures.channels)


def refuse_unknown_channels(prices: Collection[str], flow: Flow | None, registry: Registry) -> None:
    """Refuse *prices* for channels on which neither *flow* sends nor a kind of *registry*: the flow may be edited to have any of these.

    Raises:
        ConfigurationError: if there is one.
    """
    if not prices:
        return
    kinds = [registry.find_kind(each.name) for each in registry.installed_kinds() if not each.error]
    said = [attribute_of(each, "channel") for each in kinds]
    known = {step.powers.channel for step in flow.steps.values()} if flow else set[str]()
    known |= {each for each in said if isinstance(each, str)}
    for channel in prices:
        if channel not in known:
            raise ConfigurationError(
                f"--price: no kind that is installed sends anything by {channel}; they send by {', '.join(sorted(known - {''}))}"
            )


def _parts(flow: Flow, channel: str) -> int | None:
    """Return the most parts of a message of *flow* on *channel*, in the language that takes most; None if none can be made."""
    if channel != "sms":
        return 1
    sizes = [
        _most_parts(step.kind, flow)
        for step in flow.steps.values()
        if step.powers.sends and step.powers.channel == channel
    ]
    return None if None in sizes else max((each for each in sizes if each is not None), default=None)


def _most_parts(kind: Any, flow: Flow) -> int | None:
    attributes = telephone_of(flow, "ann")
    try:
        sizes = [
            message.size
            for each in ("", *_languages(kind))
            for message in (make_up_message(kind, None, {**attributes, "locale": each} if each else attributes),)
        ]
    except WatchwordError:
        return None
    return max((each.parts for each in sizes if each is not None), default=None)


def _languages(kind: Any) -> Iterator[str]:
    yield from _LANGUAGES
    yield from ("pt-br", "zh-hans", "zh-hant")
    folder = settings_of(kind).get("templates")
    if isinstance(folder, str) and Path(folder).is_dir():
        yield from sorted({each.name.partition(".")[0] for each in Path(folder).iterdir()})


def costs_as_json(costs: Iterable[MessageCost]) -> list[dict[str, object]]:
    """Return *costs* for `json.dumps`: counts a day, and US dollars as numbers, null where they are not known."""
    return [
        {
            "channel": each.figures.channel,
            "before": list(each.figures.before),
            "messages_per_user_day": each.figures.per_day,
            "messages_per_address_day": each.figures.per_day,
            "messages_by_strangers_per_user_day": each.figures.by_strangers_per_day,
            "messages_by_strangers_per_address_day": each.figures.by_strangers_per_day,
            "messages_over_all_users_per_day": None,
            "parts_per_message": each.parts,
            "usd_per_part": _number(None if each.price is None or each.price.whole else each.price.usd),
            "usd_per_message": _number(each.of(1)),
            "usd_per_user_day": _number(each.of(each.figures.per_day)),
            "usd_per_address_day": _number(each.of(each.figures.per_day)),
            "usd_by_strangers_per_user_day": _number(each.of(each.figures.by_strangers_per_day)),
            "usd_by_strangers_per_address_day": _number(each.of(each.figures.by_strangers_per_day)),
            "usd_over_all_users_per_day": None,
        }
        for each in costs
    ]


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def rows_of(costs: Iterable[MessageCost]) -> Iterator[tuple[str, str]]:
    """Give the rows of a table that tell *costs*, of each channel where a part is paid for or a price is given."""
    for each in costs:
        figures, word = each.figures, word_for(each.figures.channel)
        if figures.channel != "sms" and each.price is None:
            continue
        after = (
            f", after {' and '.join(figures.before)}" if figures.before else ", with nothing to answer before the first"
        )
        yield (
            f"{word} by strangers",
            f"{figures.by_strangers_per_day} a day to one user, and to one address or number{after}",
        )
        if figures.per_day > figures.by_strangers_per_day:
            yield f"{word} by whoever proved a factor", f"{figures.per_day - figures.by_strangers_per_day} a day more"
        yield (
            f"parts of one {word_for_one(figures.channel)}",
            "not known: it cannot be made here" if each.parts is None else f"{each.parts} at most",
        )
        yield f"cost of {word} a day", _cost(each)
        yield (
            f"{word} to all users",
            "not bounded: a budget for all would be a switch for strangers; set an alarm and the service's limit",
        )


def _cost(cost: MessageCost) -> str:
    by_strangers, whole = cost.of(cost.figures.by_strangers_per_day), cost.of(cost.figures.per_day)
    if cost.price is None:
        return f"not known: give the price of a part, --price {cost.figures.channel}=0.08"
    if by_strangers is None or whole is None:
        return "not known, since its parts are not"
    more = f", {_usd(whole)} with those that a factor allows" if whole > by_strangers else ""
    one = f"for one {word_for_one(cost.figures.channel)} with all of its parts" if cost.price.whole else "a part"
    return f"{_usd(by_strangers)} for one user, and for one address or number, by strangers{more}; {_usd(cost.price.usd)} {one}"


def _usd(value: Decimal) -> str:
    return f"{value:.2f} USD" if not value or value >= Decimal("0.1") else f"{value:f} USD"
