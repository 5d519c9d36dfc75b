"""Flows whose template is made in tests, and zips that say that they are built of them."""

import attrs

from kit.checked_flows import Toy
from watchword import Flow, attribute, enrol, enrolled, one_of, sequence, when
from watchword.algebra.flow import needs_store
from watchword.contract.ports import Permission
from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.manifest import FlowMark, Manifest
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS
from watchword_adapters.deploy.target import Target
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

TARGET = Target("arm64", "3.12")
MAIL = Flow(sequence(Srp(), EmailOtp(length=6)), name="mail")
PICTURE = Flow(sequence(Srp(), Captcha()), name="picture")
TIERS = Flow(sequence(Srp(), when(attribute("custom:tier", "gold"), Captcha(), EmailOtp())), name="tiers")
APP = Flow(sequence(EmailOtp(), when(enrolled("totp"), one_of(Totp(), RecoveryCodes()))), name="app")
SET_UP = Flow(sequence(Srp(), enrol(Totp())), name="set_up")
KEYS = Flow(one_of(Passkey(rp_id="example.com", origins=("https://example.com",)), EmailOtp()), name="keys")
REMEMBERING = {"app": APP, "set_up": SET_UP, "keys": KEYS}


@attrs.frozen
class Oracle(Toy):
    """A kind that asks a service."""

    permissions = (
        Permission(
            ("bedrock:InvokeModel",), ("arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/oracle",)
        ),
    )


def zips(folder, flow=MAIL, *, of=POOL_TRIGGERS, filling=b"", **said):
    """Write zips into *folder* that say of themselves that they are built of *flow*; *said* is what else they say."""
    folder.mkdir(exist_ok=True)
    for trigger in of:
        full = trigger != "define"
        manifest = Manifest(
            trigger=trigger,
            handler=f"{trigger}.{trigger}",
            runtime=TARGET.runtime,
            architecture=TARGET.architecture,
            flow=FlowMark(flow.name, flow.fingerprint),
            ledgers=("dynamodb",) if full else (),
            credentials=("dynamodb",) if full and isinstance(flow, Flow) and needs_store((flow,)) else (),
            couriers=("ses",) if trigger == "create" else (),
        )
        changed = attrs.evolve(manifest, **said).as_json()
        (folder / f"{trigger}.zip").write_bytes(pack_zip({"watchword.json": changed, "filling": filling}).data)
    return folder
