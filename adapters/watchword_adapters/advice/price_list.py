"""Prices, each with its date and its source: one table. None is from a bill."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import frozen

from watchword_adapters.advice.native_facts import Tier

PRICES_AS_OF = "2026-11-28"
"""The day on which the list prices were gathered, from third parties' copies: us-east-1, in US dollars."""

BOUND = 100_000
"""So many users have the price that the list says. For more it may be lower than here."""
_MILLION = 1_000_000


@frozen
class UserPrice:
    """What Cognito charges a month for each active user: *free* are the first ones; *steps* are prices, each up to a number.

    The last step has no end. Cognito's own list falls further: there the price is an upper bound.
    """

    free: int
    steps: tuple[tuple[int | None, Decimal], ...]

    def of(self, users: int) -> Decimal:
        """Return the price of *users* in a month."""
        total, begin = Decimal(0), self.free
        for end, price in self.steps:
            here = users if end is None else min(users, end)
            total += max(0, here - begin) * price
            begin = max(begin, here)
        return total


USER_PRICES: Final[Mapping[Tier, UserPrice]] = {
    "Lite": UserPrice(10_000, ((BOUND, Decimal("0.0055")), (None, Decimal("0.0046")))),
    "Essentials": UserPrice(10_000, ((None, Decimal("0.015")),)),
    "Plus": UserPrice(0, ((None, Decimal("0.020")),)),
}


@frozen
class Price:
    """A price: *dollars* for so many *per*, with its *source*."""

    dollars: Decimal
    per: int
    source: str

    def of(self, count: Decimal) -> Decimal:
        """Return the price of *count*."""
        return self.dollars * count / self.per


_COPIES = "a third party's copy of the price list, 2026"
_END_OF_2024 = "the price list of the end of 2024"

MAIL = Price(Decimal("0.10"), 1_000, f"SES, one mail: {_COPIES}")
CALL = Price(Decimal("0.20"), _MILLION, f"Lambda, one call: {_COPIES}")
GIGABYTE_SECOND = Price(Decimal("0.0000166667"), 1, f"Lambda, one GB-second: {_COPIES}")
READ_UNIT = Price(Decimal("0.125"), _MILLION, f"DynamoDB, one read unit: {_END_OF_2024}")
WRITE_UNIT = Price(Decimal("0.625"), _MILLION, f"DynamoDB, one write unit: {_END_OF_2024}")
LOGGED_BYTE = Price(Decimal("0.50"), 1_000_000_000, f"CloudWatch Logs, one byte: {_COPIES}")
SECRET = Price(Decimal("0.40"), 1, f"Secrets Manager, one secret a month: {_COPIES}")
FETCH = Price(Decimal("0.05"), 10_000, f"Secrets Manager, one fetch: {_COPIES}")
ALARM_METRIC = Price(Decimal("0.10"), 1, f"CloudWatch, one metric of an alarm a month: {_COPIES}")
OWN_METRIC = Price(Decimal("0.30"), 1, f"CloudWatch, one metric of its own a month: {_COPIES}")
