"""`watchword template`: the CloudFormation template of a flow's functions, tables, keys, pool and APIs."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from watchword.loading.registry import Registry
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.output_file import flow_files, refuse_overwriting, write
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FUNCTIONS, PRE_TOKEN, read_manifest
from watchword_adapters.deploy.reading import template_text
from watchword_adapters.deploy.runtimes import runtime_warning
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.target import ARCHITECTURES, PYTHONS, Target, default_python
from watchword_adapters.dialects.dialect import DIALECTS

_EPILOG = """\
Each function gets only the permissions that the flow needs: only Create may send, and only if a kind sends. Parameters: CodeBucket, Sender and
ConfigurationSet (for flows that send by SES), LogRetentionDays, AlarmTopicArn, UserPoolId with --existing-pool, ApiOrigins,
ApiRequestsPerSecond (for APIs), and ApiClients (for APIs with --existing-pool).

example:
  watchword build flow.toml -o dist/
  watchword template flow.toml --dist dist/ -o watchword.yaml > upload.sh
  BUCKET=my-bucket sh -e upload.sh"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword template`."""
    parser.description = (
        "Write the CloudFormation template of a flow: functions, roles, tables, keys, alarms, pool, client and APIs."
    )
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to FILE in place of standard output")
    parser.add_argument(
        "--format", default="yaml", choices=("yaml", "json"), help="(%(default)s; json needs no PyYAML)"
    )
    parser.add_argument(
        "--dist", type=Path, metavar="FOLDER", help="the built zips; the commands that upload them are printed"
    )
    parser.add_argument("--arch", choices=tuple(ARCHITECTURES), help="the processor (the zips', or x86_64)")
    parser.add_argument("--python", choices=PYTHONS, help=f"Lambda's Python (the zips', or {default_python()})")
    parser.add_argument(
        "--courier",
        action="append",
        default=[],
        metavar="URL",
        help="the courier, in place of the parameters Sender and ConfigurationSet; may be given again, for another channel",
    )
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME",
        help="a custom attribute that the pool has, such as custom:tier; may be given again",
    )
    parser.add_argument(
        "--credentials-api",
        action="store_true",
        help="make the API by which users enrol: API Gateway's HTTP API and a function",
    )
    parser.add_argument(
        "--pre-token", action="store_true", help="make the function that tells in tokens what was proved"
    )
    parser.add_argument(
        "--dialect", choices=DIALECTS, default="", help="make the API of this client too (with --dist the zips say so)"
    )
    parser.add_argument(
        "--existing-pool",
        action="store_true",
        help="leave out pool and client: watchword doctor prints how to attach the functions",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the template; print the commands that put the zips into the bucket."""
    registry = Registry()
    flow, dist, output = read_flow(arguments, registry), arguments.dist, arguments.output
    zips = () if dist is None else tuple(dist / f"{trigger}.zip" for trigger in FUNCTIONS)
    refuse_overwriting(output, (*flow_files(arguments.flow), *zips))
    made = Template(
        flow,
        _target(arguments),
        dist,
        arguments.existing_pool,
        " ".join(arguments.courier),
        tuple(arguments.attribute),
        arguments.credentials_api,
        arguments.dialect,
        registry,
        pre_token=arguments.pre_token,
    )
    document = made.document()
    write(
        template_text.template_as_yaml(document)
        if arguments.format == "yaml"
        else json.dumps(document, indent=2) + "\n",
        output,
    )
    for option, name, asked in (
        ("--pre-token", PRE_TOKEN, arguments.pre_token),
        ("--credentials-api", CREDENTIALS_API, arguments.credentials_api),
    ):
        if dist is not None and not asked and (left := dist / f"{name}.zip").exists():
            print(f"warning: {left} was built, and the template has no function for it: say {option}", file=sys.stderr)
    if runtime_warning(made.runtime):
        print(f"warning: {runtime_warning(made.runtime)}; build with --python {PYTHONS[-1]}", file=sys.stderr)
    if dist is None:
        print(
            "the names of the zips are parameters: every deployment must give those of its zips; or say --dist",
            file=sys.stderr,
        )
    else:
        print("put the zips into your bucket before you deploy, where BUCKET is its name:", file=sys.stderr)
        # Where the template goes to a file, standard output is free: it is a script.
        for line in _uploads(made, dist):
            print(line, file=sys.stderr if output is None else sys.stdout)
    return 0


def _target(arguments: argparse.Namespace) -> Target | None:
    if arguments.dist is None:
        return Target(arguments.arch or "x86_64", arguments.python or default_python())
    if arguments.arch is None and arguments.python is None:
        return None
    built = read_manifest(arguments.dist / "create.zip")
    return Target(arguments.arch or built.architecture, arguments.python or built.runtime.removeprefix("python"))


def _uploads(made: Template, dist: Path) -> Iterator[str]:
    for trigger, key in made.uploads.items():
        yield f'aws s3 cp {shlex.quote(str(dist / f"{trigger}.zip"))} "s3://${{BUCKET:?}}/{key}"'
