"""The start of a built function: from its zip alone, with what Lambda gives and nothing of this machine."""

import inspect
import platform
import textwrap
from itertools import product

import pytest

from watchword import errors
from watchword.contract import Powers
from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.build.smoke_test import BuildError, smoke_test
from watchword_adapters.deploy.manifest import FlowMark, Manifest
from watchword_adapters.deploy.target import PYTHONS, Target, this_python

pytestmark = pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python")
OTHER = next(each for each in PYTHONS if each != this_python())


def tried(files, *modules, python=None, arch="x86_64", own=True, trigger="create", **facts):
    """Start a function of *files*; return what could not be tried."""
    target = Target(arch, python or this_python())
    manifest = Manifest(
        trigger, f"{trigger}.{trigger}", target.runtime, arch, FlowMark("acme", "f"), watchword="0", **facts
    )
    archive = pack_zip({name: text.encode() for name, text in files.items()})
    return smoke_test(archive, manifest, modules, target, own=own).untried


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import nowhere", "nowhere"),
        ("import attr", "attr"),
        ("from nowhere.deep import x", "nowhere"),
        ("import beside.missing", "beside.missing"),
        ("from . import x", ""),
        ("class A:\n    import nowhere", "nowhere"),
        ("with open(__file__):\n    import nowhere", "nowhere"),
        ("try:\n    import json\nfinally:\n    import nowhere", "nowhere"),
        ("try:\n    import nowhere\nexcept ValueError:\n    pass", "nowhere"),
        ("import beside.loads", "nowhere"),
    ],
)
@pytest.mark.parametrize("python", [this_python(), OTHER])
def test_what_is_imported_and_not_there_is_found_on_every_python(python, source, module):
    """By starting where that can be, and by looking through the imports elsewhere; what is installed here does not count."""
    files = {"create.py": source, "beside/__init__.py": "", "beside/loads.py": "import nowhere"}
    with pytest.raises(
        BuildError, match=f"^create.zip does not start from what is in it, so nothing was written: .*{module}"
    ):
        tried(files, python=python)


@pytest.mark.parametrize(
    "source",
    [
        "import json, boto3.session, botocore.config, urllib3",
        "def later():\n    import nowhere",
        "async def later():\n    from nowhere import x",
        "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None",
        "try:\n    import json\nexcept ImportError:\n    import nowhere",
        "import sys\nif sys.platform == 'never':\n    import nowhere",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nowhere",
        "import beside.found\nfrom beside import found, name\nfrom beside.found import x\nimport folder.inner",
    ],
)
@pytest.mark.parametrize("python", [this_python(), OTHER])
def test_what_need_not_be_there_is_not_asked_for(python, source):
    """The standard library, boto3 where it is the runtime's, and imports that are late, guarded or for type checkers."""
    files = {
        "create.py": source,
        "beside/__init__.py": "name = 1",
        "beside/found.py": "from . import name\nx = 1",
        "folder/inner.py": "",
    }
    assert (
        "" if python == this_python() else f"it was not started: it is for Python {python}, this is {this_python()}"
    ) == (tried(files, python=python))


def test_boto3_is_in_reach_only_where_it_is_the_runtimes():
    """A function that ships its own does not find this machine's."""
    assert "" == tried({"create.py": "import boto3"})
    with pytest.raises(BuildError, match="boto3"):
        tried({"create.py": "import boto3"}, distributions={"boto3": "1"})


def test_the_environment_is_lambdas(monkeypatch):
    """The name of the handler, the folder, a region, made-up credentials and settings: nothing of who builds."""
    monkeypatch.setenv("WATCHWORD_KEY", "of the operator")
    monkeypatch.setenv("ACME_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    source = (
        "import os, sys\n"
        "assert os.environ['_HANDLER'] == 'create.create'\n"
        "assert os.getcwd() == os.environ['LAMBDA_TASK_ROOT'] == sys.path[0]\n"
        "assert os.environ['AWS_REGION'] and os.environ['AWS_LAMBDA_FUNCTION_NAME']\n"
        "assert os.environ['WATCHWORD_KEY'] != 'of the operator'\n"
        "assert not {'ACME_SECRET', 'PYTHONPATH', 'HOME'} & {*os.environ}\n"
        "assert not [each for each in sys.path if 'site-packages' in each or each == '/nowhere']\n"
    )
    assert "" == tried({"create.py": source})


def test_every_module_that_the_function_may_load_is_loaded():
    """The kinds, the ledger and the courier too, which a handler may load later."""
    with pytest.raises(BuildError, match=r"importing kind ends with ZeroDivisionError: .*\(kind.py, line 1\)"):
        tried({"create.py": "", "kind.py": "1 / 0"}, "kind")


@pytest.mark.parametrize(
    "source", ["import os; os._exit(3)", "import sys; sys.exit(0)", "raise KeyboardInterrupt", "1 / 0"]
)
def test_whatever_ends_a_start_is_a_failure(source):
    """A process that goes away, or an exception of any kind."""
    with pytest.raises(BuildError, match="does not start"):
        tried({"create.py": source})


REFUSING = {
    "create.py": "from watchword import errors\nraise errors.ConfigurationError('set ACME')",
    "watchword/__init__.py": "",
}
ERRORS = "class ConfigurationError(Exception): pass"


def test_a_setting_that_only_the_operator_knows_is_no_failure_for_kinds_of_others():
    """Their modules are loaded, and the output says so first, and then that they were not started. Watchword's own need nothing unknown."""
    files = {**REFUSING, "watchword/errors.py": ERRORS}
    told = tried(files, own=False)
    assert told.startswith("all of it loads. ")
    assert told.endswith(" so it was not started here: set ACME")
    assert "Error" not in told
    with pytest.raises(BuildError, match="set ACME"):
        tried(files)
    files["create.py"] = (
        "from watchword import errors\ntry:\n    __import__('nowhere')\n"
        "except ImportError as error:\n    raise errors.ConfigurationError('x') from error"
    )
    with pytest.raises(BuildError, match="No module named 'nowhere'"):
        tried(files, own=False)


@pytest.mark.parametrize("raised", ["ZeroDivisionError()", "SystemExit(3)", "KeyError('ACME')"])
def test_a_prepare_that_breaks_is_a_failure_for_kinds_of_others_too(raised):
    """It asks for no setting: what it raised is told, as the engine hands it on."""
    method = textwrap.dedent(inspect.getsource(Powers.set_up))
    files = {
        "watchword/__init__.py": "",
        "watchword/errors.py": inspect.getsource(errors),
        "create.py": f"from watchword.errors import ConfigurationError, WatchwordError\n{method}\n"
        "class Odd:\n"
        f"    def prepare(self):\n        raise {raised}\n"
        "set_up(Odd(), 'kind odd')\n",
    }
    with pytest.raises(
        BuildError, match=rf"importing create ends with {raised.partition('(')[0]}: .*\(create.py, line \d+\)"
    ):
        tried(files, own=False)
    files["create.py"] = files["create.py"].replace(f"raise {raised}", "raise ConfigurationError('set ACME')")
    assert "set ACME" in tried(files, own=False)


@pytest.mark.parametrize(
    ("here", "library", "arch", "started"),
    [
        (("Linux", "x86_64"), ("glibc", "2.36"), "x86_64", True),
        (("Linux", "x86_64"), ("glibc", "2.17"), "x86_64", False),
        (("Linux", "x86_64"), ("", ""), "x86_64", False),
        (("Linux", "aarch64"), ("glibc", "2.36"), "arm64", True),
        (("Linux", "x86_64"), ("glibc", "2.36"), "arm64", False),
        (("Darwin", "arm64"), ("", ""), "arm64", False),
    ],
)
def test_compiled_code_is_started_only_where_it_runs(here, library, arch, started, monkeypatch):
    """On Linux, on this processor, with a C library at least as new; Python alone is started everywhere."""
    monkeypatch.setattr(platform, "system", lambda: here[0])
    monkeypatch.setattr(platform, "machine", lambda: here[1])
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    assert "" == tried({"create.py": ""}, arch=arch)
    untried = tried({"create.py": "", "fast.cpython-311-x86_64-linux-gnu.so": ""}, arch=arch)
    assert started is (not untried)
    assert started or "it was not started: it holds code for" in untried


def test_every_trigger_is_started_with_every_setting():
    """One environment for all functions, so each is tried with what it does not need."""
    for trigger, name in product(("define", "create", "verify"), ("KEY", "LEDGER", "COURIER")):
        assert "" == tried({f"{trigger}.py": f"import os; os.environ['WATCHWORD_{name}']"}, trigger=trigger)
