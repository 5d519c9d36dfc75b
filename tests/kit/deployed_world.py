# ruff: noqa: N803 - the names of parameters are those of boto3
"""What AWS tells of a deployment: a dict in the shapes of botocore, to be changed, and clients that read it."""

import json
import re

import pytest

exceptions = pytest.importorskip("botocore.exceptions", reason="pip install boto3")

POOL_ID, CLIENT_ID = "us-east-1_Abc123", "4f8k2m9q1r7s3t5v6w0x2y4z8a"
POOL_ARN = f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL_ID}"
ARNS = {each: f"arn:aws:lambda:us-east-1:123456789012:function:{each}" for each in ("define", "create", "verify")}
NAMED = {"define": "DefineAuthChallenge", "create": "CreateAuthChallenge", "verify": "VerifyAuthChallengeResponse"}


def healthy():
    """Return a deployment that has nothing wrong, in the shapes of botocore."""
    settings = {
        "WATCHWORD_ROOT_KEY": "secretsmanager://root",
        "WATCHWORD_KEY": "secretsmanager://acme",
        "WATCHWORD_LEDGER": "dynamodb://ledger?region=us-east-1",
    }
    settings["WATCHWORD_COURIER"] = "ses://?from=login@example.com"
    return {
        "pool": {
            "Id": POOL_ID,
            "Name": "acme",
            "Arn": POOL_ARN,
            "Policies": {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 3}},
            "DeletionProtection": "ACTIVE",
            "LambdaConfig": {"PreSignUp": "arn:aws:lambda:us-east-1:123456789012:function:sign-up"}
            | {NAMED[each]: arn for each, arn in ARNS.items()},
            "SchemaAttributes": [{"Name": "email"}, {"Name": "custom:tier"}],
            "AutoVerifiedAttributes": ["email"],
            "EmailVerificationSubject": "Hello 'you'",
            "MfaConfiguration": "OFF",
            "EstimatedNumberOfUsers": 7,
            "EmailConfiguration": {
                "EmailSendingAccount": "DEVELOPER",
                "SourceArn": "arn:aws:ses:us-east-1:1:identity/a.b",
            },
            "UserPoolTags": {"team": "accounts"},
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 3},
            "UsernameConfiguration": {"CaseSensitive": False},
            "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]},
            "UserPoolTier": "ESSENTIALS",
        },
        "client": {
            "UserPoolId": POOL_ID,
            "ClientId": CLIENT_ID,
            "ClientName": "web",
            "RefreshTokenValidity": 30,
            "TokenValidityUnits": {"RefreshToken": "days"},
            "ReadAttributes": ["email", "custom:tier"],
            "WriteAttributes": ["email"],
            "ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": True,
            "AuthSessionValidity": 5,
        },
        "mfa": {"MfaConfiguration": "OFF"},
        "others": {},
        "functions": {
            each: {
                "FunctionName": each,
                "FunctionArn": arn,
                "Handler": f"{each}.{each}",
                "Timeout": 5,
                "MemorySize": 128 if each == "define" else 512,
                "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/acme/{each}"},
                "CodeSize": 4_000 if each == "define" else 900_000,
                **({} if each == "define" else {"Environment": {"Variables": dict(settings)}}),
            }
            for each, arn in ARNS.items()
        },
        "policies": {
            each: [
                {
                    "Sid": "cognito",
                    "Effect": "Allow",
                    "Principal": {"Service": "cognito-idp.amazonaws.com"},
                    "Action": "lambda:InvokeFunction",
                    "Resource": arn,
                    "Condition": {
                        "StringEquals": {"AWS:SourceAccount": "123456789012"},
                        "ArnLike": {"AWS:SourceArn": POOL_ARN},
                    },
                }
            ]
            for each, arn in ARNS.items()
        },
        "retention": {f"/acme/{each}": 30 for each in ARNS},
        "table": {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]},
        "ttl": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"},
    }


def failed(code, operation="Describe"):
    """Return botocore's error for *code*."""
    return exceptions.ClientError({"Error": {"Code": code, "Message": "canary"}, "ResponseMetadata": {}}, operation)


class Aws:
    """boto3's clients over *world*: the methods that the doctor may call, and no other; *denied* operations fail."""

    def __init__(self, world, denied=()):
        self.world, self.denied, self.calls = world, dict(denied), []

    def __call__(self, service):
        return Client(self, service)


class Client:
    """One client: what is not a reading call is not there."""

    def __init__(self, aws, service):
        self._aws, self._service = aws, service

    def __getattr__(self, name):
        assert re.match(r"describe_|get_|list_", name), f"{name} may change something"
        answer = getattr(type(self), f"answer_{name}")

        def call(**parameters):
            self._aws.calls.append(f"{self._service}.{name}")
            if name in self._aws.denied:
                raise self._aws.denied[name]
            return {**answer(self, self._aws.world, **parameters), "ResponseMetadata": {"HTTPStatusCode": 200}}

        return call

    def answer_describe_user_pool(self, world, UserPoolId):
        return {"UserPool": world["pool"]}

    def answer_describe_user_pool_client(self, world, UserPoolId, ClientId):
        return {"UserPoolClient": world["client"] if ClientId == CLIENT_ID else world["others"][ClientId]}

    def answer_get_user_pool_mfa_config(self, world, UserPoolId):
        return world["mfa"]

    def answer_list_user_pool_clients(self, world, UserPoolId, MaxResults, NextToken=None):
        listed = [[CLIENT_ID], *([name] for name in world["others"])]
        place = int(NextToken or 0)
        more = {"NextToken": str(place + 1)} if place + 1 < len(listed) else {}
        return {"UserPoolClients": [{"ClientId": each, "UserPoolId": UserPoolId} for each in listed[place]], **more}

    def answer_get_function_configuration(self, world, FunctionName):
        if FunctionName.rpartition(":")[2] not in world["functions"]:
            raise failed("ResourceNotFoundException", "GetFunctionConfiguration")
        return world["functions"][FunctionName.rpartition(":")[2]]

    def answer_get_policy(self, world, FunctionName):
        statements = world["policies"][FunctionName.rpartition(":")[2]]
        if statements is None:
            raise failed("ResourceNotFoundException", "GetPolicy")
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}

    def answer_describe_log_groups(self, world, logGroupNamePrefix):
        days = world["retention"][logGroupNamePrefix]
        longer = {"logGroupName": logGroupNamePrefix + "-else", "retentionInDays": 1}
        return {
            "logGroups": [longer, {"logGroupName": logGroupNamePrefix, **({"retentionInDays": days} if days else {})}]
        }

    def answer_describe_table(self, world, TableName):
        if world["table"] is None:
            raise failed("ResourceNotFoundException", "DescribeTable")
        return {"Table": world["table"]}

    def answer_describe_time_to_live(self, world, TableName):
        return {"TimeToLiveDescription": world["ttl"]}
