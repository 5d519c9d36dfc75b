"""Define over Powertools' event class, otherwise as by hand."""

from aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event import DefineAuthChallengeTriggerEvent


def handler(event, context):
    trigger = DefineAuthChallengeTriggerEvent(event)
    session = trigger.request.session or []
    ours = all(entry.challenge_name == "CUSTOM_CHALLENGE" for entry in session)
    right = sum(entry.challenge_result is True for entry in session)
    if not ours or len(session) - right > 2:
        trigger.response.issue_tokens, trigger.response.fail_authentication = False, True
    elif right and not trigger.request.user_not_found:
        trigger.response.issue_tokens, trigger.response.fail_authentication = True, False
    else:
        trigger.response.challenge_name = "CUSTOM_CHALLENGE"
        trigger.response.issue_tokens, trigger.response.fail_authentication = False, False
    return trigger.raw_event
