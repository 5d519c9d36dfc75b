"""The CloudFormation template of a flow: its functions, what each may do, the tables, the keys, the pool, and the HTTP API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from watchword.algebra.flow import Flow, enrols_in_a_step, needs_store
from watchword.analysis.assurance import recovery_channels
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.credentials import dynamodb as store
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API, PRE_TOKEN
from watchword_adapters.deploy.stack.alarms import ALARMED, SPENDING_PARAMETER, SPENT, alarms, are_paid
from watchword_adapters.deploy.stack.http_api import CLIENTS, ORIGINS, PARAMETERS, addresses, http_api, logical_name
from watchword_adapters.deploy.stack.pool_needs import (
    CUSTOM_ATTRIBUTE,
    LONGEST_SESSION,
    attributes_read,
    session_minutes,
    write_attributes,
)
from watchword_adapters.deploy.stack.resources import (
    allow,
    caller,
    credentials_table,
    ledger_table,
    logs,
    role,
    secret,
)
from watchword_adapters.deploy.stack.sending import Sending, sending
from watchword_adapters.deploy.stack.sending import statements as allowed
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS, user_pool, user_pool_client
from watchword_adapters.deploy.target import Target
from watchword_adapters.deploy.zips import Zips, dialect_of, flow_sends, target_of, zips_of
from watchword_adapters.dialects.dialect import find_dialect, has_api

TIMEOUT = 5
"""Seconds: Cognito waits for no more."""
# Processor time comes with memory. boto3's clients take 4 s with 128 MB, under 1 s with 512.
MEMORY = {"define": 128, "create": 1024, "verify": 512, PRE_TOKEN: 512, CREDENTIALS_API: 512, FIDO2_API: 512}
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
        credentials_api: whether to make the API by which users enrol.
        dialect: the client that the functions speak to, whose API is made too. With *dist* the zips say so.
        registry: finds the courier, and the kinds of flows of before.
        pre_token: whether to make the function that tells in tokens what was passed.
    """

    flow: Flow
    target: Target | None = None
    dist: Path | None = None
    existing_pool: bool = False
    courier: str = ""
    attributes: tuple[str, ...] = ()
    credentials_api: bool = False
    dialect: str = ""
    registry: Registry = field(factory=Registry, eq=False, repr=False)
    pre_token: bool = field(default=False, kw_only=True)
    _zips: Zips | None = field(init=False, default=None)
    _sending: Sending | None = field(init=False, default=None)
    _target: Target = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Read the zips.

        Raises:
            ConfigurationError: if they do not fit together, or to the flow, the target or the courier.
        """
        zips = (
            None
            if self.dist is None
            else zips_of(self.dist, self.flow, credentials_api=self.credentials_api, pre_token=self.pre_token)
        )
        dialect = dialect_of(self.dialect, zips)
        if self.credentials_api and not any(step.powers.enrols for step in self.flow.steps.values()):
            raise ConfigurationError("an API of credentials is asked for, and users enrol for no kind of the flow")
        if dialect:
            find_dialect(dialect, (self.flow,)).check()
        made = None
        notices = enrols_in_a_step((self.flow,)) or self.credentials_api or has_api(dialect, self.flow)
        # A flow of before may send although this one does not: its sign-ins are still under way.
        if flow_sends(self.flow) or notices if zips is None else zips.couriers:
            made = sending(self.courier, zips, self.registry, self._channels)
        elif self.courier:
            raise ConfigurationError(
                "a courier is given, and no kind of the flow sends and no step enrols: leave --courier out"
            )
        for name in self.attributes:
            if not CUSTOM_ATTRIBUTE.fullmatch(name):
                raise ConfigurationError(f"{name[:40]!r} is no custom attribute: write it as custom:tier")
        for name, value in (("zips", zips), ("sending", made), ("target", target_of(self.target, zips))):
            object.__setattr__(self, f"_{name}", value)
        object.__setattr__(self, "dialect", dialect)

    @property
    def _apis(self) -> tuple[str, ...]:
        return ((CREDENTIALS_API,) if self.credentials_api else ()) + (
            (FIDO2_API,) if has_api(self.dialect, self.flow) else ()
        )

    @property
    def _triggers(self) -> tuple[str, ...]:
        return (*POOL_TRIGGERS, *((PRE_TOKEN,) if self.pre_token else ()))

    @property
    def _remembers(self) -> bool:
        return needs_store((self.flow,)) if self._zips is None else self._zips.remember

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
            for name in (*self._triggers, *self._apis):
                # No default: an update would keep the value of before, and with it the functions of before.
                made[f"{logical_name(name)}Key"] = {
                    "Type": "String",
                    "Description": f"The name of {name}.zip in the bucket: another for each content",
                }
        if self._sending is not None:
            made |= self._sending.parameters
        if self.existing_pool:
            made["UserPoolId"] = {
                "Type": "String",
                "AllowedPattern": "[a-z0-9-]+_[A-Za-z0-9]+",
                "Description": "The user pool that calls the functions",
            }
        if self._apis:
            made |= {
                **PARAMETERS,
                **(ORIGINS if self.credentials_api else {}),
                **(CLIENTS if self.existing_pool else {}),
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
        if self._sends("create") and are_paid(self._schemes):
            made[SPENT] = SPENDING_PARAMETER
        return made

    def _resources(self) -> Iterator[tuple[str, _Json]]:
        # The root has had this name since there was one key alone: a stack that is updated keeps it.
        yield ROOT_KEY, secret("The root key of Watchword, which never changes: users are named by it")
        yield ROTATING_KEY, secret("The key of Watchword that rotates: codes are derived from it")
        yield "Ledger", ledger_table()
        if self._remembers:
            yield "Credentials", credentials_table()
        for name in (*self._triggers, *self._apis):
            yield f"{logical_name(name)}Logs", logs(name)
            yield f"{logical_name(name)}Role", role(name, self._statements(name))
            yield f"{logical_name(name)}Function", self._function(name)
        for name in self._triggers:
            yield f"{logical_name(name)}Permission", self._permission(name)
        if self._apis:
            yield from http_api(self._apis)
        if not self.existing_pool:
            yield "UserPool", self._pool()
            yield "Client", self._client()
        yield from alarms(
            POOL_TRIGGERS,
            (*self._triggers, *self._apis)[len(POOL_TRIGGERS) :],
            sends=self._sends("create"),
            channels=self._channels,
            schemes=self._schemes,
        )

    @property
    def _channels(self) -> frozenset[str]:
        return frozenset(step.powers.channel for step in self.flow.steps.values() if step.powers.sends)

    @property
    def _schemes(self) -> tuple[str, ...]:
        return () if self._sending is None else self._sending.schemes

    def _statements(self, function: str) -> list[_Json]:
        """Return what *function* must be allowed: Define its log alone."""
        log = {"Fn::GetAtt": [f"{logical_name(function)}Logs", "Arn"]}
        statements = [allow(["logs:CreateLogStream", "logs:PutLogEvents"], log)]
        if function != "define":
            actions = ("GetItem",) if function == PRE_TOKEN else LEDGER_ACTIONS
            statements.append(allow(_on_tables(actions), {"Fn::GetAtt": ["Ledger", "Arn"]}))
            if self._remembers and function != PRE_TOKEN:
                statements.append(allow(_on_tables(self._uses_of(function)), {"Fn::GetAtt": ["Credentials", "Arn"]}))
            statements.append(allow(["secretsmanager:GetSecretValue"], [{"Ref": ROOT_KEY}, {"Ref": ROTATING_KEY}]))
            for name, permissions in self._wanted(function).items():
                statements += [each for each in allowed(permissions, f"the kind {name}") if each not in statements]
        sending = self._sending_of(function)
        return statements if sending is None else [*statements, *sending.statements]

    def _uses_of(self, function: str) -> tuple[str, ...]:
        """Return what *function* calls of the table of credentials: Create reads, Verify says what was used, and enrolling adds."""
        if function == "create":
            return store.READING_ACTIONS
        return store.ACTIONS if function != "verify" or self._enrols else store.USING_ACTIONS

    @property
    def _enrols(self) -> bool:
        """Whether a step enrols: then Verify has a courier, for notices."""
        return enrols_in_a_step((self.flow,)) if self._zips is None else bool(self._zips.manifests["verify"].couriers)

    def _wanted(self, function: str) -> Mapping[str, object]:
        """Return what each kind must be allowed: the flow's own, and those of flows before that the zips hold too.

        An API works with the kinds of this flow for which users enrol, and with no others.
        """
        if function == PRE_TOKEN:
            return {}
        steps = self.flow.steps.values()
        wanted = {
            each.kind.kind: each.powers.permissions for each in steps if function in POOL_TRIGGERS or each.powers.enrols
        }
        for name in () if self._zips is None or function not in POOL_TRIGGERS else self._zips.manifests["create"].kinds:
            if name not in wanted:
                with suppress(ConfigurationError):  # a class that nobody registers, in a flow of before
                    wanted[name] = powers_of(self.registry.find_kind(name)).permissions
        return wanted

    def _function(self, trigger: str) -> _Json:
        name = logical_name(trigger)
        properties: _Json = {
            "Description": function_description(POOL_TRIGGERS.get(trigger, name), self.flow),
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
        if self._remembers and trigger != PRE_TOKEN:
            settings["WATCHWORD_CREDENTIALS"] = {"Fn::Sub": "dynamodb://${Credentials}"}
        sending = self._sending_of(trigger)
        if sending is not None:
            settings["WATCHWORD_COURIER"] = sending.url
        if trigger in self._apis:
            settings["WATCHWORD_POOL"] = {"Ref": "UserPoolId" if self.existing_pool else "UserPool"}
            clients = {"Fn::Join": [" ", {"Ref": "ApiClients"}]}
            settings["WATCHWORD_CLIENTS"] = clients if self.existing_pool else {"Ref": "Client"}
        if trigger == CREDENTIALS_API:
            settings["WATCHWORD_ORIGINS"] = {"Fn::Join": [" ", {"Ref": "ApiOrigins"}]}
        return settings

    def _sending_of(self, function: str) -> Sending | None:
        """Return how *function* sends: Create messages, Verify and APIs notices of what was enrolled."""
        return self._sending if self._sends(function) else None

    def _sends(self, function: str) -> bool:
        if self._zips is not None:
            return bool(self._zips.manifests[function].couriers)
        if function == "create":
            return flow_sends(self.flow)
        return function in self._apis or (function == "verify" and self._enrols)

    def _permission(self, trigger: str) -> _Json:
        pool: _Json = {"Fn::GetAtt": ["UserPool", "Arn"]}
        if self.existing_pool:
            pool = {
                "Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${UserPoolId}"
            }
        return caller(f"{logical_name(trigger)}Function", "cognito-idp.amazonaws.com", pool)

    def _pool(self) -> _Json:
        # ForgotPassword runs no trigger: where a code is mailed behind the password, one mailbox would be both factors.
        closed = {
            *recovery_channels(self.flow),
            *(() if self._zips is None else self._zips.manifests["create"].recovery),
        }
        recovery = "admin_only" if "email" in closed else "verified_email"
        return user_pool(recovery, list(dict.fromkeys((*self._decided(), *self.attributes))), pre_token=self.pre_token)

    def _decided(self) -> tuple[str, ...]:
        """Return what is read of a user's attributes: by the flow, and by those before whose sign-ins are under way."""
        before = () if self._zips is None else self._zips.manifests["create"].attributes
        return tuple(dict.fromkeys((*attributes_read(self.flow), *before)))

    def _client(self) -> _Json:
        before = 0 if self._zips is None else self._zips.manifests["create"].session_minutes
        minutes = max(session_minutes(self.flow), min(before, LONGEST_SESSION))
        return user_pool_client(minutes, write_attributes(self._decided()))

    def _outputs(self) -> _Json:
        outputs: _Json = {
            "LedgerTable": {"Value": {"Ref": "Ledger"}},
            "KeySecret": {"Value": {"Ref": ROTATING_KEY}},
            "RootKeySecret": {"Value": {"Ref": ROOT_KEY}},
        }
        if self._remembers:
            outputs["CredentialsTable"] = {"Value": {"Ref": "Credentials"}}
        for name in map(logical_name, (*self._triggers, *self._apis)):
            outputs[f"{name}FunctionArn"] = {"Value": {"Fn::GetAtt": [f"{name}Function", "Arn"]}}
        outputs |= addresses(self._apis)
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


def _on_tables(actions: Iterable[str]) -> list[str]:
    return [f"dynamodb:{action}" for action in actions]
