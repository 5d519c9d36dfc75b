"""An emulated cloud: builds and deploys flows there, and calls what was deployed."""

import json
import re
import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from kit.emulator import mails, waited
from watchword import load_flow
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS
from watchword_adapters.deploy.target import Target, this_python

boto3 = pytest.importorskip("boto3", reason="pip install boto3")

REGION = "us-east-1"
PASSWORD = "Correct-horse-9"


class Cloud:
    """The emulator: clients, stacks, and the mailbox."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def client(self, service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self, flow, folder, shelf, stack=None, **settings):
        """Build the flow in the file *flow*, deploy it; return the stack's outputs.

        The *stack* has the flow's name unless it is given another; a cloud has one of each name. *settings* are those of the order.
        """
        target = Target("x86_64", this_python())
        build(BuildOrder(str(flow), target, wheels=shelf, **settings)).write(folder)
        asked = {name: settings.get(name, False) for name in ("credentials_api", "pre_token")}
        made = Template(load_flow(flow), dist=folder, **asked)
        storage, stacks = self.client("s3"), self.client("cloudformation")
        storage.create_bucket(Bucket=folder.name)
        for function, key in made.uploads.items():
            storage.upload_file(str(folder / f"{function}.zip"), folder.name, key)
        with suppress(Exception):  # it is there from the stack before
            self.client("sesv2").create_email_identity(EmailIdentity="login+codes@example.com")
        stack = stack or flow.stem.replace("_", "-")
        stacks.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(made.document()),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": "CodeBucket", "ParameterValue": folder.name},
                {"ParameterKey": "Sender", "ParameterValue": "login+codes@example.com"},
            ],
        )

        def done():
            told = stacks.describe_stacks(StackName=stack)["Stacks"][0]
            return None if told["StackStatus"].endswith("IN_PROGRESS") else told

        told = waited(done, f"the stack {stack}")
        assert "CREATE_COMPLETE" == told["StackStatus"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]}
        cognito = self.client("cognito-idp")
        pool = outputs["UserPoolId"]
        cognito.admin_create_user(
            UserPoolId=pool,
            Username="ann@example.com",
            UserAttributes=[
                {"Name": "email", "Value": "ann@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
            MessageAction="SUPPRESS",
        )
        cognito.admin_set_user_password(UserPoolId=pool, Username="ann@example.com", Password=PASSWORD, Permanent=True)
        return outputs

    def signs_tokens(self, outputs):
        """Say whether the pool signs its tokens: the emulator does so only where it finds `cryptography` in its environment."""
        with urllib.request.urlopen(f"{self.endpoint}/{outputs['UserPoolId']}/.well-known/jwks.json") as reply:
            return "ministack-key-1" not in reply.read().decode()

    def asks(self, url, method, token, body=None):
        """Call the HTTP API at *url*, one of a stack's outputs and a path; return the status and what the body says."""
        address = urlsplit(url)
        api = address.netloc.partition(".")[0]
        base = f"{address.path}?{address.query}"
        request = urllib.request.Request(
            f"{self.endpoint}/_aws/execute-api/{api}/$default{base}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def code(self, digits):
        """Return the code of the last mail."""
        return re.findall(rf">(\d{{{digits}}})<", json.dumps(mails(self.endpoint)))[-1]

    def link(self, address):
        """Return the link to *address* in the last mail."""
        return re.findall(rf"{re.escape(address)}#[\w.-]+", json.dumps(mails(self.endpoint)))[-1]

    def events(self, stack):
        """Return the names of the audit events in the logs of the three functions of *stack*."""
        logs = self.client("logs")
        groups = [f"/aws/lambda/{stack}-{trigger}" for trigger in POOL_TRIGGERS]
        lines = [each["message"] for group in groups for each in logs.filter_log_events(logGroupName=group)["events"]]
        return re.findall(r'{"event": "(\w+)"', "\n".join(lines))


def answer(cognito, outputs, asked, text, **metadata):
    """Answer a challenge; *metadata* is what the client says beside the answer."""
    return cognito.respond_to_auth_challenge(
        ClientId=outputs["ClientId"],
        ChallengeName="CUSTOM_CHALLENGE",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann@example.com", "ANSWER": text},
        ClientMetadata=metadata,
    )
