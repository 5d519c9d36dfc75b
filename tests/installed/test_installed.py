"""What is tested here is what was installed, and nothing of it comes from the checkout."""

import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

from conftest import CHECKOUT

SITE = Path(sysconfig.get_path("purelib")).resolve()


@pytest.mark.parametrize("package", ["watchword", "watchword_plugins", "watchword_adapters"])
def test_each_package_comes_from_site_packages(package, outside, tmp_path):
    """In an empty folder, by the Python that the pages run."""
    program = f"import {package}; print({package}.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=outside, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert SITE in Path(done.stdout.strip()).resolve().parents


def test_the_installation_is_a_wheel_and_not_editable():
    """Nothing of the checkout is on the path, and no file of the distribution lies there."""
    files = distribution("watchword").files
    assert files
    assert not [each for each in files if each.suffix == ".pth" or "direct_url" in each.name]
    assert not [
        each
        for each in sys.path
        if Path(each).is_relative_to(CHECKOUT) and CHECKOUT / "tests" not in {Path(each), Path(each).parent}
    ]
