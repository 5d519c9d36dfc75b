"""Create with a code by mail, written by hand as guides do it: the code stands in the private parameters."""

import secrets

OUTBOX = []


def challenge(address):
    code = f"{secrets.randbelow(10**8):08d}"
    name, _, domain = address.partition("@")
    return code, {"destination": f"{name[0]}***@{domain[0]}***"}, {"answer": code}


def handler(event, context):
    address = event["request"]["userAttributes"]["email"]
    code, public, private = challenge(address)
    OUTBOX.append((address, "Your code", f"Your code is {code}."))
    event["response"] = {
        "publicChallengeParameters": public,
        "privateChallengeParameters": private,
        "challengeMetadata": "EMAIL_CODE",
    }
    return event
