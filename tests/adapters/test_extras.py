"""What is not installed is named together with the extra that brings it."""

import sys
import tomllib
from importlib.util import find_spec

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kit.paths import ROOT
from watchword import ConfigurationError
from watchword_adapters.extras import PACKAGES, demand, missing_extra
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.sign_in import signing_keys

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_the_table_says_what_the_extras_bring():
    """Each package of the extras `aws`, `local` and `qr`, under the name by which it is installed."""
    told = {(canonicalize_name(package), extra) for package, extra in PACKAGES.values()}
    assert {
        (canonicalize_name(Requirement(each).name), extra) for extra in ("aws", "local", "qr") for each in EXTRAS[extra]
    } == told


@pytest.mark.parametrize("module", PACKAGES)
def test_what_is_missing_is_named_with_its_remedy(module, monkeypatch):
    """By looking for it, without an import; what is there is no error."""
    package, extra = PACKAGES[module]
    monkeypatch.setitem(sys.modules, module, None)
    assert find_spec(module) is None
    with pytest.raises(ConfigurationError) as error:
        demand("it", "json", module)
    assert (
        str(error.value) == str(missing_extra("it", module)) == f"it needs {package}: pip install 'watchword[{extra}]'"
    )


@pytest.mark.parametrize("module", ["jwt", "cryptography"])
def test_a_pool_without_the_extra_says_what_to_install(module, monkeypatch):
    """When it first needs its keys, however it is reached."""
    monkeypatch.setitem(sys.modules, module, None)
    signing_keys._make_keys.cache_clear()
    with pytest.raises(ConfigurationError, match=r"watchword\[local\]"):
        LocalUserPool(None, None, None).jwks()
