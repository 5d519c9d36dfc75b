"""What cfn-lint says of the templates, and the dates of Lambda's runtimes that it brings."""

import importlib.util
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from kit.template_flows import MAIL, PICTURE, REMEMBERING, TARGET, TIERS, Oracle, zips
from watchword import Flow
from watchword_adapters.deploy.reading import template_text
from watchword_adapters.deploy.runtimes import RUNTIME_ENDS, SOURCE
from watchword_adapters.deploy.stack.template import Template
from watchword_plugins.sms_otp import SmsOtp

pytestmark = pytest.mark.exhaustive

TEXTED = Flow(SmsOtp(length=8, countries=("+49",)), name="texted")


def test_cfn_lint_finds_nothing(tmp_path):
    """For flows that send and do not, with conditions, that remember, with APIs, a new pool and an existing one, in YAML and JSON."""
    if importlib.util.find_spec("cfnlint") is None:
        pytest.skip("pip install cfn-lint")
    files = []
    for name, flow in {"mail": MAIL, "picture": PICTURE, "tiers": TIERS}.items():
        for existing in (False, True):
            document = Template(flow, TARGET, existing_pool=existing).document()
            files.append(tmp_path / f"{name}_{existing}.yaml")
            files[-1].write_text(template_text.template_as_yaml(document))
    for name, flow in REMEMBERING.items():
        for existing in (False, True):
            document = Template(
                flow,
                TARGET,
                existing_pool=existing,
                credentials_api=True,
                dialect="passwordless" if name == "keys" else "",
            ).document()
            files.append(tmp_path / f"{name}_{existing}.yaml")
            files[-1].write_text(template_text.template_as_yaml(document))
    zips(tmp_path / "smtp")
    zips(tmp_path / "smtp", of=["create"], couriers=("smtp",))
    for name, document in {
        "smtp": Template(MAIL, dist=tmp_path / "smtp").document(),
        "url": Template(MAIL, TARGET, courier="ses://?from=a@b.example&configuration_set=log-in").document(),
        "sms-voice": Template(TEXTED, TARGET, courier="sms-voice://?origination=pool-0123&max_price=0.10").document(),
        "sns": Template(TEXTED, TARGET, courier="sns://").document(),
        "kind": Template(Flow(Oracle("oracle", frozenset({"knowledge"}))), TARGET).document(),
        "attribute": Template(MAIL, TARGET, attributes=("custom:tier",)).document(),
    }.items():
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(template_text.template_as_yaml(document))
    files.append(tmp_path / "mail.json")
    files[-1].write_text(json.dumps(Template(MAIL, TARGET).document()))
    run = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-1", "--", *map(str, files)],
        capture_output=True,
        text=True,
    )
    assert (0, "") == (run.returncode, run.stdout), run.stdout + run.stderr


def test_the_table_is_that_of_its_source():
    """AWS moves dates: whoever takes a newer source renews the table, and an older one says something else."""
    cfnlint = pytest.importorskip("cfnlint", reason="pip install cfn-lint")
    name, _, taken = SOURCE.partition(" ")
    if Version(version(name)) != Version(taken):
        pytest.skip(f"the table is of {SOURCE}")
    file = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    told = {name: each for name, each in json.loads(file.read_text()).items() if name.startswith("python3.")}
    expected = {name: (each["deprecated"], each["create-block"], each["update-block"]) for name, each in told.items()}
    assert expected == {name: (each.deprecated, each.no_new, each.no_changed) for name, each in RUNTIME_ENDS.items()}
