"""Define, written by hand in three branches: right answers to so many challenges, with two wrong ones in all."""


def handler(event, context, steps=1):
    request = event["request"]
    session = request.get("session") or []
    ours = all(entry["challengeName"] == "CUSTOM_CHALLENGE" for entry in session)
    right = sum(entry["challengeResult"] is True for entry in session)
    if not ours or len(session) - right > 2:
        event["response"] = {"issueTokens": False, "failAuthentication": True}
    elif right >= steps and not request.get("userNotFound"):
        event["response"] = {"issueTokens": True, "failAuthentication": False}
    else:
        event["response"] = {
            "challengeName": "CUSTOM_CHALLENGE",
            "issueTokens": False,
            "failAuthentication": False,
        }
    return event
