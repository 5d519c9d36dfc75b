"""What a built zip says of itself: read as it was written, and nothing else is taken for it."""

import io
import json
import zipfile

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.artefact import shelf_of
from kit.paths import FLOWS
from watchword import ConfigurationError, load_flow
from watchword.loading.registry import Registry
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.function_plan import plan_function
from watchword_adapters.deploy.manifest import MANIFEST_NAME, FlowMark, Manifest, read_manifest
from watchword_adapters.deploy.stack.pool_needs import pool_needs
from watchword_adapters.deploy.target import PYTHONS, Target

pytestmark = pytest.mark.exhaustive

TEXT = st.text(max_size=20)
MARKS = st.builds(FlowMark, TEXT, TEXT)
NAMES = st.lists(TEXT, max_size=3).map(lambda names: tuple(sorted(names)))
MANIFESTS = st.builds(
    Manifest,
    *[TEXT] * 4,
    MARKS,
    st.lists(MARKS, max_size=2).map(tuple),
    *[NAMES] * 4,
    st.dictionaries(TEXT, TEXT, max_size=3),
    TEXT,
    NAMES,
    st.integers(0, 15),
    TEXT,
    NAMES,
)


def zipped(folder, files):
    """Write a zip of *files*; return its path."""
    path = folder / "create.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@given(MANIFESTS)
@settings(max_examples=50)
def test_a_manifest_is_read_as_it_was_written(tmp_path_factory, manifest):
    """Whatever texts stand in it; the file is the same for the same manifest."""
    assert manifest == read_manifest(zipped(tmp_path_factory.mktemp("zip"), {MANIFEST_NAME: manifest.as_json()}))
    assert manifest.as_json() == evolve(manifest).as_json()


@pytest.mark.parametrize("python", PYTHONS[:2])
def test_each_zip_says_what_it_was_built_of(python, tmp_path):
    """Runtime, processor, both flows, kinds, and of ledger and courier what the function has."""
    own, previous = FLOWS / "srp_then_code.toml", FLOWS / "email_code.toml"
    order = BuildOrder(
        str(own), Target("arm64", python), (str(previous),), couriers=("smtp",), wheels=shelf_of(tmp_path / "wheels")
    )
    build(order).write(tmp_path / "dist")
    said = {each: read_manifest(tmp_path / "dist" / f"{each}.zip") for each in ("define", "create", "verify")}
    marks = [FlowMark(flow.name, flow.fingerprint) for flow in map(load_flow, (own, previous))]
    for trigger, each in said.items():
        assert (trigger, f"{trigger}.{trigger}") == (each.trigger, each.handler)
        assert (f"python{python}", "arm64") == (each.runtime, each.architecture)
        assert marks == [each.flow, *each.previous]
        assert ("email_otp", "srp") == each.kinds
        assert pool_needs(list(map(load_flow, (own, previous)))) == {
            name: getattr(each, name) for name in ("attributes", "session_minutes", "recovery")
        }
    assert [(), ("dynamodb",), ("dynamodb",)] == [each.ledgers for each in said.values()]
    assert [(), ("smtp",), ()] == [each.couriers for each in said.values()]
    assert [set(), {"attrs", "pluggy"}, {"attrs", "pluggy"}] == [set(each.distributions) for each in said.values()]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"format": None},
        {"flow": "acme"},
        {"flow": {"name": "acme"}},
        {"kinds": "srp"},
        {"kinds": [1]},
        {"runtime": None},
        {"attributes": "custom:tier"},
        {"session_minutes": "3"},
        {"session_minutes": True},
        {"previous": {}},
        {"distributions": []},
        {"distributions": {"a": 1}},
    ],
    ids=repr,
)
def test_another_form_is_refused(change, tmp_path):
    """A manifest of another version, or one that somebody wrote by hand: the file and the remedy are named."""
    good = json.loads(Manifest("create", "create.create", "python3.12", "arm64", FlowMark("acme", "f")).as_json())
    path = zipped(tmp_path, {MANIFEST_NAME: json.dumps({**good, **change})})
    with pytest.raises(ConfigurationError, match=r"create\.zip: its watchword\.json .* run watchword build again"):
        read_manifest(path)
    del good["runtime"]
    for said in ("[]", "null", "3", json.dumps(good)):
        with pytest.raises(ConfigurationError, match="run watchword build again"):
            read_manifest(zipped(tmp_path, {MANIFEST_NAME: said}))


def test_what_is_no_built_zip_is_refused_by_name(tmp_path):
    """No file, an empty one, a folder, a zip of something else, JSON that is none, and one that is too big."""
    path = tmp_path / "create.zip"
    with pytest.raises(ConfigurationError, match=r"create\.zip is not there: run watchword build first"):
        read_manifest(path)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(MANIFEST_NAME, b"0" * 2_000_000)
    others = [b"", b"no zip", bomb.getvalue()]
    for data in others:
        path.write_bytes(data)
        with pytest.raises(ConfigurationError, match=r"create\.zip.*run watchword build again"):
            read_manifest(path)
    for files in (
        {},
        {"other.json": "{}"},
        {MANIFEST_NAME: "{"},
        {MANIFEST_NAME: b"\xff"},
        {MANIFEST_NAME: "[" * 100_000},
    ):
        with pytest.raises(ConfigurationError, match=r"create\.zip.*run watchword build again"):
            read_manifest(zipped(tmp_path, files))
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match=r"create\.zip.*run watchword build again"):
        read_manifest(path)


def test_verify_holds_a_courier_where_a_step_enrols(tmp_path):
    """For the notice to the user; Create holds one only where a kind sends."""
    path = tmp_path / "flow.toml"
    path.write_text('[[steps]]\nkind = "srp"\n\n[[steps]]\nenrol = { kind = "totp" }\n')
    order, flows = BuildOrder(str(path), Target("arm64", PYTHONS[0]), couriers=("ses",)), [load_flow(path)]
    held = {each: plan_function(each, order, flows, Registry(), {}).manifest.couriers for each in ("create", "verify")}
    assert {"create": (), "verify": ("ses",)} == held
