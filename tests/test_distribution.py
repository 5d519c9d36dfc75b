"""What the wheel holds and asks for."""

import subprocess
import sys
import zipfile
from email.parser import HeaderParser

import pytest
from packaging.requirements import Requirement

from kit.paths import ROOT

SOURCES = {name: ROOT / root / name for root, name in (
    ("engine", "watchword"),
    ("plugins", "watchword_plugins"),
    ("adapters", "watchword_adapters"),
)}  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as it would be published, built without network."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = directory.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    """The wheel's METADATA headers."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_three_packages_whole_and_nothing_else(wheel):
    """Every file of the packages (modules, stubs, templates, markers) is shipped; tests and docs are not."""
    expected = {
        f"{name}/{path.relative_to(source).as_posix()}"
        for name, source in SOURCES.items()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert expected == {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_each_package_says_that_it_is_typed(wheel):
    """PEP 561: a package without py.typed is untyped to its users, whatever its annotations say."""
    assert {f"{name}/py.typed" for name in SOURCES} <= set(wheel.namelist())


def test_only_attrs_and_pluggy_are_always_required(metadata):
    """Everything else comes with an extra, so that a Lambda function ships no more than it uses."""
    requirements = [Requirement(line) for line in metadata.get_all("Requires-Dist")]

    assert {"attrs", "pluggy"} == {requirement.name for requirement in requirements if requirement.marker is None}
    assert all("extra ==" in str(requirement.marker) for requirement in requirements if requirement.marker)


def test_the_extras_that_users_are_told_of_exist(metadata):
    """README and error messages name these extras."""
    extras = {"aws", "captcha", "local", "cli", "passkey", "proof-of-work", "qr", "totp", "all"}
    assert extras <= set(metadata.get_all("Provides-Extra"))


def test_the_licence_travels_with_the_wheel(wheel, metadata):
    """Apache-2.0 section 4 (a): every recipient gets a copy of the licence."""
    assert "Apache-2.0" == metadata["License-Expression"]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())
