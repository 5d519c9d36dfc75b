"""Start a built function from its zip alone, as Lambda would; check its imports where it cannot be started here."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from watchword.errors import ConfigurationError, WatchwordError
from watchword_adapters.deploy.archive import Archive
from watchword_adapters.deploy.manifest import Manifest
from watchword_adapters.deploy.packages.imports import Import, read_imports
from watchword_adapters.deploy.target import ARCHITECTURES, Target, this_python

RUNTIME_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
"""The top-level modules that Lambda's Python runtimes bring."""

_REMEDY = ". What a kind imports must be a requirement of its distribution, or stand in its requires_create or requires_verify"
_PATIENCE = 900  # seconds: only a function that hangs takes so long
# URLs that set a ledger, store or courier up without a call over the network. In Lambda those of one process are refused.
_LEDGERS = {"dynamodb": "dynamodb://watchword", "memory": "process-only", "sqlite": "process-only"}
_STORES = {**_LEDGERS, "dynamodb": "dynamodb://watchword-credentials"}
_COURIERS = {
    "ses": "ses://?from=login%40example.com",
    "sms-voice": "sms-voice://?origination=pool-0123&max_price=0.10",
    "sns": "sns://",
    "smtp": "smtp://127.0.0.1?from=login%40example.com",
    "smtps": "smtps://127.0.0.1?from=login%40example.com",
    "console": "console:",
}

# Nothing of this machine's is in reach but Python itself, and what Lambda's runtime brings.
_PROGRAM = """
import json, sys
told = json.loads(sys.argv[1])
sys.path.insert(0, told["folder"])
class Runtime:
    def find_spec(name, path=None, target=None):
        if path is None and name in told["runtime"]:
            from importlib.machinery import PathFinder
            return PathFinder.find_spec(name, told["sites"])
sys.meta_path.append(Runtime)
doing = ""
try:
    from importlib import import_module
    for doing in told["modules"]:
        import_module(doing)
    outcome = {"started": True}
except BaseException as error:
    chain, each = [], error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    missing = [each for each in chain if isinstance(each, ImportError)]
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    # Powers.set_up says of a plugin that its prepare() failed: what that raised is told.
    wrapped = error.__cause__ is not None and last.tb_frame.f_code.co_name == "set_up"
    # The first failed import is why there were others.
    cause = missing[-1] if missing else error.__cause__ if wrapped else error
    place, each = "", cause.__traceback__
    while each is not None:
        file = each.tb_frame.f_code.co_filename
        for root in (told["folder"] + "/", "/var/task/"):
            if file.startswith(root):
                place = f"{file[len(root):]}, line {each.tb_lineno}"
        each = each.tb_next
    said = " ".join(str(cause).split())[:300]
    kind = type(cause).__name__
    outcome = {"started": False, "doing": doing, "place": place, "said": said, "kind": kind, "imports": bool(missing)}
with open(told["report"], "w", encoding="utf-8") as report:
    json.dump(outcome, report)
"""


class BuildError(WatchwordError):
    """Raised if what was built does not run: a function does not start from its zip alone. Nothing is written then."""


@frozen
class SmokeTestResult:
    """How a function was tried. *untried* says what could not be tried here; empty if it was started."""

    trigger: str
    untried: str = ""


def smoke_test(
    archive: Archive, manifest: Manifest, modules: Collection[str], target: Target, *, own: bool = True
) -> SmokeTestResult:
    """Start the function in *archive* in a clean process, in which *modules* and its handler are imported.

    *own* says that kinds, ledger and courier are Watchword's, so that nothing else has to be set for them.

    The process has no environment but what Lambda gives and throw-away settings, and sees no installed package but
    boto3, where the one of Lambda's runtime is used. Where *target* is not this machine, the imports are looked through.

    Raises:
        BuildError: if it does not start, or something that it imports is not in the zip.
    """
    runtime = frozenset(() if "boto3" in manifest.distributions else RUNTIME_MODULES)
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        files = {name: opened.read(name) for name in opened.namelist() if name.endswith(".py")}
        handler = manifest.handler.partition(".")[0]
        for importer, module in _lacking(files, archive.files, [handler, *modules], runtime):
            raise BuildError(_told(manifest, f"{importer} imports {module}, which is not in the zip{_REMEDY}"))
        untried = _why_not_here(archive, target)
        if untried:
            return SmokeTestResult(manifest.trigger, untried)
        with TemporaryDirectory(prefix="watchword-trial-") as work:
            folder = Path(work).resolve() / "task"
            opened.extractall(folder)
            untried = _started(folder, Path(work) / "report.json", manifest, [*modules, handler], runtime, own=own)
    return SmokeTestResult(manifest.trigger, untried)


def _started(
    folder: Path,
    report: Path,
    manifest: Manifest,
    modules: Collection[str],
    runtime: Collection[str],
    *,
    own: bool,
) -> str:
    """Start it; return what could not be tried.

    Raises:
        BuildError: if it does not start.
    """
    told = {
        "folder": str(folder),
        "report": str(report.resolve()),
        "modules": list(modules),
        "runtime": sorted(runtime),
        "sites": _sites(runtime),
    }
    try:
        ended = subprocess.run(  # noqa: S603 - this interpreter, and a program that stands above
            [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, json.dumps(told)],
            cwd=folder,
            env=_environment(folder, manifest),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(_told(manifest, f"it took more than {_PATIENCE} s")) from None
    if not report.exists():
        raise BuildError(_told(manifest, f"its process ended with status {ended.returncode} while it started"))
    outcome = json.loads(report.read_text(encoding="utf-8"))
    if outcome["started"]:
        return ""
    said = f"{outcome['kind']}: {outcome['said']}"
    if outcome["kind"] == ConfigurationError.__name__ and not outcome["imports"] and not own:
        # What a kind, ledger or courier of somebody else's must be told is not known here; its modules are loaded.
        return (
            "all of it loads. A part that is not Watchword's wants a setting which only the function has, so it was not started here: "
            f"{outcome['said']}"
        )
    where = f" ({outcome['place']})" if outcome["place"] else ""
    remedy = _REMEDY if outcome["imports"] else ""
    raise BuildError(_told(manifest, f"importing {outcome['doing']} ends with {said}{where}{remedy}"))


def _told(manifest: Manifest, why: str) -> str:
    return f"{manifest.trigger}.zip does not start from what is in it, so nothing was written: {why}"


def _environment(folder: Path, manifest: Manifest) -> dict[str, str]:
    given = {
        "AWS_LAMBDA_FUNCTION_NAME": "watchword-build",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{manifest.runtime}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "example",
        "AWS_SECRET_ACCESS_KEY": "example",
        "LAMBDA_TASK_ROOT": str(folder),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": manifest.handler,
        # Neither the files nor the network of this machine tell it who it is.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in ("SYSTEMROOT", "LD_LIBRARY_PATH"):  # without them some Pythons do not start
        if name in os.environ:
            given[name] = os.environ[name]
    # One environment serves all functions: a setting that a function does not need is there all the same.
    for name in ("WATCHWORD_KEY", "WATCHWORD_ROOT_KEY"):
        given[name] = b64encode(os.urandom(32)).decode()
    for scheme in manifest.ledgers or ("dynamodb",):
        given["WATCHWORD_LEDGER"] = _LEDGERS.get(scheme, f"{scheme}://watchword")
    for scheme in manifest.credentials or ("dynamodb",):
        given["WATCHWORD_CREDENTIALS"] = _STORES.get(scheme, f"{scheme}://watchword")
    given |= {"WATCHWORD_POOL": "us-east-1_Example", "WATCHWORD_CLIENTS": "example"}
    couriers = manifest.couriers or ("ses",)
    given["WATCHWORD_COURIER"] = " ".join(_COURIERS.get(scheme, f"{scheme}://watchword") for scheme in couriers)
    return given


def _sites(modules: Collection[str]) -> list[str]:
    specs = [find_spec(each) for each in modules]
    return sorted(
        {
            str(Path(spec.origin).parent.parent if spec.submodule_search_locations else Path(spec.origin).parent)
            for spec in specs
            if spec is not None and spec.origin
        }
    )


def _why_not_here(archive: Archive, target: Target) -> str:
    if not target.is_this_python:
        return f"it was not started: it is for Python {target.python}, this is {this_python()}"
    if not any(name.endswith(".so") or ".so." in name for name in archive.files):
        return ""
    here = f"{platform.system()} on {platform.machine()}"
    if here != f"Linux on {ARCHITECTURES[target.architecture]}":
        return f"it was not started: it holds code for Linux on {target.architecture}, this is {here}"
    library, version = platform.libc_ver()
    minor = version.removeprefix("2.").partition(".")[0]
    if library != "glibc" or not minor.isdecimal() or int(minor) < target.glibc:
        return f"it was not started: it holds code for glibc 2.{target.glibc}, this is {library or 'another C library'} {version}".rstrip()
    return ""


def _lacking(
    files: Mapping[str, bytes], names: Collection[str], roots: Collection[str], runtime: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield each module that is surely imported when *roots* are, and is not among *files*, with its importer."""
    there = _modules(names)
    waiting, seen = [("the handler", root) for root in roots], set[str]()
    while waiting:
        importer, module = waiting.pop()
        for name in _upwards(module):
            if name in seen:
                continue
            seen.add(name)
            if name not in there:
                yield importer, name
                break
            path = there[name]
            if path in files:
                for each in _read(name, path, files[path]):
                    waiting += [(name, found) for found in _meant(each, there, runtime)]


def _meant(each: Import, there: Collection[str], runtime: Collection[str]) -> Iterator[str]:
    """Yield the modules of *each* that must be in the zip, or are."""
    top = each.module.partition(".")[0]
    if top in sys.stdlib_module_names or top in runtime:
        return
    if each.module in there or (each.certain and not each.optional):
        yield each.module
    yield from (f"{each.module}.{name}" for name in each.names if f"{each.module}.{name}" in there)


def _read(module: str, path: str, source: bytes) -> tuple[Import, ...]:
    try:
        return read_imports(module, source, is_package=path.endswith("/__init__.py"), where=path)
    except ConfigurationError:
        return ()  # of another Python: what does not compile is found elsewhere


def _upwards(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _modules(names: Collection[str]) -> dict[str, str]:
    """Return the file of each module among *names*; a folder's, for one that has no file of its own."""
    found: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        for count in range(1, len(parts)):
            found.setdefault(".".join(parts[:count]), "")
        stem, dot, ending = parts[-1].partition(".")
        if dot and (ending == "py" or ending.endswith("so")):
            module = parts[:-1] if stem == "__init__" else [*parts[:-1], stem]
            found[".".join(module)] = name
    return found
