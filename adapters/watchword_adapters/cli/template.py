"""`watchword template`: the CloudFormation template of a flow's functions, table, key and pool."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.deploy import yaml_text
from watchword_adapters.deploy.target import ARCHITECTURES, PYTHONS, Target, default_python
from watchword_adapters.deploy.template import Template

_EPILOG = """\
The functions get what their flow needs and no more: only Create may send, and only if a kind sends e-mail. Parameters: CodeBucket,
Sender (for flows that send), LogRetentionDays, AlarmTopicArn, and UserPoolId with --existing-pool.

example:
  watchword build flow.toml -o dist/
  watchword template flow.toml --dist dist/ -o watchword.yaml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword template`."""
    parser.description = (
        "Write the CloudFormation template of a flow: functions, roles, table, key, alarms, pool and client."
    )
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to FILE in place of standard output")
    parser.add_argument("--format", default="yaml", choices=("yaml", "json"), help="(%(default)s)")
    parser.add_argument(
        "--dist", type=Path, metavar="FOLDER", help="the built zips: their names in S3 then tell their content"
    )
    parser.add_argument("--arch", default="x86_64", choices=tuple(ARCHITECTURES), help="the processor (%(default)s)")
    parser.add_argument("--python", default=default_python(), choices=PYTHONS, help="Lambda's Python (%(default)s)")
    parser.add_argument(
        "--existing-pool", action="store_true", help="the pool is there: watchword doctor tells how to attach it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the template; say how the zips get into the bucket."""
    made = Template(
        read_flow(arguments), Target(arguments.arch, arguments.python), arguments.dist, arguments.existing_pool
    )
    document = made.document()
    text = yaml_text.dump(document) if arguments.format == "yaml" else json.dumps(document, indent=2) + "\n"
    if arguments.output is None:
        print(text, end="")
    else:
        arguments.output.write_text(text, encoding="utf-8")
    if arguments.dist is not None:
        print("put the zips into your bucket before you deploy:", file=sys.stderr)
        for trigger, key in made.uploads.items():
            print(f"  aws s3 cp {arguments.dist / f'{trigger}.zip'} s3://BUCKET/{key}", file=sys.stderr)
    return 0
