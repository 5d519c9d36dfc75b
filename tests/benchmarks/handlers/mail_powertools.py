"""Create with a code by mail over Powertools' event class, otherwise as by hand."""

from aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event import CreateAuthChallengeTriggerEvent
from mail_by_hand import OUTBOX, challenge


def handler(event, context):
    trigger = CreateAuthChallengeTriggerEvent(event)
    address = trigger.request.user_attributes["email"]
    code, public, private = challenge(address)
    OUTBOX.append((address, "Your code", f"Your code is {code}."))
    trigger.response.public_challenge_parameters = public
    trigger.response.private_challenge_parameters = private
    trigger.response.challenge_metadata = "EMAIL_CODE"
    return trigger.raw_event
