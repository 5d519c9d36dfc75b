"""Each limit that the page on the emulator tells is one that it has; where one is gone, the page must say so."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from kit.emulator import emulator, waited
from kit.paths import DOCS, ROOT

boto3 = pytest.importorskip("boto3", reason="pip install boto3")
pytestmark = pytest.mark.exhaustive

PAGE = DOCS / "explanation" / "the-emulator-and-its-limits.md"
PASSWORD = "Correct-horse-9"
HANDLER = """
import json, os, sys

def handler(event, context):
    asked, answer = event["request"], event["response"]
    if event["triggerSource"].startswith("Define"):
        answer["challengeName"] = "CUSTOM_CHALLENGE"
        answer["issueTokens"] = bool(asked["session"]) and asked["session"][-1]["challengeResult"] is True
    elif event["triggerSource"].startswith("Create"):
        if asked["userAttributes"]["email"].startswith("late"):
            raise ValueError("TRY_LATER (ref BCDFGHJK)")
        seen = {"event": event, "python": sys.version_info[:2], "environment": sorted(os.environ)}
        answer["publicChallengeParameters"] = {"seen": json.dumps(seen)}
        answer["privateChallengeParameters"] = {"round": str(len(asked["session"]))}
        answer["challengeMetadata"] = "m"
    else:
        answer["answerCorrect"] = asked["challengeAnswer"] == "yes"
    return event
"""
TRIGGERS = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


class Pool:
    """A user pool of the emulator whose triggers show what they were called with."""

    def __init__(self, client):
        self.client = client
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("triggers.py", HANDLER)
        # A role that is not there: nobody looks at it.
        arn = client("lambda").create_function(
            FunctionName="triggers",
            Runtime="python3.13",
            Handler="triggers.handler",
            Role="arn:aws:iam::000000000000:role/nobody",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]
        self.cognito = client("cognito-idp")
        pool = self.cognito.create_user_pool(PoolName="limits", LambdaConfig=dict.fromkeys(TRIGGERS, arn))
        self.pool_id = pool["UserPool"]["Id"]
        made = self.cognito.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="limits",
            ExplicitAuthFlows=["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            PreventUserExistenceErrors="ENABLED",
        )
        self.client_id = made["UserPoolClient"]["ClientId"]
        for name in ("ann", "bob", "late"):
            attributes = [{"Name": "email", "Value": f"{name}@example.com"}]
            self.cognito.admin_create_user(
                UserPoolId=self.pool_id, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes
            )
            self.cognito.admin_set_user_password(
                UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True
            )

    def begins(self, name="ann", **more):
        parameters = {"USERNAME": name}
        return self.cognito.initiate_auth(
            ClientId=self.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters, **more
        )

    def answers(self, session, text, name="ann"):
        return self.cognito.respond_to_auth_challenge(
            ClientId=self.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=session,
            ChallengeResponses={"USERNAME": name, "ANSWER": text},
        )

    def refused(self, call):
        """Return the code and the text by which a call is refused."""
        with pytest.raises(self.cognito.exceptions.ClientError) as refused:
            call()
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """One pool for all tests of this file."""
    with emulator(tmp_path_factory.mktemp("limits")) as endpoint:
        settings = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        yield Pool(lambda service: boto3.client(service, endpoint_url=endpoint, **settings))


def seen(reply):
    """What Create was called with."""
    return json.loads(reply["ChallengeParameters"]["seen"])


def test_three_answers_and_no_fourth(pool):
    """Cognito knows no such limit; its documentation tells of none, and flows of four rounds run there."""
    session = pool.begins()["Session"]
    pool.answers(session, "no")
    pool.answers(session, "no")
    refused = pool.refused(lambda: pool.answers(session, "no"))
    assert ("NotAuthorizedException", "Max authentication attempts exceeded") == refused


def test_the_session_stays_the_same_and_an_answered_one_works_again(pool):
    """Cognito gives another one with each reply, and takes each once."""
    session = pool.begins()["Session"]
    assert session == pool.answers(session, "no")["Session"]
    assert pool.answers(session, "yes")["AuthenticationResult"]


def test_replies_have_no_username_and_the_one_given_is_not_compared(pool):
    """Cognito adds USERNAME to the parameters, and refuses the session of another user."""
    reply = pool.begins()
    assert ["seen"] == list(reply["ChallengeParameters"])
    assert pool.answers(reply["Session"], "yes", name="bob")["AuthenticationResult"]


def test_somebody_unknown_is_told_so(pool):
    """Although the client hides who exists. `userNotFound` is never true, so no flow is tried with strangers."""
    assert "UserNotFoundException" == pool.refused(lambda: pool.begins("nobody"))[0]
    assert seen(pool.begins())["event"]["request"]["userNotFound"] is False


def test_client_metadata_of_the_first_call_reaches_the_triggers(pool):
    """Cognito hands on none of InitiateAuth; here a flow could lean on it."""
    event = seen(pool.begins(ClientMetadata={"device": "laptop"}))["event"]
    assert {"device": "laptop"} == event["request"]["clientMetadata"]


def test_the_status_of_a_user_is_not_among_the_attributes(pool):
    """Cognito sends `cognito:user_status`."""
    assert "cognito:user_status" not in seen(pool.begins())["event"]["request"]["userAttributes"]


def test_what_a_trigger_raises_has_another_error(pool):
    """Cognito says UserLambdaValidationException; the text is in the message here too."""
    code, message = pool.refused(lambda: pool.begins("late"))
    assert "InvalidLambdaResponseException" == code
    assert "TRY_LATER (ref BCDFGHJK)" in message


def test_functions_run_by_the_emulators_python_in_its_environment(pool):
    """Whatever runtime they name; so no function shows that its zip fits the runtime, or needs no variable of yours."""
    ran = seen(pool.begins())
    config = Path(shutil.which("ministack")).parents[1] / "pyvenv.cfg"
    version = re.search(r"version = (\d+)\.(\d+)", config.read_text())
    assert [int(each) for each in version.groups()] == ran["python"]
    assert "HOME" in ran["environment"]


def test_a_client_may_sign_in_by_what_it_does_not_allow(pool):
    """A client that allows custom authentication alone takes a password here; Cognito refuses."""
    done = pool.cognito.initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )
    assert done["AuthenticationResult"]


def test_mail_is_refused_for_an_unknown_sender_and_for_no_recipient(pool):
    """The sender must be an identity; but there is no sandbox, no bounce and no configuration set."""
    mail = pool.client("sesv2")
    content = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    to = {"ToAddresses": ["bounce@example.net"]}
    with pytest.raises(mail.exceptions.MessageRejected):
        mail.send_email(FromEmailAddress="nobody@example.com", Destination=to, Content=content)
    mail.create_email_identity(EmailIdentity="login@example.com")
    mail.send_email(FromEmailAddress="login@example.com", Destination=to, Content=content)


def test_an_alarm_by_an_expression_is_refused_with_its_stack(pool):
    """The template's alarm on Create's errors is one, so a deployment here goes without a topic."""
    stacks = pool.client("cloudformation")
    query = {"Id": "twice", "Expression": "2 * 1", "ReturnData": True}
    alarm = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1, "Metrics": [query]}
    template = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}}}
    stacks.create_stack(StackName="alarm", TemplateBody=json.dumps(template))

    def ended():
        status = stacks.describe_stacks(StackName="alarm")["Stacks"][0]["StackStatus"]
        return None if status.endswith("IN_PROGRESS") else status

    assert "ROLLBACK_COMPLETE" == waited(ended, "the stack")


def test_the_page_names_the_version_that_is_tried():
    """By which a reader knows whether it is theirs."""
    version = re.search(r"ministack==([\d.]+)", (ROOT / ".ci" / "run").read_text())[1]
    assert f"ministack {version}" in PAGE.read_text(encoding="utf-8")
