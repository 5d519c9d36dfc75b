"""The advice on a flow: what native sign-in could do of it, what only custom authentication can, and what each costs."""

from __future__ import annotations

import attrs
from attrs import frozen

from watchword.algebra.flow import Flow
from watchword_adapters.advice.monthly_cost import Month, Usage, custom_month, native_month
from watchword_adapters.advice.native_facts import (
    FACTOR_CHOICE,
    MFA_CHOICE,
    ONLY_CUSTOM_TOKENS,
    ONLY_NATIVE,
    PASSKEY_FOR_BOTH,
    PASSWORD,
    Tier,
)
from watchword_adapters.advice.native_reach import NativeReach, NativeStep, NativeWay, reach_into
from watchword_adapters.advice.pool_gap import PoolGap, gap_of
from watchword_adapters.advice.price_list import BOUND, PRICES_AS_OF
from watchword_adapters.deploy.reading.deployment import Deployment


@frozen
class Advice:
    """What to know before the decision: *flow*, how far native sign-in has *reach*, a month of each for *usage*, and the *pool* if one was read."""

    flow: Flow
    usage: Usage
    reach: NativeReach
    native: Month | None
    custom: Month
    pool: PoolGap | None = None

    @property
    def native_words(self) -> tuple[str, ...]:
        """What native sign-in could do, each way in a sentence."""
        return tuple(map(_way_words, self.reach.ways)) + _choice_words(self.reach.ways)

    @property
    def only_custom(self) -> tuple[str, ...]:
        """What only custom authentication can: steps and rules of the flow first, then its settings, then what its tokens tell."""
        told = (ONLY_CUSTOM_TOKENS,) if self.usage.pre_token else ()
        return self.reach.lacking + self.reach.settings + told

    @property
    def summary(self) -> str:
        """What the reading comes to, in a sentence or two."""
        match self.reach.covers:
            case "nothing":
                return "Native sign-in can do nothing of this flow: only custom authentication can."
            case "part":
                return (
                    "Native sign-in can do a part of this flow, not all of it: choose custom authentication, or give up "
                    "what it lacks."
                )
            case "all":
                return (
                    "Native sign-in can do every step of this flow, by Cognito's own settings: choose it if you can do without "
                    "yours, or want managed login."
                )

    @property
    def difference(self) -> str:
        """Which of the two is cheaper, in a sentence; empty if native sign-in has no price."""
        if self.native is None:
            return ""
        less = self.native.total - self.custom.total
        what = "what native sign-in can do" if self.reach.covers == "part" else "native sign-in"
        month = "A month" if self.custom.complete and self.native.complete else "Without what has no price, a month"
        how = f"costs {abs(less):,.2f} dollars {'less' if less > 0 else 'more'} than" if less else "costs as much as"
        return f"{month} on custom authentication {how} {what}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the figures, each in a sentence."""
        notes: list[str] = []
        if not self.custom.complete:
            texts = "sms" in self.custom.lines and self.usage.sms is None
            notes.append(f"The total leaves out what has no price{': give --sms-price for texts' if texts else ''}.")
        if self.reach.covers == "part":
            notes.append("The price of native sign-in is that of the part which it can do.")
        if self.usage.users > BOUND:
            notes.append(f"Beyond {BOUND:,} users these prices are upper bounds: Cognito's list falls further.")
        if self.custom.tier != "Lite":
            notes.append(f"Both are reckoned on {self.custom.tier} at least: --tier lite says what Lite would cost.")
        elif self.pool is None:
            notes.append("A new pool is on Essentials: for the price of Lite, set its UserPoolTier to LITE.")
        if self.usage.pre_token:
            notes.append("The trigger pre_token is called at each refresh too, which is not reckoned.")
            if self.custom.tier == "Lite":
                notes.append("On Lite ID tokens alone tell what was passed: access tokens do from Essentials on.")
        return tuple(notes)


def advise(flow: Flow, usage: Usage, tier: Tier | None = None, pool: Deployment | None = None) -> Advice:
    """Return the advice on *flow* for *usage*.

    The pool needs *tier* at least, whatever signs users in. If that is None, it stays on the tier of *pool*; without one it is
    as cheap as it can be.
    """
    reach = reach_into(flow)
    gap = None if pool is None else gap_of(pool, reach)
    least: Tier = tier or ("Lite" if gap is None else gap.tier)
    return Advice(flow, usage, reach, native_month(flow, reach, usage, least), custom_month(flow, usage, least), gap)


def advice_as_json(advice: Advice) -> dict[str, object]:
    """Return *advice* for `json.dumps`."""
    usage = advice.usage
    return {
        "flow": advice.flow.name,
        "covers": advice.reach.covers,
        "native": list(advice.native_words),
        "only_custom": list(advice.only_custom),
        "only_native": list(ONLY_NATIVE),
        "ways": [
            {
                "steps": [each.step for each in way.steps],
                "challenges": [each.challenge.name for each in way.steps],
                "tier": way.tier,
                "whole": way.whole,
            }
            for way in advice.reach.ways
        ],
        "tier": advice.reach.tier,
        "prices_as_of": PRICES_AS_OF,
        "monthly": {
            "currency": "USD",
            "users": usage.users,
            "sign_ins_per_user": float(usage.sign_ins),
            "messages_per_step": float(usage.messages),
            "pre_token": usage.pre_token,
            "native": None if advice.native is None else _month_as_json(advice.native),
            "custom": _month_as_json(advice.custom),
        },
        "pool": None if advice.pool is None else attrs.asdict(advice.pool),
        "notes": list(advice.notes),
        "advice": f"{advice.summary} {advice.difference}".strip(),
    }


def _month_as_json(month: Month) -> dict[str, object]:
    lines = {what: None if cost is None else float(cost) for what, cost in month.lines.items()}
    return {"tier": month.tier, **lines, "total": float(month.total), "complete": month.complete}


def _way_words(way: NativeWay) -> str:
    names = ", ".join(each.step for each in way.steps)
    done = ", then ".join(map(_step_words, way.steps))
    rest = "" if way.whole else ", and nothing else of that way"
    return f"{names}: {done}{rest} (from {way.tier})"


def _step_words(step: NativeStep) -> str:
    return f"{step.challenge.words} ({step.challenge.name})"


def _choice_words(ways: tuple[NativeWay, ...]) -> tuple[str, ...]:
    """Return what to say of the choices between *ways*."""
    words: list[str] = []
    firsts = {way.steps[0].challenge for way in ways}
    if len(firsts) > 1:
        words.append(
            f"the choice between them: {FACTOR_CHOICE.words} ({FACTOR_CHOICE.name}, from {FACTOR_CHOICE.tier})"
        )
    seconds = {way.steps[1].challenge for way in ways if len(way.steps) > 1 and way.steps[0].challenge == PASSWORD}
    if len(seconds) > 1:
        words.append(
            f"the second factor: {MFA_CHOICE.words}, where several are set up ({MFA_CHOICE.name}, from {MFA_CHOICE.tier})"
        )
    if any(len(way.steps) > 1 for way in ways) and any(way.is_passkey for way in ways):
        words.append(
            f"a passkey in place of both: by FactorConfiguration {PASSKEY_FOR_BOTH}, for users who have a second factor too"
        )
    return tuple(words)
