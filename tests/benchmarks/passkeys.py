"""What passkeys cost Verify: from the start of a process to the first verdict, and one verdict after the other."""

import json
import os
import sys
from pathlib import Path

from cold_start import BARE, CPU, PEAK, UNITS, spent
from rounds import Measured, alternate, microseconds_each
from scoreboard import Row, options, show

sys.path.insert(0, str(Path(__file__).parents[1]))

from kit.authenticator import standard_form
from kit.w3c_vectors import VECTORS, assertion_of, expected_by, known_from

PEER, OURS = "py_webauthn", "Watchword"
EACH, MICROSECONDS = "us", "µs"
TARGET = "≤ 1x"
JUDGED = ("none-es256", "packed-rs256", "packed-eddsa")

FIRST = """
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential, read_assertion
from watchword_plugins.webauthn.steps import failures
import watchword_plugins.passkey
expected = {expected!r}
assert not [*failures(expected, read_assertion({text!r}))]
"""
PEERS_FIRST = """
from webauthn import verify_authentication_response
assert verify_authentication_response(**{given!r})
"""


def given_to_peer(name: str) -> dict[str, object]:
    """Return what py_webauthn is called with for the vector *name*."""
    vector = VECTORS[name]
    expected, known = expected_by(vector["auth"]), known_from(vector)
    return {
        "credential": json.dumps(standard_form(assertion_of(vector))),
        "expected_challenge": expected.challenges[0],
        "expected_rp_id": expected.rp_id,
        "expected_origin": list(expected.origins),
        "credential_public_key": known.public_key,
        "credential_current_sign_count": known.sign_count,
    }


def cold_variants() -> dict[str, str]:
    """Return the program of each cold start."""
    vector = VECTORS[JUDGED[0]]
    expected = expected_by(vector["auth"], known=(known_from(vector),))
    # The user handle is no part of what an attrs class shows of itself; nobody's is asked for.
    return {
        BARE: "pass",
        "email_otp, loaded": "import watchword_plugins.email_otp",
        "passkey, loaded": "import watchword_plugins.passkey",
        f"first verdict, {OURS}": FIRST.format(expected=expected, text=json.dumps(assertion_of(vector))),
        f"first verdict, {PEER}": PEERS_FIRST.format(given=given_to_peer(JUDGED[0])),
    }


def warm_variants() -> dict[str, object]:
    """Return what makes one verdict, by variant."""
    from webauthn import verify_authentication_response

    from watchword_plugins.webauthn.ceremonies import read_assertion
    from watchword_plugins.webauthn.steps import failures

    made = {}
    for name in JUDGED:
        vector = VECTORS[name]
        expected, text = expected_by(vector["auth"], known=(known_from(vector),)), json.dumps(assertion_of(vector))
        given = given_to_peer(name)
        made[f"{name}, {OURS}"] = lambda expected=expected, text=text: [*failures(expected, read_assertion(text))]
        made[f"{name}, {PEER}"] = lambda given=given: verify_authentication_response(**given)
    return made


def rows(cold: Measured, warm: Measured) -> list[Row]:
    """Return the figures: each cold start, and each verdict of ours against the peer's."""
    peer = f"first verdict, {PEER}"
    table = []
    for name in cold.samples:
        for quantity in (CPU, PEAK):
            ratio = cold.ratio(name, peer, quantity) if name.endswith(OURS) else None
            against, target = (peer, TARGET) if ratio is not None else ("", "")
            table.append(
                Row(f"{name}, {quantity}", cold.median(name, quantity), UNITS[quantity], ratio, against, target)
            )
    for name in JUDGED:
        ours, theirs = f"{name}, {OURS}", f"{name}, {PEER}"
        table.append(Row(theirs, warm.median(theirs, EACH), MICROSECONDS))
        table.append(Row(ours, warm.median(ours, EACH), MICROSECONDS, warm.ratio(ours, theirs, EACH), theirs))
    return table


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    cold_runs = {name: lambda source=source: spent(source, environment) for name, source in cold_variants().items()}
    cold = alternate(cold_runs, asked.rounds, warm_up=not asked.quick)
    count = 2 if asked.quick else 200
    warm_runs = {name: microseconds_each(work, count) for name, work in warm_variants().items()}
    warm = alternate(warm_runs, asked.rounds, warm_up=not asked.quick)
    show("passkeys", rows(cold, warm), as_json=asked.json)


if __name__ == "__main__":
    main()
