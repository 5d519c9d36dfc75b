"""The resources of the template that every flow has alike: secrets, tables, logs, roles, and who may call a function."""

from __future__ import annotations

from collections.abc import Iterable
from string import punctuation
from typing import Any

from watchword_adapters.ledgers.dynamodb_items import PARTITION_KEY, TTL


def secret(description: str) -> dict[str, Any]:
    """Return a secret whose value is drawn when the stack is made."""
    return {
        "Type": "AWS::SecretsManager::Secret",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "Description": description,
            # 64 letters and digits are base64 too: 48 bytes, of 381 random bits.
            # The signs are excluded in both ways: emulators know one or the other.
            "GenerateSecretString": {
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "ExcludeCharacters": punctuation,
                "IncludeSpace": False,
            },
        },
    }


def ledger_table() -> dict[str, Any]:
    """Return the table of the ledger."""
    return _table(TimeToLiveSpecification={"AttributeName": TTL, "Enabled": True})


def credentials_table() -> dict[str, Any]:
    """Return the table of what users enrolled: it lives for years, nothing in it ends by itself, and it can be restored."""
    return _table(DeletionProtectionEnabled=True, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})


def _table(**more: object) -> dict[str, Any]:
    """Return an encrypted table that stays when the stack goes, with what *more* it has."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            **more,
            "SSESpecification": {"SSEEnabled": True},
        },
    }


def allow(actions: Iterable[str], resource: object) -> dict[str, Any]:
    """Return the statement of a policy that allows *actions* on *resource*."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def role(name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the role of the function *name*, whose policy has *statements*."""
    lambda_alone = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [lambda_alone]},
            "Policies": [
                {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
            ],
        },
    }


def caller(function: str, service: str, source: object) -> dict[str, Any]:
    """Return the permission by which *service* calls *function*, a logical name, for the resource whose ARN is *source*."""
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": [function, "Arn"]},
            "Principal": service,
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": source,
        },
    }


def logs(function: str) -> dict[str, Any]:
    """Return the log of *function*."""
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
        },
    }
