"""`watchword doctor`: what is wrong with a deployed pool, or with a template. It changes nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from attrs import evolve

from watchword.errors import ConfigurationError
from watchword_adapters.cli.flow_argument import read_flow
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.deploy.diagnosis.doctor import diagnose, findings_as_json
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding
from watchword_adapters.deploy.diagnosis.repair_commands import commands
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API, PRE_TOKEN
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment
from watchword_adapters.deploy.reading.read_template import read_template
from watchword_adapters.deploy.reading.read_zips import with_zips
from watchword_adapters.deploy.stack.user_pool import CALLED
from watchword_adapters.dialects.dialect import DIALECTS

_STYLES = {"error": "bad", "warning": "warning", "note": ""}
_EPILOG = """\
Each code has a row in docs/reference/doctor.md. Commands are printed, never run. They contain every setting of the pool as it
was read, since an update resets settings that are not sent. The status is 1 if there is an error, 2 if nothing could be read, else 0.

examples:
  watchword doctor flow.toml --template watchword.yaml
  watchword doctor flow.toml --pool-id us-east-1_Abc123 --client-id 4f8k2m9q1r7s --region us-east-1"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword doctor`."""
    parser.description = "Read a deployed user pool, or a template, and say what is wrong with it. Nothing is changed."
    parser.epilog = _EPILOG
    parser.add_argument(
        "flow", metavar="FLOW", nargs="?", default="", help="the flow: findings that depend on it need it"
    )
    parser.add_argument("--pool-id", default="", metavar="ID", help="the user pool; in a template, its logical name")
    parser.add_argument("--client-id", default="", metavar="ID", help="the app client; in a template, its logical name")
    parser.add_argument("--region", default="", help="the region (default: boto3's own)")
    parser.add_argument("--endpoint", default="", metavar="URL", help="another URL for AWS, for an emulator")
    parser.add_argument("--template", type=Path, metavar="FILE", help="read a CloudFormation or SAM template instead")
    parser.add_argument("--dist", type=Path, metavar="FOLDER", help="the built zips: what runs is compared with them")
    for trigger in CALLED:
        parser.add_argument(
            f"--{trigger.replace('_', '-')}",
            default="",
            metavar="ARN",
            help=f"print the commands that attach this function, by its ARN or name, as {trigger}",
        )
    for api in (CREDENTIALS_API, FIDO2_API):
        parser.add_argument(
            f"--{api.replace('_', '-')}",
            default="",
            metavar="ARN",
            help="the function of this API, by its ARN or name, to be looked at too; in a template it is found",
        )
    parser.add_argument("--dialect", choices=DIALECTS, default="", help="the functions speak to this client")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings and the commands that repair them; return 1 if a finding is an error."""
    attach = {trigger: named for trigger in CALLED if (named := str(getattr(arguments, trigger)))}
    if attach and arguments.template is not None:
        option = f"--{next(iter(attach)).replace('_', '-')}"
        raise ConfigurationError(f"{option}: a template has no commands; attach it in its LambdaConfig")
    flow = read_flow(arguments) if arguments.flow else None
    deployment = _read(arguments)
    if arguments.dist is not None:
        deployment = with_zips(deployment, arguments.dist)
    found: dict[str, DeployedFunction] = {}
    if attach:
        clients = read_aws.clients(arguments.region, arguments.endpoint)
        for trigger, named in attach.items():
            found[trigger], unread = read_aws.attachable(clients, trigger, named)
            deployment = evolve(deployment, unread=tuple(dict.fromkeys((*deployment.unread, *unread))))
    if PRE_TOKEN in found:
        deployment = evolve(deployment, told_by=found[PRE_TOKEN].name)
    findings = diagnose(deployment, flow, arguments.dialect)
    repairs = commands(deployment, findings, found, flow)
    if arguments.json:
        print(findings_as_json(findings, repairs))
    else:
        _tell(findings, repairs, Terminal(), flow_given=flow is not None)
    return 1 if any(each.severity == "error" for each in findings) else 0


def _read(arguments: argparse.Namespace) -> Deployment:
    named = {api: str(each) for api in (CREDENTIALS_API, FIDO2_API) if (each := getattr(arguments, api))}
    if arguments.template is not None:
        if named:
            option = f"--{next(iter(named)).replace('_', '-')}"
            raise ConfigurationError(f"{option}: the APIs of a template are found in it; leave it out")
        return read_template(arguments.template, pool=arguments.pool_id, client=arguments.client_id)
    if not arguments.pool_id or not arguments.client_id:
        raise ConfigurationError("say what to read: --pool-id and --client-id, or --template")
    return read_aws.read_deployment(
        read_aws.clients(arguments.region, arguments.endpoint), arguments.pool_id, arguments.client_id, named
    )


def _tell(findings: tuple[DoctorFinding, ...], repairs: tuple[str, ...], screen: Terminal, *, flow_given: bool) -> None:
    for each in findings:
        screen.line(f"{each.severity:<7} {each.code}  {each.message}", _STYLES[each.severity])
        screen.line(f"              {each.remedy}")
    if not findings:
        screen.line("nothing is wrong, as far as can be read", "good")
    if not flow_given:
        screen.lines(
            "\nwithout FLOW, nothing was checked that depends on it: WD07, WD14, WD15, WD21, WD26, WD29, WD30, WD31, WD49",
            "quiet",
        )
    if repairs:
        screen.lines("\nThese commands repair it and keep every other setting. Read them, then run them:", "title")
    for command in repairs:
        screen.lines(f"\n{command}")
