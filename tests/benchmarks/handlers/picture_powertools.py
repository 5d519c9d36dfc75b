"""Create with a picture over Powertools' event class, otherwise as by hand."""

from aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event import CreateAuthChallengeTriggerEvent
from picture_by_hand import challenge


def handler(event, context):
    trigger = CreateAuthChallengeTriggerEvent(event)
    public, private = challenge()
    trigger.response.public_challenge_parameters = public
    trigger.response.private_challenge_parameters = private
    trigger.response.challenge_metadata = "CAPTCHA"
    return trigger.raw_event
