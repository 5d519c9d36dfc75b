"""What a host runs on is one value: what its program gives comes first, then the environment, then a default."""

import base64

import pytest

from watchword import ConfigurationError, Flow
from watchword.contract.ports import Receipt
from watchword.loading.registry import Registry
from watchword.runtime.keyring import Keyring
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.clock import SystemRandom
from watchword_adapters.couriers import Outbox
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

GIVEN, OTHER = bytes(range(32)), bytes(range(32, 64))
ENVIRONMENT = {
    "WATCHWORD_KEY": base64.b64encode(OTHER).decode(),
    "WATCHWORD_LEDGER": "memory:",
    "WATCHWORD_COURIER": "console:",
}
MAIL = [Flow(EmailOtp())]


def test_what_is_given_comes_before_the_environment():
    """Each setting by itself."""
    ledger, box, clock, audit, registry = MemoryLedger(), Outbox(), VirtualClock(), MemoryAudit(), Registry({})
    settings = HostSettings(
        key=GIVEN, ledger=ledger, courier=box, clock=clock, audit=audit, registry=registry, environment=ENVIRONMENT
    )
    assert Keyring.of(GIVEN).current == settings.keyring.current
    assert {"email": box} == settings.couriers(MAIL)
    assert (ledger, clock, audit, registry) == (settings.ledger, settings.clock, settings.audit, settings.registry)


def test_what_is_not_given_is_in_the_environment():
    """That of the process, unless another is given."""
    settings = HostSettings(environment=ENVIRONMENT)
    assert Keyring.of(OTHER).current == settings.keyring.current
    assert "ConsoleCourier" == type(settings.couriers(MAIL)["email"]).__name__


def test_the_environment_of_the_process_is_the_default(monkeypatch):
    """As Lambda sets it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert Keyring.of(OTHER).current == HostSettings().keyring.current


@pytest.mark.parametrize(
    "name", ["keyring", "ledger", "named_credentials", "clock", "audit", "registry", "environment"]
)
def test_each_is_made_once(name):
    """A host asks as often as it likes: budgets, clocks and plugins are the same ones."""
    settings = HostSettings(environment=ENVIRONMENT)
    assert getattr(settings, name) is getattr(settings, name)


PORTS = {
    "ledger": MemoryLedger,
    "credentials": MemoryCredentials,
    "courier": Outbox,
    "clock": VirtualClock,
    "audit": MemoryAudit,
    "random": SystemRandom,
}


@pytest.mark.parametrize("name", PORTS)
def test_what_is_given_for_a_port_has_all_of_its_members(name):
    """Else the first sign-in would end by it: a class, an odd value, and one without a method are refused by name."""

    def started(given):
        HostSettings(**{"key": GIVEN, "courier": Outbox(), name: given}).engine(MAIL)

    made = PORTS[name]
    started(made())
    with pytest.raises(ConfigurationError, match=rf"^{name}= is the class {made.__name__}: make one"):
        started(made)
    for odd in (object(), 7, b"memory:", True):
        with pytest.raises(ConfigurationError, match=rf"{name}= is no {name.title()}: {type(odd).__name__} has no "):
            started({"email": odd} if name == "courier" else odd)
    with pytest.raises(ConfigurationError, match=rf"^{name}= is no {name.title()}: Odd has no "):
        started(type("Odd", (), {"channel": "email", "floor": 0.0, "reach": "process"})())


@pytest.mark.parametrize("name", ["clock", "audit", "random"])
def test_what_is_given_counts_though_it_is_empty(name):
    """An audit that has kept no event yet is no missing one."""
    empty = type("Empty", (PORTS[name],), {"__len__": lambda self: 0})()
    engine = HostSettings(**{"key": GIVEN, "courier": Outbox(), name: empty}).engine(MAIL)
    assert getattr(engine, name) is empty


def test_a_registry_is_one():
    """Also an empty one is what was given; anything else is refused."""
    empty = Registry({})
    assert HostSettings(registry=empty).registry is empty
    for odd in (7, {"watchword": {}}, "watchword", Registry):
        with pytest.raises(ConfigurationError, match=r"registry= is of type .*: pass a Registry, or leave it out"):
            assert HostSettings(registry=odd).registry


def test_what_is_not_needed_is_not_read():
    """A flow that sends nothing needs no courier, and what defines no key."""
    settings = HostSettings(environment={"WATCHWORD_COURIER": "nonsense", "WATCHWORD_LEDGER": "nonsense"})
    assert {} == settings.couriers([Flow(Srp())])
    assert MAIL == list(settings.flows(MAIL[0], []))
    with pytest.raises(ConfigurationError, match="courier"):
        settings.couriers(MAIL)


def test_settings_show_no_secret():
    """In a traceback or a log."""
    said = repr(HostSettings(key=GIVEN, root_key=OTHER, courier="smtp://ann:hunter2@host", environment=ENVIRONMENT))
    secrets = (repr(GIVEN)[2:-1], repr(OTHER)[2:-1], "hunter2", ENVIRONMENT["WATCHWORD_KEY"])
    assert not any(each in said for each in secrets)


@pytest.mark.parametrize("flows", [["flow.toml"], [MAIL[0], "flow.toml"], ["flow.toml", MAIL[0]]])
def test_an_engine_is_made_of_flows(flows):
    """A path is told with the remedy."""
    with pytest.raises(ConfigurationError, match="read it first, by load_flow"):
        HostSettings(environment=ENVIRONMENT).engine(flows)


class Telephone:
    """A courier of another channel."""

    channel = "sms"
    floor = 0.0

    def send(self, letter, within):
        """Send it nowhere."""
        return Receipt()


class Dumb:
    """A courier that does not say what it carries."""

    floor = 0.0

    def send(self, letter, within):
        """Send it nowhere."""
        return Receipt()


def test_couriers_go_by_the_channel_that_they_say():
    """One, or a list with one for each channel; URLs of the environment have spaces between."""
    box, telephone = Outbox(), Telephone()
    assert {"sms": telephone} == HostSettings(courier=telephone, environment={}).couriers(MAIL)
    assert {"email": box, "sms": telephone} == HostSettings(courier=[box, telephone], environment={}).couriers(MAIL)
    assert {} == HostSettings(courier=[], environment={}).couriers(MAIL)
    with pytest.raises(ConfigurationError, match="two couriers carry the channel 'sms', Telephone and Telephone"):
        HostSettings(courier=[telephone, Telephone()], environment={}).couriers(MAIL)


def test_one_courier_of_any_channel_carries_what_no_other_does():
    """What the flow sends, and the e-mails of notices: an outbox alone is enough for a test, ``console:`` for a trial."""
    box, telephone = Outbox(), Telephone()
    pigeon = type("Pigeon", (EmailOtp,), {"kind": "pigeon", "channel": "push"})
    sends = (Flow(SmsOtp(countries=("+49",), length=8)), Flow(pigeon()))
    assert {"email": box, "sms": box, "push": box} == HostSettings(courier=box, environment={}).couriers(sends)
    assert {"email": box, "sms": telephone, "push": box} == HostSettings(
        courier=[telephone, box], environment={}
    ).couriers(sends)
    console = HostSettings(environment={"WATCHWORD_COURIER": "console:"}).couriers(sends)
    assert {"email", "sms", "push"} == {*console}
    assert {"ConsoleCourier()"} == {*map(repr, console.values())}
    with pytest.raises(
        ConfigurationError, match=r"two couriers carry the channel '\*', ConsoleCourier and ConsoleCourier"
    ):
        HostSettings(environment={"WATCHWORD_COURIER": " console:  console: "}).couriers(sends)
    with pytest.raises(ConfigurationError, match="names console, ses, one of which carries every channel: leave it or"):
        HostSettings(environment={"WATCHWORD_COURIER": "console: ses://?from=a@b.c&region=us-east-1"}).couriers(sends)
    assert "console" in HostSettings(environment={}).schemes_of("push")


def test_a_courier_that_says_no_channel_is_refused_but_in_a_mapping():
    """There somebody else says it."""
    dumb = Dumb()
    with pytest.raises(ConfigurationError, match="the courier Dumb does not say which channel it carries"):
        HostSettings(courier=dumb, environment={}).couriers(MAIL)
    assert {"email": dumb} == HostSettings(courier={"email": dumb}, environment={}).couriers(MAIL)
