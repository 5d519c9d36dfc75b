"""The registry: what is named is found by metadata, imported, checked, and nothing else is touched."""

import subprocess
import sys
from textwrap import dedent, indent

import pluggy
import pytest

from watchword.contract import hookspecs
from watchword.contract.hookspecs import PROJECT, hookimpl
from watchword.contract.ports import AuditEvent
from watchword.errors import ConfigurationError, UnavailableError
from watchword.loading.flow_file import load_flow
from watchword.loading.registry import KINDS_GROUP, MAX_URL, Registry

RIDDLE = """
import watchword

class Riddle:
    kind = "riddle"
    proves = frozenset({"knowledge"})
    def create(self, request): ...
    def verify(self, request): ...

@watchword.hookimpl
def register_kinds(register):
    register(Riddle)
"""

COURIER = """
import watchword

class Pigeon:
    floor = 0.0
    def __init__(self, url): self.url = url
    channel = "email"

    def send(self, message, within): ...

@watchword.hookimpl
def register_couriers(register):
    register("pigeon", Pigeon)
    register("carrier", Pigeon)
"""

URL = "pigeon://ann:hunter2@loft"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that installs a tiny distribution into a folder of its own on `sys.path`."""
    before = set(sys.modules)

    def install(name="acme-riddle", version="1.2", group="watchword", entries="riddle = acme_riddle", **modules):
        folder = tmp_path / f"{name}-{version}"
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entries}\n")
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(dedent(source))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    yield install
    for module in set(sys.modules) - before:
        del sys.modules[module]


def refusal(act, *values):
    """The message of the ConfigurationError that *act* raises."""
    with pytest.raises(ConfigurationError) as caught:
        act(*values)
    return str(caught.value)


def test_a_kind_is_found_by_its_name(installed):
    """An entry point in group `watchword` is all that it takes to bring a kind."""
    installed(acme_riddle=RIDDLE)

    assert "Riddle" == Registry().find_kind("riddle").__name__
    assert Registry().find_kind("riddle") is Registry().find_kind("riddle")


@pytest.mark.parametrize("name", ["srp", "captcha", "email_otp", "passkey"])
def test_the_built_in_kinds_are_found_like_any_other(name):
    """Built-ins register in the same way and have no privileges."""
    assert name == Registry().find_kind(name).kind


def test_only_what_is_named_is_imported(installed):
    """Another kind in the same distribution, and one in another, are not imported along."""
    installed(
        entries="riddle = acme_riddle\nbomb = acme_bomb", acme_riddle=RIDDLE, acme_bomb="raise SystemExit('bomb')"
    )
    installed("other-bomb", entries="mine = other_bomb", other_bomb="raise SystemExit('bomb')")

    Registry().find_kind("riddle")

    assert "acme_riddle" in sys.modules
    assert not {"acme_bomb", "other_bomb"} & set(sys.modules)


def test_two_distributions_with_one_name_are_both_refused_unimported(installed):
    """Nobody can shadow anybody: the metadata tells, before any code of theirs has run."""
    installed("acme-riddle", entries="riddle = acme_riddle", acme_riddle=RIDDLE)
    installed("zeta-riddle", entries="riddle = zeta_riddle", zeta_riddle=RIDDLE)

    message = refusal(Registry().find_kind, "riddle")

    assert "acme-riddle 1.2 and zeta-riddle 1.2" in message
    assert "uninstall" in message
    assert not {"acme_riddle", "zeta_riddle"} & set(sys.modules)


def test_a_stranger_cannot_shadow_a_built_in(installed):
    """A package called captcha-for-free that brings `captcha` gets nobody's sign-ins."""
    installed("captcha-for-free", entries="captcha = free_captcha", free_captcha=RIDDLE)

    message = refusal(Registry().find_kind, "captcha")

    assert "captcha-for-free 1.2" in message
    assert "watchword " in message
    assert "free_captcha" not in sys.modules
    assert "email_otp" == Registry().find_kind("email_otp").kind


def test_one_distribution_that_names_a_kind_twice_is_refused(installed):
    """Which of the two is meant cannot be told."""
    installed(entries="riddle = acme_riddle\nriddle = acme_other", acme_riddle=RIDDLE, acme_other=RIDDLE)

    assert "acme-riddle 1.2 and acme-riddle 1.2" in refusal(Registry().find_kind, "riddle")


def test_the_first_copy_of_a_distribution_counts(installed):
    """One distribution installed in two folders of the path is one: the one that an import would take."""
    installed("acme-riddle", "1.0", acme_riddle=RIDDLE)
    installed("acme-riddle", "2.0", acme_riddle=RIDDLE)  # in front
    (first,) = [kind for kind in Registry().installed_kinds() if kind.name == "riddle"]

    assert ("acme-riddle", "2.0", "acme_riddle", "") == (first.distribution, first.version, first.module, first.error)


@pytest.mark.parametrize("name", ["Riddle", "r", "a-b", "x" * 33, "", "1st", "ríddle", None, 7, ["riddle"], "riddle\n"])
def test_a_name_is_checked_before_anything_is_searched(name):
    """The grammar is [a-z][a-z0-9_]{1,31}."""
    assert "beginning with a letter" in refusal(Registry().find_kind, name)


def test_an_unknown_name_gets_the_nearest_and_all_that_is_there():
    """A typing error is told from a package that is missing."""
    message = refusal(Registry().find_kind, "emial_otp")

    assert "did you mean email_otp or sms_otp?" in message
    assert "captcha, email_otp, magic_link, passkey" in message


def test_an_unknown_name_that_is_near_to_none_gets_the_list():
    """No guess is better than a wild one."""
    message = refusal(Registry().find_kind, "blockchain")

    assert "did you mean" not in message
    assert "captcha, email_otp, magic_link, passkey" in message


def test_without_any_metadata_the_remedy_is_to_install(tmp_path, monkeypatch):
    """A source tree on the path brings no entry points, not even the built-ins'."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert "install Watchword itself" in refusal(Registry().find_kind, "captcha")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ImportError('no wheels for this moon')", "ImportError: no wheels for this moon"),
        ("import acme_absent", "No module named 'acme_absent'"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("", "registers 0 kinds"),
        (RIDDLE + "    register(Riddle)", "registers 2 kinds"),
        (RIDDLE.replace("register(Riddle)", "register(Riddle, 1)"), "must call register(YourKind) once"),
        (RIDDLE.replace("register(Riddle)", "register(Riddle())"), "register the class"),
        (RIDDLE.replace("register(Riddle)", "register('riddle')"), "'riddle' is no class"),
        (RIDDLE.replace("register(Riddle)", "register(dict)"), "dict has no kind, proves, create, verify"),
        (RIDDLE.replace('kind = "riddle"', 'kind = "puzzle"'), "registers 'puzzle'"),
        (RIDDLE.replace('kind = "riddle"', "kind = 7"), "registers something of type int"),
        (RIDDLE.replace('frozenset({"knowledge"})', '"knowledge"'), "it must be a frozenset of"),
        (RIDDLE.replace('{"knowledge"}', '{"magic"}'), "it must be a frozenset of"),
        (RIDDLE.replace("def verify", "def verifies"), "Riddle has no verify"),
        (RIDDLE.replace("def register_kinds", "def register_kindz"), "unknown hook 'register_kindz'"),
        (RIDDLE.replace("(register):", "(registrar):"), "registrar"),
        (RIDDLE + "    raise RuntimeError('oh')", "acme_riddle.register_kinds failed (RuntimeError: oh)"),
        (RIDDLE + "    raise TypeError", "register_kinds failed (TypeError"),
        (RIDDLE + "    raise SystemExit('oh')", "acme_riddle.register_kinds failed (SystemExit: oh)"),
    ],
)
def test_what_a_plugin_does_wrong_names_its_distribution(installed, source, told):
    """Whatever a stranger's module does, the operator reads whose it is, what is wrong and what to do."""
    installed(acme_riddle=source)

    message = refusal(Registry().find_kind, "riddle")

    assert "kind 'riddle' of acme-riddle 1.2" in message
    assert told in message


def test_a_misspelt_hook_is_told_the_hooks_that_there_are(installed):
    """A hook that nobody calls would be a plugin that silently does nothing."""
    installed(acme_riddle=RIDDLE + "\n@watchword.hookimpl\ndef obsreve(event): ...\n")

    assert "there is observe, register_couriers, register_credentials, register_kinds, register_ledgers" in refusal(
        Registry().find_kind, "riddle"
    )


@pytest.mark.parametrize("value", ["acme_riddle:Riddle", "acme riddle", "acme_riddle [extra]", ".riddle", ""])
def test_an_entry_point_names_a_module_and_nothing_behind_it(installed, value):
    """What is registered is a module with hooks, never an object of it."""
    installed(entries=f"riddle = {value}", acme_riddle=RIDDLE)

    assert 'riddle = "package.module"' in refusal(Registry().find_kind, "riddle")


def test_metadata_that_cannot_be_read_is_a_configuration_error(installed):
    """A broken file in some package ends with a message, not with a stranger's traceback."""
    installed(entries="riddle")

    assert "cannot be read" in refusal(Registry().find_kind, "captcha")


def test_a_distribution_without_a_name_is_still_told(installed):
    """Half-removed packages lose their METADATA first."""
    folder = installed(entries="riddle = acme_absent")
    (folder / "acme_riddle-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: \n")

    assert "a nameless distribution" in refusal(Registry().find_kind, "riddle")


def test_a_hook_is_marked_as_by_pluggy():
    """So pluggy reads ours, and we read its; whoever marks a hook need not import it."""
    own, theirs = hookimpl(lambda: None), pluggy.HookimplMarker(PROJECT)(lambda: None)
    assert vars(theirs) == vars(own)
    for name in ("register_kinds", "register_couriers", "register_ledgers", "observe"):
        assert vars(pluggy.HookspecMarker(PROJECT)(lambda: None)) == vars(getattr(hookspecs, name))


def test_no_plugin_sees_what_another_registers(installed):
    """A hook wrapper of one plugin never runs around another's hook."""
    marker = '@__import__("pluggy").HookimplMarker("watchword")(wrapper=True)'
    wrapper = RIDDLE.replace("@watchword.hookimpl", marker).replace(
        "    register(Riddle)", "    register(Riddle)\n    return (yield)"
    )
    installed("wrapping", entries="wrapping = acme_wrapping", acme_wrapping=wrapper.replace('"riddle"', '"wrapping"'))
    installed(acme_riddle=RIDDLE)

    assert "wrapping" == Registry().find_kind("wrapping").kind
    assert "acme_riddle" == Registry().find_kind("riddle").__module__


def test_every_kind_that_is_installed_is_described():
    """`watchword kinds` shows the name, whose it is, and what it proves."""
    kinds = {kind.name: kind for kind in Registry().installed_kinds()}

    assert [
        "captcha",
        "email_otp",
        "magic_link",
        "passkey",
        "proof_of_work",
        "recovery_codes",
        "sms_otp",
        "srp",
        "totp",
    ] == list(kinds)
    assert {"watchword"} == {kind.distribution for kind in kinds.values()}
    assert all(kind.version and not kind.error for kind in kinds.values())
    assert frozenset({"knowledge"}) == kinds["srp"].proves
    assert frozenset() == kinds["captcha"].proves
    assert "watchword_plugins.email_otp" == kinds["email_otp"].module


def test_a_kind_that_cannot_be_loaded_is_described_with_its_error(installed):
    """One broken plugin does not hide the others."""
    installed("aaa-broken", entries="broken = aaa_broken", aaa_broken="import aaa_absent")
    installed("zzz-captcha", entries="captcha = zzz_captcha", zzz_captcha="")
    kinds = [(kind.name, kind.distribution, bool(kind.error)) for kind in Registry().installed_kinds()]

    assert ("broken", "aaa-broken", True) in kinds
    assert ("captcha", "zzz-captcha", True) in kinds
    assert ("captcha", "watchword", True) in kinds
    assert ("srp", "watchword", False) in kinds


def test_a_kind_says_what_to_install_for_it(installed):
    """What it requires is looked for without an import; the remedy is a line to paste."""
    lacking = indent(
        'requires_create = ("acme_absent", "json", "json.absent.deep")\nrequires_verify = ()\nextra = "acme-riddle[moon]"\n',
        "    ",
    )
    installed(acme_riddle=RIDDLE.replace("    def create", lacking + "    def create"))
    (riddle,) = [kind for kind in Registry().installed_kinds() if kind.name == "riddle"]

    assert "pip install 'acme-riddle[moon]'" == riddle.remedy
    assert "" == riddle.error


def test_half_a_power_is_told_of_what_is_installed(installed):
    """A kind that requires modules and names no extra is no kind: the list of kinds says so, and so does who asks for it."""
    lacking = indent('requires_create = ("json",)\nrequires_verify = ()\n', "    ")
    installed(acme_riddle=RIDDLE.replace("    def create", lacking + "    def create"))
    (riddle,) = [kind for kind in Registry().installed_kinds() if kind.name == "riddle"]

    assert "kind 'riddle' has requires_create and requires_verify but no extra" in riddle.error
    assert "" == riddle.remedy
    with pytest.raises(ConfigurationError, match="NeedsModules"):
        Registry().find_kind("riddle")


def test_a_kind_may_prove_what_a_setting_says(installed):
    """Then nobody knows before it is made."""
    by_setting = 'proves = property(lambda self: frozenset({"knowledge"}))'
    installed(acme_riddle=RIDDLE.replace('proves = frozenset({"knowledge"})', by_setting))
    (riddle,) = [kind for kind in Registry().installed_kinds() if kind.name == "riddle"]
    assert (None, "") == (riddle.proves, riddle.error)


def test_a_courier_is_made_of_its_url(installed):
    """The scheme names the entry point, the factory gets the whole URL; one module may bring several schemes."""
    installed(group="watchword.couriers", entries="pigeon = acme_pigeon\ncarrier = acme_pigeon", acme_pigeon=COURIER)

    assert URL == Registry().find_courier(URL).url
    assert "carrier:" == Registry().find_courier("carrier:").url
    assert "PIGEON://loft" == Registry().find_courier("PIGEON://loft").url  # RFC 3986 3.1


LEDGER = """
import watchword
from watchword.contract.ports import Ledger

class Slate(Ledger):
    pass

@watchword.hookimpl
def register_ledgers(register):
    register("slate", lambda url: Slate())
"""


def test_a_ledger_is_made_of_its_url(installed):
    """Ledgers register in the same way."""
    installed(group="watchword.ledgers", entries="slate = acme_slate", acme_slate=LEDGER)

    assert "Slate" == type(Registry().find_ledger("slate://")).__name__


@pytest.mark.parametrize("url", ["", "pigeon", "hunter2@loft:25", ":x", None, 7, b"pigeon:", "p:", "pi.geon://x"])
def test_a_url_without_a_scheme_is_refused_and_not_shown(url):
    """What stands there may be a password; only the schemes that there are are named."""
    message = refusal(Registry().find_courier, url)

    assert "smtp:" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("make", ["find_courier", "find_ledger"])
def test_a_url_is_no_longer_than_any_that_is_meant(make):
    """Refused before it is searched for a scheme, and not shown."""
    with pytest.raises(ConfigurationError, match=f"URL has more than {MAX_URL} characters") as caught:
        getattr(Registry(), make)("sqlite:///" + "x" * MAX_URL)
    assert len(str(caught.value)) < 100


def test_the_module_of_a_name_is_told_and_not_imported(installed):
    """So that a build knows what to ship."""
    installed(acme_riddle=RIDDLE)
    assert "acme_riddle" == Registry().module_of(KINDS_GROUP, "riddle")
    assert "acme_riddle" not in sys.modules


def test_an_unknown_scheme_gets_the_nearest():
    """The same help as for kinds."""
    assert "did you mean smtp" in refusal(Registry().find_courier, "smtpx://ann:hunter2@host")
    assert "did you mean sqlite?" in refusal(Registry().find_ledger, "sqlight:///file")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('register("pigeon", Pigeon)', 'register("dove", Pigeon)'), "must call register('pigeon', factory) once"),
        (('register("pigeon", Pigeon)', 'register("pigeon")'), "must call register('pigeon', factory) once"),
        (('register("pigeon", Pigeon)', 'register("pigeon", 7)'), "must call register('pigeon', factory) once"),
        (('register("carrier"', 'register("pigeon"'), "must call register('pigeon', factory) once"),
        (("def send", "def sned"), "is no courier: it has no send"),
        (
            ('channel = "email"', 'channel = "post"'),
            "carries 'post' and is registered for 'email': call register('pigeon', factory, 'post')",
        ),
        (
            ('register("pigeon", Pigeon)', 'register("pigeon", Pigeon, "post")'),
            "carries 'email' and is registered for 'post'",
        ),
        (("self.url = url", "raise ValueError(url)"), "cannot be made of its URL (ValueError)"),
        (("self.url = url", "raise SystemExit(url)"), "cannot be made of its URL (SystemExit)"),
    ],
)
def test_what_a_courier_does_wrong_names_its_distribution_and_no_secret(installed, change, told):
    """The factory's own error is neither quoted nor chained: it may hold the URL and its password."""
    installed(group="watchword.couriers", entries="pigeon = acme_pigeon", acme_pigeon=COURIER.replace(*change))

    with pytest.raises(ConfigurationError) as caught:
        Registry().find_courier(URL)

    assert "courier 'pigeon' of acme-riddle 1.2" in str(caught.value)
    assert told in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_a_factory_refuses_itself_is_passed_on(installed):
    """A courier knows best what is wrong with its URL, and whether its service is there."""
    refusing = COURIER.replace("self.url = url", "raise watchword.UnavailableError('the loft is closed')")
    installed(group="watchword.couriers", entries="pigeon = acme_pigeon", acme_pigeon=refusing)

    with pytest.raises(UnavailableError, match="the loft is closed"):
        Registry().find_courier(URL)


OBSERVER = """
seen = []

@watchword.hookimpl
def observe(event):
    seen.append(event)
"""


def test_plugins_that_are_loaded_may_observe(installed):
    """An observer comes with a plugin that is in use; one that is merely installed sees nothing."""
    installed(acme_riddle=RIDDLE + OBSERVER)
    installed("idle", entries="idle = acme_idle", acme_idle=RIDDLE.replace('"riddle"', '"idle"') + OBSERVER)
    registry = Registry()
    event = AuditEvent("authn_login_fail", 0.0, "acme")

    assert () == registry.observers()
    registry.find_kind("srp")
    registry.find_kind("riddle")
    for observe in registry.observers():
        observe(event)

    assert [event] == sys.modules["acme_riddle"].seen
    assert "acme_idle" not in sys.modules


def test_a_module_that_was_imported_anew_is_loaded_anew(installed):
    """A test or a document that brings a module of the same name again gets its own classes."""
    folder = installed(acme_riddle=RIDDLE)
    first = Registry().find_kind("riddle")
    del sys.modules["acme_riddle"]
    (folder / "acme_riddle.py").write_text(RIDDLE)

    assert first is not Registry().find_kind("riddle")


def test_given_modules_are_all_that_there_is(installed):
    """A build that knows its modules searches nothing: what is installed besides them is not there."""
    installed(acme_riddle=RIDDLE)
    registry = Registry(modules={"watchword": {"riddle": "acme_riddle"}})

    assert "riddle" == registry.find_kind("riddle").kind
    assert "there is riddle" in refusal(registry.find_kind, "captcha")
    assert [("riddle", "", "", "acme_riddle")] == [
        (kind.name, kind.distribution, kind.version, kind.module) for kind in registry.installed_kinds()
    ]


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        (7, "modules is of type int"),
        ("watchword", "modules is of type str"),
        ([("watchword", {})], "modules is of type list"),
        ({"riddle": "riddle"}, "'riddle' is no group"),
        ({7: {}}, "something of type int is no group"),
        ({"watchword": "riddle"}, "'watchword' is of type str"),
        ({"watchword": {}, "watchword.ledgers": None}, "'watchword.ledgers' is of type NoneType"),
        ({"watchword": {"riddle": 7}}, "'watchword' has 'riddle' for something of type int"),
        ({"watchword": {7: "riddle"}}, "'watchword' has something of type int for 'riddle'"),
    ],
)
def test_modules_have_the_form_of_entry_points(modules, says):
    """Group, name, module: what is something else is refused where it is given, with the form that it must have."""
    with pytest.raises(ConfigurationError, match=r'write \{"watchword": \{"my_kind": "package.module"\}\}') as refused:
        Registry(modules)
    assert f"Registry(modules): {says}; " in str(refused.value)


def test_an_empty_registry_says_that_it_was_given():
    """Nobody is told to install what is there."""
    for modules in ({}, {"watchword": {}}):
        with pytest.raises(
            ConfigurationError, match="no kind 'riddle' is installed; the Registry that was given has none"
        ):
            Registry(modules).find_kind("riddle")


@pytest.mark.parametrize("odd", [7, "watchword", {"watchword": {}}, Registry, 0, {}])
def test_a_registry_is_none_other(odd, tmp_path):
    """What is handed in is a registry or None, falsy or not."""
    (tmp_path / "flow.toml").write_text('steps = [{ kind = "srp" }]')
    with pytest.raises(ConfigurationError, match=r"^registry= is of type .*: pass a Registry, or leave it out$"):
        load_flow(tmp_path / "flow.toml", odd)


def test_given_modules_are_checked_all_the_same():
    """Without a distribution, the module is named."""
    registry = Registry(modules={"watchword": {"captcha": "watchword_plugins.srp"}, "watchword.couriers": {}})

    assert "kind 'captcha' of watchword_plugins.srp" in refusal(registry.find_kind, "captcha")
    assert "none is installed" in refusal(registry.find_courier, "7")


@pytest.mark.parametrize(
    "code", ["import watchword.loading.registry", "{}.find_kind('srp')", "{}.find_courier('pigeon:')"]
)
def test_given_modules_keep_the_metadata_library_out(code, tmp_path):
    """`importlib.metadata` costs a cold start 40 ms and more; a baked build never imports it."""
    (tmp_path / "acme_pigeon.py").write_text(COURIER)
    registry = (
        "__import__('watchword.loading.registry').loading.registry.Registry({'watchword': {'srp': 'watchword_plugins.srp'}, "
        "'watchword.couriers': {'pigeon': 'acme_pigeon'}})"
    )
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code.format(registry)}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "watchword.loading.registry" in run.stdout.split()
    assert not {"importlib.metadata", "difflib"} & set(run.stdout.split())


def test_a_module_is_set_up_once(installed):
    """Found twice, or under two names, it registers once and observes once."""
    counting = COURIER.replace("(register):", "(register):\n    calls.append(1)") + "\ncalls = []\n" + OBSERVER
    installed(group="watchword.couriers", entries="pigeon = acme_pigeon\ncarrier = acme_pigeon", acme_pigeon=counting)
    registry = Registry()
    for url in (URL, URL, "carrier://loft"):
        registry.find_courier(url)

    assert [1] == sys.modules["acme_pigeon"].calls
    assert 1 == len(registry.observers())


def test_the_schemes_of_a_channel_are_those_that_say_so(installed):
    """Without a word, a courier carries e-mail; ``console:`` carries any; one that cannot be loaded is left out."""
    posts = COURIER.replace('register("carrier", Pigeon)', 'register("carrier", Pigeon, "post")')
    entries = "pigeon = acme_pigeon\ncarrier = acme_pigeon\nbroken = acme_broken"
    installed(group="watchword.couriers", entries=entries, acme_pigeon=posts, acme_broken="import no_such_module")

    assert ("carrier", "console") == Registry().schemes("post")
    assert "pigeon" in Registry().schemes("email")
    assert "broken" not in Registry().schemes("email")
    assert ("console",) == Registry().schemes("smoke")
