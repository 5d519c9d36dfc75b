"""What users have at hand who enrol for one of our kinds: an app, a sheet of codes, a device with a passkey."""

import json
from collections.abc import Callable

import pyotp

from kit.authenticator import Authenticator, decode, standard_form

Answers = Callable[[dict[str, str], float], str]
"""Gives the answer to what a challenge shows, at a time."""


def enrolling(kind: str, shown: dict[str, str], now: float, number: int) -> tuple[str, Answers]:
    """Return what completes the enrolment that shows *shown*, and what answers challenges afterwards."""
    if kind == "totp":
        code = pyotp.TOTP(shown["secret"]).at
        return code(int(now)), lambda _, at: code(int(at))
    if kind == "recovery_codes":
        codes = iter(shown["codes"].split())
        return next(codes), lambda _, at: next(codes)
    asked = json.loads(shown["options"])
    device = Authenticator(id=number.to_bytes(32), user_handle=decode(asked["user"]["id"]))

    def use(public: dict[str, str], _: float) -> str:
        device.count += 1
        return json.dumps(standard_form(device.use(decode(json.loads(public["options"])["challenge"]))))

    return json.dumps(standard_form(device.register(decode(asked["challenge"])))), use
