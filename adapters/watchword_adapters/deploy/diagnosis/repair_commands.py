"""The exact commands that repair a deployment and keep every other setting: updates of Cognito reset what is not sent."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, cast

from watchword.algebra.attributes import who_can_change
from watchword.algebra.flow import Flow
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding
from watchword_adapters.deploy.diagnosis.invoke_permissions import may_call
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts, within
from watchword_adapters.deploy.reading.values import elements
from watchword_adapters.deploy.stack.pool_needs import conditions_on_attributes, session_minutes, write_attributes
from watchword_adapters.deploy.stack.user_pool import CALLED, FLOWS, TOLD

# What is told of a pool or a client and cannot be set. Everything else is sent back, so that a setting which is newer than
# this list is kept, or refused aloud, and never reset in silence.
POOL_READ_ONLY = frozenset(
    {
        "AliasAttributes",
        "Arn",
        "CreationDate",
        "CustomDomain",
        "Domain",
        "EmailConfigurationFailure",
        "EstimatedNumberOfUsers",
        "Id",
        "LastModifiedDate",
        "Name",
        "SchemaAttributes",
        "SmsConfigurationFailure",
        "Status",
        "UsernameAttributes",
        "UsernameConfiguration",
    }
)
CLIENT_READ_ONLY = frozenset(
    {"ClientId", "ClientSecret", "ClientSecretArn", "ClientType", "CreationDate", "LastModifiedDate", "UserPoolId"}
)


def commands(
    deployment: Deployment,
    findings: tuple[DoctorFinding, ...],
    attach: Mapping[str, DeployedFunction],
    flow: Flow | None = None,
) -> tuple[str, ...]:
    """Return the commands that attach the functions *attach* (by trigger) and repair *findings*, in their order.

    None is run. They are for a pool that was read, with its settings as they were then: run them soon. A template has
    none: it is mended by editing it.
    """
    if not deployment.live or deployment.pool is None or deployment.client is None:
        return ()
    pool, codes = deployment.pool, {each.code for each in findings}
    attached = {trigger: each.name for trigger, each in deployment.functions.items()}
    wanted = attached | {trigger: each.name for trigger, each in attach.items()}
    # One function may serve several triggers, and needs one permission.
    callers = {
        each.name: trigger
        for trigger, each in reversed({**deployment.functions, **attach}.items())
        if _needs_permission(pool, each, new=each.name not in attached.values())
    }
    made = [_add_permission(trigger, arn, str(pool.get("Arn", ""))) for arn, trigger in reversed(callers.items())]
    if wanted != attached or "WD31" in codes:
        made += _update_pool(deployment, wanted, codes)
    # What users can change without the client's writing it, no setting of the client mends.
    if not (flow is not None and any(who_can_change(each) == "client" for each in conditions_on_attributes(flow))):
        codes.discard("WD15")
    if codes & {"WD01", "WD02", "WD03", "WD07", "WD15", "WD23"}:
        made.append(_update_client(deployment.client, codes, flow))
    return tuple(made)


def _needs_permission(pool: Facts, function: DeployedFunction, *, new: bool) -> bool:
    allowed = may_call(pool, function)
    return allowed is False or (new and allowed is not True)


def _update_pool(deployment: Deployment, arns: Mapping[str, str], codes: set[str]) -> list[str]:
    pool: Facts = deployment.pool or {}
    kept: dict[str, Any] = _kept(pool, POOL_READ_ONLY)
    kept["LambdaConfig"] = _calling(kept.get("LambdaConfig", {}), arns, str(pool.get("UserPoolTier", "")))
    if "WD31" in codes:
        kept["AccountRecoverySetting"] = {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    if pool.get("Name"):
        kept["PoolName"] = pool["Name"]
    policy = within(within(kept, "Policies"), "PasswordPolicy")
    invited = within(kept, "AdminCreateUserConfig")
    if "TemporaryPasswordValidityDays" in policy and "UnusedAccountValidityDays" in invited:
        # Both say the same, and Cognito refuses the old one beside the new.
        kept["AdminCreateUserConfig"] = {
            name: each for name, each in invited.items() if name != "UnusedAccountValidityDays"
        }
    after: list[str] = []
    if kept.get("MfaConfiguration", "OFF") != "OFF":
        # UpdateUserPool takes MFA with SMS only: the other sorts are put back by a call of their own.
        if "SmsConfiguration" not in kept:
            del kept["MfaConfiguration"]
        if deployment.mfa:
            after.append(_command("set-user-pool-mfa-config", {"UserPoolId": pool["Id"], **_filled(deployment.mfa)}))
    return [_command("update-user-pool", {"UserPoolId": pool["Id"], **kept}), *after]


def _calling(config: Facts, arns: Mapping[str, str], tier: str) -> dict[str, Any]:
    """Return *config*, a pool's, with the functions *arns*. Cognito takes the two settings of Pre Token Generation only if they agree."""
    made = {**config, **{CALLED[trigger]: arn for trigger, arn in arns.items() if trigger != PRE_TOKEN}}
    if PRE_TOKEN in arns:
        version = "V1_0" if tier == "LITE" else within(config, TOLD).get("LambdaVersion") or "V2_0"
        made |= {TOLD: {"LambdaVersion": version, "LambdaArn": arns[PRE_TOKEN]}}
        made |= {CALLED[PRE_TOKEN]: arns[PRE_TOKEN]} if CALLED[PRE_TOKEN] in config else {}
    return made


def _update_client(client: Facts, codes: set[str], flow: Flow | None) -> str:
    kept: dict[str, Any] = _kept(client, CLIENT_READ_ONLY)
    if codes & {"WD01", "WD02"}:
        kept["ExplicitAuthFlows"] = list(FLOWS)
    if "WD03" in codes:
        kept["PreventUserExistenceErrors"] = "ENABLED"
    if "WD23" in codes:
        kept["EnableTokenRevocation"] = True
    if flow is not None and "WD07" in codes:
        kept["AuthSessionValidity"] = session_minutes(flow)
    if flow is not None and "WD15" in codes:
        kept["WriteAttributes"] = write_attributes(
            conditions_on_attributes(flow), kept.get("WriteAttributes", ["email"])
        )
    return _command(
        "update-user-pool-client", {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"], **kept}
    )


def _kept(told: Facts, read_only: frozenset[str]) -> dict[str, Any]:
    return {
        name: each
        for name, value in told.items()
        if name not in read_only
        and (each := _own_tags(value) if name == "UserPoolTags" else _filled(value)) not in (None, "", {}, [])
    }


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return *tags* without those that AWS keeps itself: it takes none that begins so. A tag may be empty."""
    return {name: each for name, each in tags.items() if not name.lower().startswith("aws:")}


def _filled(value: Any) -> Any:
    """Return *value* without what is empty in it: it is told of what is not set, and Cognito does not take it."""
    if isinstance(value, Mapping):
        fields = {name: _filled(each) for name, each in cast("Facts", value).items()}
        return {name: each for name, each in fields.items() if each not in (None, "", {}, [])}
    if elements(value):
        return [each for each in map(_filled, elements(value)) if each not in (None, "", {}, [])]
    return value


def _add_permission(trigger: str, arn: str, pool_arn: str) -> str:
    account = pool_arn.split(":")[4] if pool_arn.count(":") >= 5 else ""
    words = ["aws", "lambda", "add-permission", "--function-name", arn, "--statement-id", f"watchword-{trigger}"]
    words += ["--action", "lambda:InvokeFunction", "--principal", "cognito-idp.amazonaws.com", "--source-arn", pool_arn]
    return shlex.join([*words, *(["--source-account", account] if account else [])])


def _command(operation: str, request: Mapping[str, Any]) -> str:
    return shlex.join(["aws", "cognito-idp", operation, "--cli-input-json", json.dumps(request, default=str)])
