"""Ceremonies that differ in up to two things from what a relying party expects, for comparing what judges them."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from kit.authenticator import BE, BS, UP, UV, Authenticator, new_key
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential
from watchword_plugins.webauthn.public_keys import encoded
from watchword_plugins.webauthn.steps import failures

CHALLENGE, HANDLE = b"c" * 24, b"handle"
KEY, OTHER_KEY = new_key(-7), new_key(-7)
DEVICE = {"key": KEY, "count": 7, "user_handle": HANDLE}
EXPECTED = Expected(
    "example.com",
    ("https://example.com", "https://shop.example.com"),
    (CHALLENGE,),
    algorithms=(-7, -8, -257),
    known=(KnownCredential(b"\x01" * 32, encoded(Authenticator(**DEVICE).public_key), 6, True, True, HANDLE),),
)

DEVIATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another listed origin": ({"origin": "https://shop.example.com"}, {}),
    "a sub-domain": ({"origin": "https://login.example.com"}, {}),
    "another origin": ({"origin": "https://evil.org"}, {}),
    "another rp id": ({"rp_id": "evil.org"}, {}),
    "absent": ({"flags": UV | BE}, {}),
    "not verified": ({"flags": UP | BE}, {}),
    "backed up": ({"flags": UP | UV | BE | BS}, {}),
    "not eligible": ({"flags": UP | UV}, {}),
    "backed up and not eligible": ({"flags": UP | UV | BS}, {}),
    "an equal count": ({"count": 6}, {}),
    "a lower count": ({"count": 1}, {}),
    "no count": ({"count": 0}, {}),
    "no handle": ({"user_handle": None}, {}),
    "a foreign handle": ({"user_handle": b"eve"}, {}),
    "another id": ({"id": b"\x02" * 16}, {}),
    "a long id": ({"id": b"\x02" * 1024}, {}),
    "another key": ({"key": OTHER_KEY}, {}),
    "another type": ({}, {"type": "payment.get"}),
    "another challenge": ({}, {"challenge": "Y2M"}),
    "embedded": ({}, {"crossOrigin": True}),
    "a top origin": ({}, {"topOrigin": "https://evil.org"}),
    "more members": ({}, {"other": {"x": [1]}}),
}
"""How a ceremony may differ from what is expected: the facts of the device, and members of the client data."""

CASES = [set(chosen) for count in (0, 1, 2) for chosen in combinations(DEVIATIONS, count)]


def made_by(deviations: set[str]) -> tuple[Authenticator, dict[str, Any]]:
    """The device and the client data with all *deviations*; flags and the like come from the last."""
    facts, odd = {**DEVICE, "flags": UP | UV | BE}, {}
    for name in DEVIATIONS:
        if name in deviations:
            facts |= DEVIATIONS[name][0]
            odd |= DEVIATIONS[name][1]
    return Authenticator(**facts), odd


def reasons(answer: dict[str, Any], expected: Expected, read: Any) -> set[str]:
    """Why ours refuses."""
    parsed = read(json.dumps(answer))
    assert parsed is not None
    return {step.reason for step in failures(expected, parsed)}
