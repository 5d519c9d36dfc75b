"""`watchword build`: the functions of a flow as zips for AWS Lambda, the same bytes whenever they are built."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from watchword.errors import ConfigurationError
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.deploy.build.artefact import BuiltFunction, BuiltFunctions, build, check_scheme
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.manifest import FUNCTIONS
from watchword_adapters.deploy.runtimes import runtime_warning
from watchword_adapters.deploy.target import ARCHITECTURES, PYTHONS, Target, default_python, this_python
from watchword_adapters.dialects.dialect import DIALECTS

_BIG_ZIP = 50 * 1024 * 1024
_EPILOG = """\
The zip of Define holds a few small files, without the engine. Those of Create and Verify hold the modules that the flow
needs, as they are installed here. Compiled packages are fetched for the target by pip. Each function is then started from
its zip alone; if one does not start, nothing is written. Secrets, .env files and version control are refused.
Handlers: define.define, create.create, verify.verify, and pre_token.pre_token, credentials_api.credentials_api and fido2_api.fido2_api if they are built.

example:
  watchword build docs/examples/flows/srp_then_code.toml -o dist/"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword build`."""
    parser.description = "Build the functions of a flow for AWS Lambda: define.zip, create.zip, verify.zip, and those of APIs that you ask for."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("dist"), metavar="FOLDER", help="where to (%(default)s)"
    )
    parser.add_argument(
        "--previous", action="append", default=[], metavar="FLOW", help="a flow deployed before; may be given again"
    )
    parser.add_argument("--arch", default="x86_64", choices=tuple(ARCHITECTURES), help="the processor (%(default)s)")
    parser.add_argument(
        "--python",
        default=default_python(),
        choices=PYTHONS,
        help=f"Lambda's Python: {', '.join(PYTHONS)} (%(default)s)",
        metavar="VERSION",
    )
    parser.add_argument("--ledger", default="dynamodb", metavar="SCHEME", help="the ledger's URL scheme (%(default)s)")
    parser.add_argument(
        "--credentials",
        default="dynamodb",
        metavar="SCHEME",
        help="the URL scheme of the store of credentials, for flows that remember (%(default)s)",
    )
    parser.add_argument(
        "--courier",
        action="append",
        metavar="SCHEME",
        help="the courier's URL scheme (ses); may be given again, for flows that send by several channels",
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="a file or folder to ship, below the current one: templates, fonts; may be given again",
    )
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="take wheels from FOLDER and from nowhere else")
    parser.add_argument("--with-boto3", action="store_true", help="ship boto3, in place of the one of Lambda's runtime")
    parser.add_argument(
        "--dialect",
        choices=DIALECTS,
        default="",
        help="speak to a client that others wrote, and build its API: fido2_api.zip",
    )
    parser.add_argument(
        "--credentials-api", action="store_true", help="build the API by which users enrol too: credentials_api.zip"
    )
    parser.add_argument(
        "--pre-token",
        action="store_true",
        help="build the function that tells in tokens what was proved: pre_token.zip",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with every file")


def run(arguments: argparse.Namespace) -> int:
    """Build and write; nothing is written if anything is wrong."""
    read_flow(arguments)  # says what is wrong with the flow, and has modules found in the current folder
    target = Target(arguments.arch, arguments.python)
    _check_folders(arguments.output, arguments.wheels)
    built = build(
        BuildOrder(
            flow=arguments.flow,
            previous=tuple(arguments.previous),
            target=target,
            ledger=check_scheme(arguments.ledger),
            couriers=tuple(map(check_scheme, dict.fromkeys(arguments.courier or ["ses"]))),
            include=tuple(arguments.include),
            wheels=arguments.wheels,
            with_boto3=arguments.with_boto3,
            dialect=arguments.dialect,
            credentials=check_scheme(arguments.credentials),
            credentials_api=arguments.credentials_api,
            pre_token=arguments.pre_token,
        ),
        lambda what: print(f"{what} …", file=sys.stderr, flush=True),
    )
    paths = built.write(arguments.output)
    if not target.is_this_python:
        print(
            f"without bytecode: this is Python {this_python()}, the functions run on {target.python}, so they compile their "
            f"modules at every cold start; build with {target.python} to spare that",
            file=sys.stderr,
        )
    if runtime_warning(target.runtime):
        print(f"warning: {runtime_warning(target.runtime)}; build with --python {PYTHONS[-1]}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({**built.report(), "paths": [str(path) for path in paths]}, indent=2))
    else:
        _tell(built, paths, Terminal())
    return 0


def _check_folders(output: Path, wheels: Path | None) -> None:
    """Refuse folders that are none, before anything is fetched.

    Raises:
        ConfigurationError: if one is none.
    """
    for path in (output, *output.parents):
        if path.exists():
            if not path.is_dir():
                raise ConfigurationError(f"--output {output}: {path} is no folder: give another one")
            break
    for trigger in FUNCTIONS:
        if (output / f"{trigger}.zip").is_dir():
            raise ConfigurationError(f"--output {output}: {trigger}.zip in it is a folder: give another one")
    if wheels is not None and not wheels.is_dir():
        raise ConfigurationError(f"--wheels {wheels}: {wheels} is no folder: give the one that holds the wheels")


def _tell(built: BuiltFunctions, paths: tuple[Path, ...], screen: Terminal) -> None:
    target = built.order.target
    screen.line(f"{built.flow.name} ({built.flow.fingerprint}) for {target.runtime} on {target.architecture}", "title")
    rows = [("FUNCTION", "ZIP", "UNPACKED", "FILES", "HOLDS", "SHA-256")]
    for each, path in zip(built.functions, paths, strict=True):
        size = f"{len(each.archive.data):,}"
        rows.append(
            (
                str(path),
                size,
                f"{each.archive.unpacked:,}",
                str(len(each.archive.files)),
                _holds(each),
                each.archive.sha256[:16],
            )
        )
    screen.table(rows)
    pruned = {wheel.pinned: wheel.pruned for each in built.functions for wheel in each.wheels if wheel.pruned}
    for pinned, left in pruned.items():
        screen.line(f"left out of {pinned}: {left:,} bytes that no function uses", "quiet")
    for each in built.functions:
        if each.project:
            screen.line(f"yours in {each.trigger}.zip: {', '.join(each.project)}", "quiet")
        if each.tried.untried:
            screen.line(f"{each.trigger}.zip: {each.tried.untried}", "warning")
        if len(each.archive.data) > _BIG_ZIP:
            screen.line(f"{each.trigger}.zip is too big to be uploaded as it is (50 MB): put it into S3", "warning")


def _holds(function: BuiltFunction) -> str:
    # Define is made of files alone; a function that needs more and has it not does not start, and is not written.
    return ", ".join(str(wheel.pinned) for wheel in function.wheels) or "its own files"
