"""The couriers: what carries a message to a user. Each is loaded when it is first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.couriers.outbox import ConsoleCourier, Outbox
    from watchword_adapters.couriers.ses import SesCourier
    from watchword_adapters.couriers.sms_voice import SmsVoiceCourier
    from watchword_adapters.couriers.smtp import SmtpCourier
    from watchword_adapters.couriers.sns import SnsCourier

__all__ = ["ConsoleCourier", "Outbox", "SesCourier", "SmsVoiceCourier", "SmtpCourier", "SnsCourier"]


def __getattr__(name: str) -> Any:
    # Plain imports rather than importlib: a build that follows imports must see them.
    if name in ("ConsoleCourier", "Outbox"):
        from watchword_adapters.couriers import outbox  # noqa: PLC0415

        return getattr(outbox, name)
    if name == "SesCourier":
        from watchword_adapters.couriers.ses import SesCourier  # noqa: PLC0415

        return SesCourier
    if name == "SmtpCourier":
        from watchword_adapters.couriers.smtp import SmtpCourier  # noqa: PLC0415

        return SmtpCourier
    if name == "SmsVoiceCourier":
        from watchword_adapters.couriers.sms_voice import SmsVoiceCourier  # noqa: PLC0415

        return SmsVoiceCourier
    if name == "SnsCourier":
        from watchword_adapters.couriers.sns import SnsCourier  # noqa: PLC0415

        return SnsCourier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
