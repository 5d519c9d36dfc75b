"""The three triggers by hand, with a code that is always the same: what is measured is the pool around them."""

CODE = "271828"


def define(event, context):
    rounds = [entry["challengeResult"] for entry in event["request"].get("session") or []]
    event["response"] = {
        "challengeName": "CUSTOM_CHALLENGE",
        "issueTokens": True in rounds,
        "failAuthentication": True not in rounds and len(rounds) >= 3,
    }
    return event


def create(event, context):
    event["response"] = {
        "publicChallengeParameters": {"kind": "code"},
        "privateChallengeParameters": {"answer": CODE},
        "challengeMetadata": "code",
    }
    return event


def verify(event, context):
    request = event["request"]
    event["response"] = {"answerCorrect": request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]}
    return event
