"""Where triggers come from: a flow, or a module of handlers; read anew when it changes, kept as it was when it breaks."""

import os
import sys

import pytest

from watchword.errors import ConfigurationError
from watchword_adapters.poolserver.trigger_sources import FlowSource, HandlerSource, Reloading

GOOD = 'name = "{}"\n[[steps]]\nkind = "email_otp"\nlength = {}\n'

HANDLERS = """
def define(event, context):
    return "define {0}"

def create_auth_challenge(event, context):
    return "create {0}"

def verify(event, context):
    return "verify {0}"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder from which modules are imported; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path, text):
    """Write *text* with a time that nothing was written at before."""
    moment = path.stat().st_mtime_ns + 10**7 if path.exists() else 10**18
    path.write_text(text)
    os.utime(path, ns=(moment, moment))


class Made:
    """Stands for the making of triggers: they say which flow they are of, and which came before."""

    def __init__(self):
        self.flows = []

    def __call__(self, flow, before, registry):
        self.flows.append((flow.name, [each.name for each in before]))
        return tuple(lambda event, context, name=name: f"{name} {flow.name}" for name in ("define", "create", "verify"))


class Said(list):
    """What was said of each change."""

    def __call__(self, sentence, well):
        self.append((well, sentence))


def names(reloading):
    return [trigger(None, None) for trigger in reloading.triggers()]


def test_a_changed_flow_is_in_use_at_once(folder):
    """The triggers that the pool holds lead to the new flow, and those of the old one are known to it."""
    path = folder / "flow.toml"
    write(path, GOOD.format("one", 8))
    made, said = Made(), Said()
    reloading = Reloading(FlowSource("flow.toml", made), said)
    held = reloading.triggers()
    write(path, GOOD.format("two", 7))

    reloading.look()

    assert [trigger(None, None) for trigger in held] == ["define two", "create two", "verify two"]
    assert made.flows == [("one", []), ("two", ["one"])]
    assert said == [(True, "flow.toml has changed and is in use")]


def test_what_has_not_changed_is_not_read(folder):
    """Looking costs next to nothing."""
    write(folder / "flow.toml", GOOD.format("one", 8))
    made, said = Made(), Said()
    reloading = Reloading(FlowSource("flow.toml", made), said)
    for _ in range(3):
        reloading.look()
    assert len(made.flows) == 1
    assert said == []


@pytest.mark.parametrize("broken", ["", "name =", "[[steps]]\nkind = 'emial_otp'\n", "\x00", "[[steps]]\n" * 40_000])
def test_a_broken_flow_leaves_the_last_good_one_and_says_so(folder, broken):
    """Somebody saves half a line; sign-ins go on meanwhile. It is said once, with the reason."""
    path = folder / "flow.toml"
    write(path, GOOD.format("one", 8))
    said = Said()
    reloading = Reloading(FlowSource("flow.toml", Made()), said)
    write(path, broken)
    reloading.look()
    reloading.look()

    assert names(reloading)[0] == "define one"
    ((well, sentence),) = said
    assert not well
    assert "the last good one goes on" in sentence

    write(path, GOOD.format("three", 6))
    reloading.look()
    assert names(reloading)[0] == "define three"
    assert said[-1][0]


def test_a_file_that_is_gone_for_a_moment_is_waited_for(folder):
    """Editors put a new file in place of the old one."""
    path = folder / "flow.toml"
    write(path, GOOD.format("one", 8))
    said = Said()
    reloading = Reloading(FlowSource("flow.toml", Made()), said)
    path.unlink()
    reloading.look()
    assert (names(reloading)[0], said) == ("define one", [])


def test_sign_ins_of_earlier_flows_go_on_however_often_the_file_changes(folder):
    """Each flow but the same again is among those that came before, newest first, up to eight."""
    path = folder / "flow.toml"
    made = Made()
    write(path, GOOD.format("f0", 6))
    reloading = Reloading(FlowSource("flow.toml", made), Said())
    for number in range(1, 12):
        write(path, GOOD.format(f"f{number}", 6 + number % 5) + f"attempts = {1 + number % 9}\n")
        reloading.look()
    assert made.flows[-1] == ("f11", [f"f{number}" for number in range(10, 2, -1)])
    assert made.flows[3] == ("f3", ["f2", "f1", "f0"])


def test_a_flow_that_cannot_be_read_at_first_is_an_error(folder):
    """There is nothing to go on with."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        Reloading(FlowSource("nowhere.toml", Made()), Said())


PYTHON = "from watchword import Flow\nfrom watchword_plugins.email_otp import EmailOtp\nflow = Flow(EmailOtp(length={1}), name='{0}')\n"


def test_a_flow_in_python_is_read_anew_too(folder):
    """Its module is imported again, from its source, although bytecode of the same second and size lies beside it."""
    path = folder / "my_flow_module.py"
    path.write_text(PYTHON.format("one", 8))
    second = path.stat().st_mtime_ns
    made = Made()
    reloading = Reloading(FlowSource("my_flow_module:flow", made), Said())
    path.write_text(PYTHON.format("two", 7))
    os.utime(path, ns=(second + 1000, second + 1000))

    reloading.look()

    assert [name for name, _ in made.flows] == ["one", "two"]


def test_handlers_are_found_in_a_module_by_their_names(folder):
    """The names that people give them."""
    (folder / "my_handlers.py").write_text(HANDLERS.format(1))
    assert [each(None, None) for each in HandlerSource(["my_handlers"]).read()] == ["define 1", "create 1", "verify 1"]


def test_handlers_are_found_in_a_file(folder):
    """Whether or not it could be imported by name."""
    (folder / "sub").mkdir()
    (folder / "sub" / "my-handlers.py").write_text(HANDLERS.format(2))
    assert HandlerSource(["sub/my-handlers.py"]).read()[1](None, None) == "create 2"


def test_one_handler_may_take_all_three_events(folder):
    """As `triggers(flow).handler` does."""
    (folder / "app_one.py").write_text("def lambda_handler(event, context):\n    return 'all'\n")
    assert [each(None, None) for each in HandlerSource(["app_one"]).read()] == ["all"] * 3


def test_handlers_may_stand_in_three_modules(folder):
    """One Lambda function, one file: then each is named, with what it is called in there."""
    for name in ("one", "two", "three"):
        (folder / f"{name}_handler.py").write_text(f"def handler(event, context):\n    return '{name}'\n")
    read = HandlerSource(["one_handler", "two_handler.py", "three_handler:handler"]).read()
    assert [each(None, None) for each in read] == ["one", "two", "three"]


def test_a_value_with_the_three_of_them_will_do(folder):
    """Such as what `triggers(flow)` returned."""
    text = "class T:\n" + "".join(
        f"    @staticmethod\n    def {name}(event, context):\n        return '{name}'\n"
        for name in ("define", "create", "verify")
    )
    (folder / "holds_three.py").write_text(text + "t = T\n")
    assert [each(None, None) for each in HandlerSource(["holds_three:t"]).read()] == ["define", "create", "verify"]


@pytest.mark.parametrize(
    ("references", "files", "why"),
    [
        (["nowhere_to_be_found"], {}, "nowhere_to_be_found.* failed: ModuleNotFoundError"),
        (["nowhere.py"], {}, "failed: FileNotFoundError"),
        (["raises.py"], {"raises.py": "1 / 0"}, "ZeroDivisionError"),
        (["leaves.py"], {"leaves.py": "raise SystemExit(3)"}, "SystemExit"),
        (["wrong.py"], {"wrong.py": "def def"}, "SyntaxError"),
        (["lacks.py"], {"lacks.py": "def define(e, c): ..."}, "no function for create: name it create or"),
        (["text.py"], {"text.py": "handler = 'no'"}, "no function for define"),
        (["a", "b"], {}, "one module, or three"),
        ([""], {}, "failed: ValueError"),
    ],
)
def test_handlers_that_cannot_be_had_are_an_error(folder, references, files, why):
    """The message says which, and why."""
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        HandlerSource(references).read()


@pytest.mark.parametrize("reference", ["my_reloaded", "my_reloaded.py"])
def test_changed_handlers_are_in_use_and_broken_ones_are_not(folder, reference):
    """What holds for flows holds for handlers."""
    path = folder / "my_reloaded.py"
    write(path, HANDLERS.format(1))
    said = Said()
    reloading = Reloading(HandlerSource([reference]), said)
    write(path, "def broken(")
    reloading.look()
    assert names(reloading)[0] == "define 1"
    write(path, HANDLERS.format(2))
    reloading.look()
    assert names(reloading) == ["define 2", "create 2", "verify 2"]
    assert [well for well, _ in said] == [False, True]
