"""The resources of the template that every flow has alike: secrets, the ledger's table, logs."""

from __future__ import annotations

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
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
            "SSESpecification": {"SSEEnabled": True},
        },
    }


def logs(trigger: str) -> dict[str, Any]:
    """Return the log of the function of *trigger*."""
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{trigger}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
        },
    }
