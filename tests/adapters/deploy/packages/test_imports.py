"""What a function needs, found by following the imports of its modules."""

import pytest

import watchword
from watchword import contract
from watchword_adapters.deploy.packages.imports import follow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder of modules for all names: which distributions are plugins is found once for each `sys.path`."""
    made = tmp_path_factory.mktemp("modules")
    with pytest.MonkeyPatch.context() as patches:
        patches.syspath_prepend(made)
        yield made


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in (watchword, contract) for name in package.__all__]
)
def test_a_public_name_brings_the_module_that_it_comes_from(package, name, folder):
    """The engine loads it when it is asked for: no import statement leads there."""
    (folder / "acme_kind.py").write_text(f"from {package.__name__} import {name}\n")

    files = follow(["acme_kind"]).files

    assert f"{package._HOMES[name].replace('.', '/')}.py" in files


def test_a_name_that_is_not_there_brings_nothing(tmp_path, monkeypatch):
    """It fails when the function is tried, and the build says so."""
    (tmp_path / "acme_kind.py").write_text("from watchword import nothing_of_this_name\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert {"acme_kind.py", "watchword/__init__.py"} == set(follow(["acme_kind"]).files)
