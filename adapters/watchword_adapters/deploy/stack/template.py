"""The CloudFormation template of a flow: three functions, what each may do, the ledger's table, the keys, and the pool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from watchword.algebra.flow import Flow, enrols_in_a_step
from watchword.analysis.assurance import recovery_channels
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.deploy.stack.alarms import ALARMED, alarms
from watchword_adapters.deploy.stack.pool_needs import (
    CUSTOM_ATTRIBUTE,
    LONGEST_SESSION,
    attributes_read,
    session_minutes,
    write_attributes,
)
from watchword_adapters.deploy.stack.resources import ledger_table, logs, secret
from watchword_adapters.deploy.stack.sending import Sending, sending
from watchword_adapters.deploy.stack.sending import statements as allowed
from watchword_adapters.deploy.target import Target, default_python
from watchword_adapters.deploy.zips import Zips, flow_sends, zips_of

POOL_TRIGGERS: Mapping[str, str] = {
    "define": "DefineAuthChallenge",
    "create": "CreateAuthChallenge",
    "verify": "VerifyAuthChallengeResponse",
}
"""The functions, and the names that a pool has for them."""

TIMEOUT = 5
"""Seconds: Cognito waits for no more."""
# Processor time comes with memory. boto3's clients take 4 s with 128 MB, under 1 s with 512.
MEMORY = {"define": 128, "create": 1024, "verify": 512}
FLOWS = ("ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
LEDGER_ACTIONS = ("BatchGetItem", "GetItem", "PutItem", "UpdateItem")
ROOT_KEY, ROTATING_KEY = "Key", "RotatingKey"
"""The secrets, by their names in the template."""
_FINGERPRINT = re.compile(r" of the flow .* \(([0-9a-f]{16})\)\Z", re.DOTALL)

_Json = dict[str, Any]


@frozen
class Template:
    """What the template is for.

    Attributes:
        flow: the flow.
        target: what the functions run on. With *dist* the zips say so: leave it out, or they must say the same.
        dist: the folder of the built zips; the template then names each by its content, so that a stack which is updated
            takes the new ones. None for names that are given when it is deployed.
        existing_pool: whether the pool is there already.
        courier: the courier's URL; empty if parameters of the template make it.
        attributes: custom attributes that the pool has, beside those that the flow decides by.
        registry: finds the courier, and the kinds of flows of before.
    """

    flow: Flow
    target: Target | None = None
    dist: Path | None = None
    existing_pool: bool = False
    courier: str = ""
    attributes: tuple[str, ...] = ()
    registry: Registry = field(factory=Registry, eq=False, repr=False)
    _zips: Zips | None = field(init=False, default=None)
    _sending: Sending | None = field(init=False, default=None)
    _target: Target = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Read the zips.

        Raises:
            ConfigurationError: if they do not fit together, or to the flow, the target or the courier.
        """
        zips = None if self.dist is None else zips_of(self.dist, self.flow)
        made = None
        # A flow of before may send although this one does not: its sign-ins are still under way.
        if flow_sends(self.flow) or enrols_in_a_step((self.flow,)) if zips is None else zips.couriers:
            made = sending(self.courier, zips, self.registry)
        elif self.courier:
            raise ConfigurationError(
                "a courier is given, and no kind of the flow sends and no step enrols: leave --courier out"
            )
        for name in self.attributes:
            if not CUSTOM_ATTRIBUTE.fullmatch(name):
                raise ConfigurationError(f"{name[:40]!r} is no custom attribute: write it as custom:tier")
        for name, value in (("zips", zips), ("sending", made), ("target", _target(self.target, zips))):
            object.__setattr__(self, f"_{name}", value)

    @property
    def uploads(self) -> Mapping[str, str]:
        """The names of the zips in S3, by trigger; none without *dist*."""
        return {} if self._zips is None else self._zips.names

    @property
    def runtime(self) -> str:
        """Lambda's name of what the functions run on, such as ``python3.12``."""
        return self._target.runtime

    def document(self) -> _Json:
        """Return the template."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Watchword: the flow {self.flow.name} ({self.flow.fingerprint})",
            "Parameters": self._parameters(),
            "Conditions": {
                ALARMED: {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]},
                **({} if self._sending is None else self._sending.conditions),
            },
            "Resources": dict(self._resources()),
            "Outputs": self._outputs(),
        }

    def _parameters(self) -> _Json:
        made: _Json = {"CodeBucket": {"Type": "String", "Description": "The S3 bucket that holds the zips"}}
        if self.dist is None:
            for trigger in POOL_TRIGGERS:
                # No default: an update would keep the value of before, and with it the functions of before.
                made[f"{trigger.capitalize()}Key"] = {
                    "Type": "String",
                    "Description": f"The name of {trigger}.zip in the bucket: another for each content",
                }
        if self._sending is not None:
            made |= self._sending.parameters
        if self.existing_pool:
            made["UserPoolId"] = {
                "Type": "String",
                "AllowedPattern": "[a-z0-9-]+_[A-Za-z0-9]+",
                "Description": "The user pool that calls the functions",
            }
        made["LogRetentionDays"] = {
            "Type": "Number",
            "Default": 30,
            "AllowedValues": [1, 3, 5, 7, 14, 30, 60, 90, 180, 365],
            "Description": "Days for which logs are kept",
        }
        made["Restart"] = {
            "Type": "String",
            "Default": "",
            "Description": "Another text than before ends all warm containers of Create and Verify",
        }
        made["AlarmTopicArn"] = {
            "Type": "String",
            "Default": "",
            "Description": "The SNS topic of the alarms; without one there are none",
        }
        return made

    def _resources(self) -> Iterator[tuple[str, _Json]]:
        # The root has had this name since there was one key alone: a stack that is updated keeps it.
        yield ROOT_KEY, secret("The root key of Watchword, which never changes: users are named by it")
        yield ROTATING_KEY, secret("The key of Watchword that rotates: codes are derived from it")
        yield "Ledger", ledger_table()
        for trigger in POOL_TRIGGERS:
            yield f"{trigger.capitalize()}Logs", logs(trigger)
            yield f"{trigger.capitalize()}Role", self._role(trigger)
            yield f"{trigger.capitalize()}Function", self._function(trigger)
            yield f"{trigger.capitalize()}Permission", self._permission(trigger)
        if not self.existing_pool:
            yield "UserPool", self._pool()
            yield "Client", self._client()
        yield from alarms(POOL_TRIGGERS, sends=self._sending is not None)

    def _role(self, trigger: str) -> _Json:
        name = trigger.capitalize()
        statements: list[_Json] = [
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [f"{name}Logs", "Arn"]})
        ]
        if trigger != "define":
            actions = [f"dynamodb:{action}" for action in LEDGER_ACTIONS]
            statements.append(_allow(actions, {"Fn::GetAtt": ["Ledger", "Arn"]}))
            statements.append(_allow(["secretsmanager:GetSecretValue"], [{"Ref": ROOT_KEY}, {"Ref": ROTATING_KEY}]))
            for name, permissions in self._wanted().items():
                statements += [each for each in allowed(permissions, f"the kind {name}") if each not in statements]
        sending = self._sending_of(trigger)
        if sending is not None:
            statements += sending.statements
        return {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": trigger,
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                    }
                ],
            },
        }

    def _wanted(self) -> Mapping[str, object]:
        """Return what each kind must be allowed: the flow's own, and those of flows before that the zips hold too."""
        wanted = {step.kind.kind: step.powers.permissions for step in self.flow.steps.values()}
        for name in () if self._zips is None else self._zips.manifests["create"].kinds:
            if name not in wanted:
                with suppress(ConfigurationError):  # a class that nobody registers, in a flow of before
                    wanted[name] = powers_of(self.registry.find_kind(name)).permissions
        return wanted

    def _function(self, trigger: str) -> _Json:
        name = trigger.capitalize()
        properties: _Json = {
            "Description": function_description(POOL_TRIGGERS[trigger], self.flow),
            "Runtime": self._target.runtime,
            "Architectures": [self._target.architecture],
            "Handler": f"{trigger}.{trigger}",
            "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": self.uploads.get(trigger, {"Ref": f"{name}Key"})},
            "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
            "Timeout": TIMEOUT,
            "MemorySize": MEMORY[trigger],
            "LoggingConfig": {"LogGroup": {"Ref": f"{name}Logs"}},
        }
        settings = self._settings(trigger)
        if settings:
            properties["Environment"] = {"Variables": settings}
        return {"Type": "AWS::Lambda::Function", "Properties": properties}

    def _settings(self, trigger: str) -> _Json:
        if trigger == "define":
            return {}
        settings: _Json = {
            "WATCHWORD_ROOT_KEY": {"Fn::Sub": f"secretsmanager://${{{ROOT_KEY}}}"},
            "WATCHWORD_KEY": {"Fn::Sub": f"secretsmanager://${{{ROTATING_KEY}}}"},
            "WATCHWORD_LEDGER": {"Fn::Sub": "dynamodb://${Ledger}"},
            "WATCHWORD_RESTART": {"Ref": "Restart"},
        }
        sending = self._sending_of(trigger)
        if sending is not None:
            settings["WATCHWORD_COURIER"] = sending.url
        return settings

    def _sending_of(self, trigger: str) -> Sending | None:
        """Return how the function of *trigger* sends: Create messages, and Verify notices of what a step enrolled."""
        if self._zips is not None:
            sends = bool(self._zips.manifests[trigger].couriers)
        else:
            sends = flow_sends(self.flow) if trigger == "create" else enrols_in_a_step((self.flow,))
        return self._sending if sends and trigger != "define" else None

    def _permission(self, trigger: str) -> _Json:
        pool: _Json = {"Fn::GetAtt": ["UserPool", "Arn"]}
        if self.existing_pool:
            pool = {
                "Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${UserPoolId}"
            }
        return {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Fn::GetAtt": [f"{trigger.capitalize()}Function", "Arn"]},
                "Principal": "cognito-idp.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": pool,
            },
        }

    def _pool(self) -> _Json:
        # ForgotPassword runs no trigger: where a code is mailed behind the password, one mailbox would be both factors.
        closed = {
            *recovery_channels(self.flow),
            *(() if self._zips is None else self._zips.manifests["create"].recovery),
        }
        recovery = "admin_only" if "email" in closed else "verified_email"
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
        named = dict.fromkeys((*self._decided(), *self.attributes))
        own = [name.removeprefix("custom:") for name in named if name.startswith("custom:")]
        if own:
            properties["Schema"] = [{"Name": name, "AttributeDataType": "String", "Mutable": True} for name in own]
        return {
            "Type": "AWS::Cognito::UserPool",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties,
        }

    def _decided(self) -> tuple[str, ...]:
        """Return what is read of a user's attributes: by the flow, and by those before whose sign-ins are under way."""
        before = () if self._zips is None else self._zips.manifests["create"].attributes
        return tuple(dict.fromkeys((*attributes_read(self.flow), *before)))

    def _client(self) -> _Json:
        before = 0 if self._zips is None else self._zips.manifests["create"].session_minutes
        properties: _Json = {
            "UserPoolId": {"Ref": "UserPool"},
            "ClientName": "watchword",
            "GenerateSecret": False,
            "ExplicitAuthFlows": list(FLOWS),
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": True,
            "AuthSessionValidity": max(session_minutes(self.flow), min(before, LONGEST_SESSION)),
            "WriteAttributes": write_attributes(self._decided()),
        }
        return {"Type": "AWS::Cognito::UserPoolClient", "Properties": properties}

    def _outputs(self) -> _Json:
        outputs: _Json = {
            "LedgerTable": {"Value": {"Ref": "Ledger"}},
            "KeySecret": {"Value": {"Ref": ROTATING_KEY}},
            "RootKeySecret": {"Value": {"Ref": ROOT_KEY}},
        }
        for trigger in POOL_TRIGGERS:
            name = trigger.capitalize()
            outputs[f"{name}FunctionArn"] = {"Value": {"Fn::GetAtt": [f"{name}Function", "Arn"]}}
        if not self.existing_pool:
            outputs |= {"UserPoolId": {"Value": {"Ref": "UserPool"}}, "ClientId": {"Value": {"Ref": "Client"}}}
        return outputs


def function_description(trigger: str, flow: Flow) -> str:
    """Return the description of the function of *trigger*: it ends with the fingerprint of *flow*."""
    return f"{trigger} of the flow {flow.name} ({flow.fingerprint})"


def fingerprint_in(description: str) -> str:
    """Return the fingerprint of the flow that a function with this *description* runs, or nothing if it tells none."""
    found = _FINGERPRINT.search(description)
    return found[1] if found else ""


def _target(asked: Target | None, zips: Zips | None) -> Target:
    if zips is None:
        return asked or Target("x86_64", default_python())
    if asked is not None and asked != zips.target:
        raise ConfigurationError(
            f"the zips in {zips.folder} were built for {zips.target.runtime} on {zips.target.architecture}, not for "
            f"{asked.runtime} on {asked.architecture}: build them again, or leave --arch and --python out"
        )
    return zips.target


def _allow(actions: list[str], resource: object) -> _Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
