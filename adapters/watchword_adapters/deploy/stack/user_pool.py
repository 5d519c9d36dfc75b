"""The user pool of a template and its app client: custom authentication, and no way round it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchword_adapters.deploy.manifest import PRE_TOKEN

_Json = dict[str, Any]

POOL_TRIGGERS: Mapping[str, str] = {
    "define": "DefineAuthChallenge",
    "create": "CreateAuthChallenge",
    "verify": "VerifyAuthChallengeResponse",
}
"""The functions that a pool calls in each sign-in, and the names that it has for them."""
CALLED: Mapping[str, str] = {**POOL_TRIGGERS, PRE_TOKEN: "PreTokenGeneration"}
"""Every function of ours that a pool may call."""
TOLD = "PreTokenGenerationConfig"
"""The setting of a pool that names the function of Pre Token Generation, and the version of its event; older ones have the name alone."""
FLOWS = ("ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
"""What an app client allows."""


def user_pool(recovery: str, attributes: Sequence[str], *, pre_token: bool = False) -> _Json:
    """Return the pool: passwords are recovered by *recovery*, and users have the custom ones of *attributes*.

    With *pre_token* both tokens tell what was passed, which takes the second version of the trigger's event.
    """
    properties: _Json = {
        "UserPoolName": {"Fn::Sub": "${AWS::StackName}"},
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "AutoVerifiedAttributes": ["email"],
        # A changed address counts once its owner has shown a code from there: until then codes go to the old one.
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": recovery, "Priority": 1}]},
        "MfaConfiguration": "OFF",
        "DeletionProtection": "ACTIVE",
        "Policies": {"PasswordPolicy": {"MinimumLength": 12}},
        "LambdaConfig": {
            named: {"Fn::GetAtt": [f"{trigger.capitalize()}Function", "Arn"]}
            for trigger, named in POOL_TRIGGERS.items()
        },
    }
    if pre_token:
        told = {"LambdaArn": {"Fn::GetAtt": ["PreTokenFunction", "Arn"]}, "LambdaVersion": "V2_0"}
        properties["LambdaConfig"][TOLD] = told
    own = [name.removeprefix("custom:") for name in attributes if name.startswith("custom:")]
    if own:
        properties["Schema"] = [{"Name": name, "AttributeDataType": "String", "Mutable": True} for name in own]
    return {
        "Type": "AWS::Cognito::UserPool",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }


def user_pool_client(minutes: int, written: Sequence[str]) -> _Json:
    """Return the app client, whose sessions last *minutes*, and which may write the attributes *written*."""
    properties: _Json = {
        "UserPoolId": {"Ref": "UserPool"},
        "ClientName": "watchword",
        "GenerateSecret": False,
        "ExplicitAuthFlows": list(FLOWS),
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
        "AuthSessionValidity": minutes,
        "WriteAttributes": list(written),
    }
    return {"Type": "AWS::Cognito::UserPoolClient", "Properties": properties}
