"""Plugins observe in every host alike, whoever found the kind: the flow's file, the flow's own import, or a built table."""

import base64
import subprocess
import sys
from importlib import import_module
from textwrap import dedent

import pytest

from watchword import Flow
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry, _scan
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.cli.local.local_run import start_local_run
from watchword_adapters.deploy.build import function_plan
from watchword_adapters.deploy.build.generated_modules import written
from watchword_adapters.functions import Asked, SignIn, UserRecord
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.api.errors import ClientError

PLUGIN = """
from typing import ClassVar
import watchword

seen = []

class Ask:
    kind: ClassVar[str] = "{name}"
    proves = frozenset({{"knowledge"}})
    def create(self, request):
        return watchword.Challenge(private={{"sealed": request.seal("right")}})
    def verify(self, request):
        return watchword.Verdict(right=request.matches(request.private["sealed"], request.answer))

@watchword.hookimpl
def register_kinds(register):
    register(Ask)

@watchword.hookimpl
def observe(event):
    seen.append(event.name)
"""
COURIER = """
import watchword
from watchword.contract.ports import Receipt

seen = []

class Pigeon:
    floor = 0.0
    channel = "email"

    def send(self, message, within):
        return Receipt()

@watchword.hookimpl
def register_couriers(register):
    register("pigeon", lambda url: Pigeon())

@watchword.hookimpl
def observe(event):
    seen.append(event.name)
"""
KEY = bytes(range(32))
END = "authn_login_fail_max"
FAILED = ["authn_login_fail_max"]


class Users:
    """Ann is there, and nobody else."""

    def find(self, name):
        return UserRecord({"sub": "1"}) if name == "ann" else None


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Three plugins in a distribution: two kinds, of which flows use one, and a courier."""
    folder = tmp_path / "site"
    info = folder / "acme-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[watchword]\nask = acme_ask\nidle = acme_idle\n[watchword.couriers]\npigeon = acme_pigeon\n"
    )
    (folder / "acme_ask.py").write_text(dedent(PLUGIN.format(name="ask")))
    (folder / "acme_idle.py").write_text(dedent(PLUGIN.format(name="idle")))
    (folder / "acme_pigeon.py").write_text(dedent(COURIER))
    (folder / "acme_flow.py").write_text("import acme_ask, watchword\nflow = watchword.Flow(acme_ask.Ask())\n")
    (tmp_path / "flow.toml").write_text('[[steps]]\nkind = "ask"\n')
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield folder
    for module in set(sys.modules) - before:
        del sys.modules[module]


FLOWS = pytest.mark.parametrize(
    "flow", [lambda: find_flow("acme_flow:flow"), lambda: find_flow("flow.toml")], ids=["Python", "TOML"]
)


def fail_in(pool):
    """Sign Ann in, and answer wrong until the sign-in is over."""
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    with pytest.raises(ClientError):
        while True:
            reply = pool.respond_to_auth_challenge(
                ClientId=pool.client_id,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=reply["Session"],
                ChallengeResponses={"USERNAME": "ann", "ANSWER": "wrong"},
            )


def failed_in(made):
    """Have the local pool call the triggers *made*; return what the plugin of the flow's kind saw."""
    pool = LocalUserPool(*made)
    pool.add_user("ann")
    fail_in(pool)
    assert "acme_idle" not in sys.modules
    return sys.modules["acme_ask"].seen


@FLOWS
@pytest.mark.parametrize("given", [None, Registry()], ids=["the host's own registry", "a registry handed on"])
def test_plugins_observe_the_triggers(flow, given, installed):
    """The registry is the host's: which one has read the flow before makes no difference."""
    assert END == failed_in(triggers(flow(), key=KEY, audit=MemoryAudit(), environment={}, registry=given))[-1]


def test_plugins_observe_where_the_host_reads_the_flow(installed):
    """A path, and a module's attribute."""
    for reference in ("flow.toml", "acme_flow:flow"):
        assert END == failed_in(triggers(reference, key=KEY, audit=MemoryAudit(), environment={}))[-1]


@FLOWS
def test_plugins_observe_plain_functions(flow, installed):
    """`SignIn` has a registry too."""
    host = SignIn(flow(), users=Users(), key=KEY, audit=MemoryAudit(), environment={})
    reply = host.begin("ann")
    while isinstance(reply, Asked):
        reply = host.respond(reply.token, "wrong")
    assert END == sys.modules["acme_ask"].seen[-1]
    assert "acme_idle" not in sys.modules


@FLOWS
def test_plugins_observe_what_is_played_on_this_machine(flow, installed):
    """As `watchword try` and `watchword demo` do."""
    stage = start_local_run(flow(), user="ann", password="Passw0rd!x", attributes={}, audit=MemoryAudit())
    fail_in(stage.pool)
    assert END == sys.modules["acme_ask"].seen[-1]


def test_plugins_observe_a_built_function(installed, tmp_path, monkeypatch):
    """What is installed is not looked at: the table that was written down has the plugin."""
    table = {"MODULES": {"watchword": {"ask": "acme_ask"}}, "FLOWS": ("flow.toml",), "DIALECT": None}
    source = written(function_plan._HANDLER.format(title="Verify", trigger="verify"), table)
    (tmp_path / "verify.py").write_bytes(source)
    for name, value in {"WATCHWORD_KEY": base64.b64encode(KEY).decode(), "AWS_LAMBDA_FUNCTION_NAME": "f"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHWORD_LEDGER", "process-only")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("watchword.loading.registry._scan", None)
    verify = import_module("verify").verify
    verify({"triggerSource": "VerifyAuthChallengeResponse_Authentication", "request": {}}, None)
    assert ["authn_login_fail"] == sys.modules["acme_ask"].seen


@FLOWS
def test_the_plugin_of_a_courier_observes(flow, installed):
    """It is named by a URL, given or in the environment."""
    made = triggers(flow(), key=KEY, audit=MemoryAudit(), courier="pigeon://loft", environment={})
    assert END == failed_in(made)[-1]
    assert END == sys.modules["acme_pigeon"].seen[-1]


def test_a_kind_that_no_plugin_brings_loads_none(installed):
    """A class of the program's own may have the name of a plugin's kind: the plugin is another's."""
    source = PLUGIN.format(name="idle")
    namespace = {"__name__": "own_kinds"}
    exec(compile(source, "own_kinds.py", "exec"), namespace)
    triggers(Flow(namespace["Ask"]()), key=KEY, audit=MemoryAudit(), environment={})
    assert "acme_idle" not in sys.modules


def test_a_plugin_beside_the_module_of_its_kind_observes(tmp_path, monkeypatch):
    """Hooks may be in a module of their own, which nobody has imported: the entry point names it."""
    folder = tmp_path / "site"
    (folder / "acme").mkdir(parents=True)
    (folder / "acme-1.dist-info").mkdir()
    (folder / "acme-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (folder / "acme-1.dist-info" / "entry_points.txt").write_text("[watchword]\nask = acme.hooks\n")
    kind, mark, hooks = dedent(PLUGIN.format(name="ask")).partition("@watchword.hookimpl")
    (folder / "acme" / "__init__.py").write_text(kind)
    (folder / "acme" / "hooks.py").write_text(f"import watchword\nfrom acme import Ask, seen\n{mark}{hooks}")
    monkeypatch.syspath_prepend(str(folder))
    try:
        made = triggers(Flow(import_module("acme").Ask()), key=KEY, audit=MemoryAudit(), environment={})
        pool = LocalUserPool(*made)
        pool.add_user("ann")
        fail_in(pool)
        assert END == sys.modules["acme"].seen[-1]
    finally:
        for module in [name for name in sys.modules if name.partition(".")[0] == "acme"]:
            del sys.modules[module]


@pytest.mark.parametrize("registers", ["register(Ask)", "register(str)", "pass", "1 / 0"])
def test_a_module_is_the_plugin_of_the_kinds_that_it_registers(installed, registers):
    """A kind that its module does not register is another's, or nobody's."""
    source = dedent(PLUGIN.format(name="own")).replace("register(Ask)", registers)
    (installed / "acme_own.py").write_text(source)
    own = import_module("acme_own")
    made = triggers(Flow(own.Ask()), key=KEY, audit=MemoryAudit(), environment={})
    pool = LocalUserPool(*made)
    pool.add_user("ann")
    fail_in(pool)
    assert (registers == "register(Ask)") == bool(own.seen)


def test_a_cold_start_reads_no_metadata_of_what_is_installed(tmp_path):
    """It takes some 40 ms, and the plugin of a kind is nearly always the module of its class; pluggy is for those that observe."""
    script = """
        import sys
        from watchword import Flow
        from watchword_adapters.aws_lambda import triggers
        from watchword_adapters.couriers import Outbox
        from watchword_plugins.email_otp import EmailOtp
        triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=Outbox(), environment={})
        print(*sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True)
    assert "watchword_plugins.email_otp" in run.stdout.split()
    assert not {"importlib.metadata", "pluggy", "watchword.loading.registry"} & set(run.stdout.split())


def test_what_is_no_registry_is_refused_before_any_plugin_is_looked_up():
    """In a program that has not imported the registry either."""
    script = """
        from watchword import ConfigurationError, Flow
        from watchword_adapters.aws_lambda import triggers
        from watchword_adapters.couriers import Outbox
        from watchword_plugins.email_otp import EmailOtp
        try:
            triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=Outbox(), environment={}, registry="all")
        except ConfigurationError as error:
            print(error)
    """
    run = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True)
    assert "registry= is of type str: pass a Registry, or leave it out" == run.stdout.strip()


@pytest.mark.parametrize("registers", ["register(Ask)", "register(str)"])
def test_a_program_that_looked_up_no_plugin_has_the_observers_of_its_kinds(installed, registers):
    """Whether or not the registry has been imported for anything else; and of a plugin alone that brings the kind."""
    (installed / "acme_own.py").write_text(dedent(PLUGIN.format(name="own")).replace("register(Ask)", registers))
    script = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import acme_own
        from watchword import Flow
        from watchword_adapters.audit import NoAudit
        from watchword_adapters.aws_lambda import triggers
        from watchword_adapters.userpool import LocalUserPool
        made = triggers(Flow(acme_own.Ask()), key=bytes(range(32)), audit=NoAudit(), environment={})
        pool = LocalUserPool(*made)
        pool.add_user("ann")
        asked = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
        answer = {"USERNAME": "ann", "ANSWER": "wrong"}
        for _ in range(3):
            try:
                asked = pool.respond_to_auth_challenge(ClientId=pool.client_id, ChallengeName="CUSTOM_CHALLENGE", Session=asked["Session"], ChallengeResponses=answer)
            except Exception:
                break
        print(bool(acme_own.seen))
    """
    run = subprocess.run(
        [sys.executable, "-c", dedent(script), str(installed)], capture_output=True, text=True, check=True
    )
    assert str(registers == "register(Ask)") == run.stdout.strip()


def test_broken_metadata_does_not_stop_a_flow_in_python(installed, monkeypatch):
    """Such a flow needs nothing that is installed."""
    flow = find_flow("acme_flow:flow")
    (installed / "acme-1.dist-info" / "entry_points.txt").write_text("[watchword\n")
    _scan.cache_clear()
    try:
        triggers(flow, key=KEY, audit=MemoryAudit(), environment={})
    finally:
        _scan.cache_clear()
