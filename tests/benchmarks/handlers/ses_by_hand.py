"""Create with a code by Amazon SES, written by hand with boto3; its client is made in the initialisation phase."""

import boto3
from mail_by_hand import challenge

CLIENT = boto3.client("sesv2")


def handler(event, context):
    address = event["request"]["userAttributes"]["email"]
    code, public, private = challenge(address)
    CLIENT.send_email(
        FromEmailAddress="noreply@example.com",
        Destination={"ToAddresses": [address]},
        Content={"Simple": {"Subject": {"Data": "Your code"}, "Body": {"Text": {"Data": f"Your code is {code}."}}}},
    )
    event["response"] = {
        "publicChallengeParameters": public,
        "privateChallengeParameters": private,
        "challengeMetadata": "EMAIL_CODE",
    }
    return event
