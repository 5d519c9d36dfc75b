"""The doctor's findings on Pre Token Generation, which tells in tokens what was passed, and on who may read the keys."""

from __future__ import annotations

from collections.abc import Iterator

from watchword_adapters.deploy.diagnosis.courier_findings import role_may
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said, findings_on
from watchword_adapters.deploy.diagnosis.environments import scheme_of
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.reading.deployment import Deployment, NotKnown, called_by
from watchword_adapters.deploy.reading.read_aws import flows_beside, flows_of
from watchword_adapters.deploy.reading.values import Unknown, get, word
from watchword_adapters.deploy.stack.user_pool import FLOWS, TOLD

_READS_KEYS = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}
_NATIVE = "a client that passes the flow and signs in by that way in the same minute gets tokens that tell of the flow"


def token_findings(deployment: Deployment) -> Iterator[Said]:
    """Yield what is wrong with how the pool of *deployment* calls Pre Token Generation: nothing where nobody wants it to."""
    if deployment.pool is None:
        return
    called = deployment.functions.get(PRE_TOKEN)
    if called is None:
        if deployment.told_by:
            yield from _not_called(deployment)
        return
    if deployment.live and deployment.told_by.startswith("arn:") and deployment.told_by != called.name:
        yield DoctorFinding(
            "WD44",
            f"the pool calls {called.name} for Pre Token Generation, another function or version than {deployment.told_by}",
            "attach the one that should run; the command stands below",
        )
    version = word(get(deployment.pool, "LambdaConfig", TOLD, "LambdaVersion"))
    if version is not None and version != "V1_0":
        yield from _on_lite(deployment, version)
    yield from _native(deployment)


def _not_called(deployment: Deployment) -> Iterator[Said]:
    other = called_by(deployment.pool, PRE_TOKEN)
    if other is not None and not isinstance(other, str):
        known = word(other)
        if isinstance(known, Unknown) and not known.resource:
            yield NotKnown("which function the pool calls for Pre Token Generation", known.why)
            return
    what = "no function" if other is None else "another function"
    remedy = (
        "attach it, --pre-token ARN prints the commands" if deployment.live else f"attach it as {TOLD} of LambdaConfig"
    ) + ("" if other is None else "; or ask it for the claims in yours: triggers(…).evidence(event)")
    yield DoctorFinding(
        "WD44",
        f"the pool calls {what} for Pre Token Generation, and {deployment.told_by} was made for it: tokens tell nothing of "
        "what was passed",
        remedy,
    )


def _on_lite(deployment: Deployment, version: str | Unknown) -> Iterator[Said]:
    if isinstance(version, Unknown):
        yield NotKnown("the version of the event of Pre Token Generation", version.why)
        return
    yield from findings_on(
        word(get(deployment.pool, "UserPoolTier")),
        "the feature plan of the pool",
        lambda tier: tier == "LITE",
        lambda _: DoctorFinding(
            "WD45",
            f"the pool is on the plan Lite, and Pre Token Generation has {version}: Cognito changes access tokens on Essentials "
            "or above alone",
            "choose Essentials, or LambdaVersion V1_0 where ID tokens are enough",
        ),
    )


def _native(deployment: Deployment) -> Iterator[Said]:
    if deployment.client is None:
        return
    allowed = flows_of(deployment.client)
    beside = flows_beside(allowed)
    if beside:
        yield DoctorFinding(
            "WD46",
            f"the app client allows {', '.join(beside)} beside the flow: {_NATIVE}",
            f"allow exactly {' and '.join(FLOWS)}",
        )
        return
    unknown = next((each for each in allowed if isinstance(each, Unknown)), None)
    if unknown is not None:
        yield NotKnown("whether native sign-ins get claims of the flow", unknown.why)


def key_rights(deployment: Deployment) -> Iterator[Said]:
    """Tell of functions whose role does not allow to read the keys that their environment names, on whatever resource."""
    for name, function in {**deployment.functions, **deployment.apis}.items():
        if (
            name == "define"
            or function.facts is None
            or function.rights is None
            or isinstance(function.rights, Unknown)
        ):
            continue  # said with the tables
        schemes = (scheme_of(function.setting(each)) for each in ("WATCHWORD_KEY", "WATCHWORD_ROOT_KEY"))
        wanted = dict.fromkeys(_READS_KEYS[each] for each in schemes if isinstance(each, str) and each in _READS_KEYS)
        missing = [action for action in wanted if not role_may(function.rights, action)]
        if missing:
            yield DoctorFinding(
                "WD47",
                f"{name} may not read its keys: its role lacks {', '.join(missing)}; it does not start",
                "allow it in the role of the function, on the secrets that its environment names",
            )
