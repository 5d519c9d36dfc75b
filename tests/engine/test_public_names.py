"""The names of `watchword` and of other packages that have such a table: each has one home, and nothing is loaded before it is asked for."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import watchword
from watchword import contract
from watchword_adapters import deploy

PACKAGES = (watchword, contract, deploy)


def loaded_by(code, **environment):
    """The modules that a fresh process has after *code* and did not have before."""
    program = f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment or None)
    assert not ran.returncode, ran.stderr
    return set(ran.stdout.split())


def test_importing_watchword_loads_nothing_else():
    """Not even `typing`: a Lambda function that is set up pays for what it uses alone."""
    assert {"watchword"} == loaded_by("import watchword")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_the_three_lists_of_names_agree(package):
    """What type checkers see, what a star takes, and what is loaded when asked for."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (checked,) = (each for each in tree.body if isinstance(each, ast.If))
    seen = {
        alias.name: f"{each.module}"
        for each in checked.body
        if isinstance(each, ast.ImportFrom) and each.module.startswith("watchword")
        for alias in each.names
    }
    assert seen == package._HOMES
    assert sorted(seen) == sorted(package.__all__)


def test_a_name_is_public_once():
    """Whoever reads an import knows the one place where it is explained."""
    assert set() == set(watchword.__all__) & set(contract.__all__)


@pytest.mark.parametrize(("package", "name"), [(package, name) for package in PACKAGES for name in package.__all__])
def test_a_public_name_is_what_its_home_defines(package, name):
    """It is the same object however it is imported, and `dir` shows it."""
    home = import_module(package._HOMES[name])
    value = getattr(package, name)
    assert getattr(home, name) is package.__getattr__(name) is value
    assert home.__name__ == value.__module__ or not isinstance(value, type | FunctionType)
    assert name in dir(package)


def test_a_name_that_is_not_there_is_refused_as_by_any_module():
    """`hasattr` and `from watchword import …` rely on it."""
    with pytest.raises(AttributeError, match="module 'watchword' has no attribute 'absent'"):
        watchword.absent  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'absent'"):
        exec("from watchword import absent")


def test_a_name_is_looked_up_once():
    """Afterwards it is an attribute like any other."""
    assert watchword.Flow is vars(watchword)["Flow"]


DEFINE = (
    "from watchword import Flow; from watchword_adapters.aws_lambda import triggers; "
    "from watchword_plugins.email_otp import EmailOtp; define = triggers(Flow(EmailOtp())).define; "
    "define({'request': {'session': []}}, None)"
)


def test_a_function_that_only_defines_loads_neither_plugins_nor_files_nor_create():
    """Not built, a flow in Python: the registry, the reader of TOML and Create stay out."""
    names = loaded_by(DEFINE, AWS_LAMBDA_FUNCTION_NAME="acme", _HANDLER="handlers.define", PATH="")
    assert "watchword.algebra.derivative" in names
    spared = {*("loading", "runtime.engine", "runtime.creation", "runtime.verification", "analysis", "testing")}
    assert not {"pluggy", "tomllib", "importlib.metadata"} & names
    assert not {f"watchword.{each}" for each in spared} & names
