"""The doctor's findings that depend on the flow."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.algebra.attributes import how_users_change, may_change, who_can_change
from watchword.algebra.blocks import kinds_in
from watchword.algebra.flow import Flow
from watchword.analysis.assurance import recovery_channels
from watchword.contract.powers import is_host_run
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said, default_to, findings_on
from watchword_adapters.deploy.diagnosis.environments import scheme_of
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts, NotKnown
from watchword_adapters.deploy.reading.values import (
    Unknown,
    boolean_value,
    get,
    list_value,
    number_value,
    word,
    words,
)
from watchword_adapters.deploy.stack.pool_needs import attributes_read, conditions_on_attributes, session_minutes
from watchword_adapters.deploy.stack.template import fingerprint_in

_RECOVERY = {"verified_email": "email", "verified_phone_number": "sms"}


def by_flow(deployment: Deployment, flow: Flow) -> Iterator[Said]:
    """Yield what is wrong with *deployment* if *flow* is what it should run."""
    client, pool = deployment.client, deployment.pool
    needed = session_minutes(flow)
    if client is not None:
        yield from findings_on(
            default_to(number_value(get(client, "AuthSessionValidity")), 3),
            "how long sessions of the app client last",
            lambda minutes: minutes < needed,
            lambda minutes: DoctorFinding(
                "WD07",
                f"sessions of the app client end after {minutes} min, the flow waits up to {needed}",
                f"set AuthSessionValidity={needed}",
            ),
        )
        yield from _writable(client, flow)
    if _has_srp(flow):
        yield from findings_on(
            word(get(deployment.mfa or pool, "MfaConfiguration")),
            "whether the pool has MFA of its own",
            lambda mfa: mfa in {"ON", "OPTIONAL"},
            lambda mfa: DoctorFinding(
                "WD14",
                f"the pool has MFA of its own ({mfa}) beside Srp(): Cognito puts it behind the password, and has been seen to "
                "issue tokens then without the challenges that follow",
                "turn it off, or try with a user who has it that the flow's challenges are still asked",
            ),
        )
        yield from findings_on(
            boolean_value(get(pool, "AdminCreateUserConfig", "AllowAdminCreateUserOnly")),
            "whether users are invited",
            bool,
            lambda _: DoctorFinding(
                "WD30",
                "users come by invitation, and Srp() takes their passwords: Cognito has them set one (NEW_PASSWORD_REQUIRED), "
                "and has been seen to issue tokens then without the challenges that follow",
                "set a permanent password for whom you invite (admin-set-user-password --permanent), or try with an invited "
                "user that the flow's challenges are still asked",
            ),
        )
    if pool is not None:
        yield from _recovery(pool, flow)
        yield from _attributes(pool, flow)
    for trigger, function in deployment.functions.items():
        yield from _other_flow(trigger, function, flow)
    create = deployment.functions.get("create")
    if create is not None and create.facts is not None and _sends(flow):
        yield from findings_on(
            scheme_of(create.setting("WATCHWORD_COURIER")),
            "the courier of create",
            lambda scheme: not scheme,
            lambda _: DoctorFinding(
                "WD26",
                "create has no courier, and the flow sends: no code goes out",
                "set WATCHWORD_COURIER, as in ses://?from=login@example.com",
            ),
        )
    if {"possession"} == _factors(flow) and _proves_by_mail_alone(flow):
        yield DoctorFinding(
            "WD21",
            "a code by e-mail is the only factor: NIST SP 800-63B-4 3.1.3.1 does not admit it as an authenticator, no AAL is reached",
            "put Srp() before it, if you have to claim one",
        )


def _recovery(pool: Facts, flow: Flow) -> Iterator[Said]:
    closed = set(recovery_channels(flow))
    if not closed:
        return
    mechanisms = get(pool, "AccountRecoverySetting", "RecoveryMechanisms")
    # Without the setting, Cognito recovers by telephone or by e-mail.
    named = [word(get(each, "Name")) for each in list_value(mechanisms)] or list(_RECOVERY)
    open_ = sorted({_RECOVERY.get(each, "") for each in named if isinstance(each, str)} & closed)
    if open_:
        yield DoctorFinding(
            "WD31",
            f"passwords are recovered by {', '.join(open_)}, which the flow takes for possession too: one mailbox or telephone "
            "is both factors",
            "set AccountRecoverySetting to admin_only, or to a channel that the flow does not use",
        )
        return
    for each in named:
        if isinstance(each, Unknown):
            yield NotKnown("how passwords are recovered", each.why)


def _other_flow(trigger: str, function: DeployedFunction, flow: Flow) -> Iterator[Said]:
    described = word(get(function.facts, "Description"))
    told = (
        function.manifest.flow.fingerprint
        if function.manifest
        else fingerprint_in(described if isinstance(described, str) else "")
    )
    if told and told != flow.fingerprint:
        yield DoctorFinding(
            "WD29",
            f"{trigger} runs another flow ({told}) than the one that you ask about ({flow.fingerprint})",
            "build and deploy this one, or ask about the one that runs",
        )


def _writable(client: Facts, flow: Flow) -> Iterator[Said]:
    written = words(get(client, "WriteAttributes"))
    unknown = next((each for each in written if isinstance(each, Unknown)), None)
    for name in conditions_on_attributes(flow):
        if who_can_change(name) == "user":
            yield DoctorFinding(
                "WD15",
                f"users can change {name} {how_users_change(name)}, whatever the app client may write, and the flow decides by it",
                "decide by a custom attribute that only an administrator can set",
            )
        elif may_change(name, written):
            yield DoctorFinding(
                "WD15",
                f"the app client may write {name}, by which the flow decides: users choose for themselves",
                f"take {name} out of the client's WriteAttributes",
            )
        elif unknown is not None and who_can_change(name) == "client":
            yield NotKnown(f"whether the app client may write {name}", unknown.why)


def _attributes(pool: Facts, flow: Flow) -> Iterator[Said]:
    """Tell of custom attributes that *flow* reads and the *pool* has not."""
    # The service says them as SchemaAttributes, with "custom:" before the name; a template has Schema, without it.
    listed = list_value(default_to(get(pool, "SchemaAttributes"), get(pool, "Schema")))
    names = [each if isinstance(each, Unknown) else word(get(each, "Name")) for each in listed]
    unknown = next((each for each in names if isinstance(each, Unknown)), None)
    there = {each.removeprefix("custom:") for each in names if isinstance(each, str)}
    for name in attributes_read(flow):
        if not name.startswith("custom:") or name.removeprefix("custom:") in there:
            continue
        if unknown is not None:
            yield NotKnown(f"whether the pool has the attribute {name}", unknown.why)
        else:
            yield DoctorFinding(
                "WD49",
                f"the flow reads {name}, and the pool has no such attribute: no user can have it",
                "add it to the pool: in the template by --attribute, else by aws cognito-idp add-custom-attributes",
            )


def _has_srp(flow: Flow) -> bool:
    return any(map(is_host_run, kinds_in(flow.body)))


def _factors(flow: Flow) -> set[str]:
    proven = {factor for step in flow.steps.values() for factor in step.proves}
    return proven | ({"knowledge"} if _has_srp(flow) else set())


def _sends(flow: Flow) -> bool:
    return any(step.powers.sends for step in flow.steps.values())


def _proves_by_mail_alone(flow: Flow) -> bool:
    return all(step.powers.channel == "email" for step in flow.steps.values() if step.proves)
