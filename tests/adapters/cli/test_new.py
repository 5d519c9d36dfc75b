"""`watchword new`: projects whose tests pass at once, and nothing written over or left half-written."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name, is_normalized_name

from watchword.contract import powers_of
from watchword.loading.registry import Registry
from watchword_adapters.cli import main
from watchword_adapters.cli.commands import new

pytestmark = pytest.mark.exhaustive

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist"]


def run(*command, cwd, **environment):
    """What *command* prints; what it complains about fails the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV", "WATCHWORD_"))}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def tree(folder):
    """Every file below *folder*, by its place."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A plugin project, as `watchword new plugin weather` makes it."""
    folder = tmp_path_factory.mktemp("plugin")
    run(sys.executable, "-m", "watchword_adapters", "new", "plugin", "weather", cwd=folder)
    return folder / "watchword-weather"


@pytest.fixture(scope="module")
def plugin_that_remembers(tmp_path_factory):
    """A plugin project, as `watchword new plugin weather --remembers` makes it."""
    folder = tmp_path_factory.mktemp("plugin_that_remembers")
    run(sys.executable, "-m", "watchword_adapters", "new", "plugin", "weather", "--remembers", cwd=folder)
    return folder / "watchword-weather"


@pytest.fixture(scope="module")
def plugin_with_channel(tmp_path_factory):
    """A plugin project, as `watchword new plugin weather --channel push` makes it."""
    folder = tmp_path_factory.mktemp("plugin_with_channel")
    run(sys.executable, "-m", "watchword_adapters", "new", "plugin", "weather", "--channel", "push", cwd=folder)
    return folder / "watchword-weather"


@pytest.fixture(params=["plugin", "plugin_that_remembers", "plugin_with_channel"])
def any_plugin(request):
    """Each sort of plugin project."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    """A flow project, as `watchword new flow acme` makes it."""
    folder = tmp_path_factory.mktemp("flow")
    run(sys.executable, "-m", "watchword_adapters", "new", "flow", "acme", cwd=folder)
    return folder / "acme"


# What is made


def test_a_plugin_is_a_complete_distribution(any_plugin):
    """Module, entry point, contract test, README and what a continuous integration runs."""
    expected = {
        *(".github/workflows/test.yml", ".gitignore", "README.md"),
        *("pyproject.toml", "watchword_weather.py", "tests/test_weather.py"),
    }
    assert expected <= tree(any_plugin)
    project = tomllib.loads((any_plugin / "pyproject.toml").read_text())["project"]
    groups = {"watchword": {"weather": "watchword_weather"}}
    if (any_plugin / "watchword_weather_courier.py").exists():
        groups["watchword.couriers"] = {"push": "watchword_weather_courier"}
    assert groups == project["entry-points"]


def test_a_plugin_with_a_channel_has_a_courier_for_it(plugin_with_channel):
    """A module and a test of its own, and a flow that asks for the kind. Each test says once what a recipient looks like."""
    assert {"watchword_weather_courier.py", "tests/test_weather_courier.py", "flow.toml"} <= tree(plugin_with_channel)
    for test in ("test_weather.py", "test_weather_courier.py"):
        assert 1 == (plugin_with_channel / "tests" / test).read_text().count("device-0123")


def test_a_plugins_tests_pass_before_it_is_installed(any_plugin):
    """Right after it was made."""
    told = run(*PYTEST, cwd=any_plugin)
    assert " passed" in told
    assert " failed" not in told


def test_a_plugin_is_built_installed_and_found(any_plugin, tmp_path):
    """Without network; a flow then asks for it by name, and its tests pass against what was installed."""
    run(
        *PIP,
        "wheel",
        "--no-index",
        "--no-build-isolation",
        "--no-deps",
        "--wheel-dir",
        tmp_path,
        any_plugin,
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        expected = sorted(path.name for path in any_plugin.glob("*.py"))
        assert expected == sorted(name for name in archive.namelist() if ".dist-info/" not in name)
    site = tmp_path / "site"
    run(*PIP, "install", "--no-index", "--no-deps", "--target", site, wheel, cwd=tmp_path)
    (tmp_path / "flow.toml").write_text('name = "weather"\n[[steps]]\nkind = "srp"\n\n[[steps]]\nkind = "weather"\n')
    program = "from watchword import load_flow; print(*load_flow('flow.toml').steps)"
    assert "weather\n" == run(sys.executable, "-W", "error", "-c", program, cwd=tmp_path, PYTHONPATH=str(site))
    shutil.copytree(any_plugin / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    told = run(*PYTEST, "-c", os.devnull, "--rootdir", tmp_path, tmp_path / "tests", cwd=tmp_path, PYTHONPATH=str(site))
    assert " failed" not in told


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("and not request.again else ()", "else ()", "test_trying_again_sends_nothing"),
        ('f"unsent:{code}"', "code", "test_nothing_lets_nobody_in"),
        ("if not request.proven:", "if request.proven:", "test_nobody_looks_like_somebody"),
        ("known or is_recipient(recipient)", "known or recipient", "test_nobody_looks_like_somebody"),
        ("if not is_recipient(message.to):", "if not message.to:", "test_there_is_exactly_one_recipient"),
        ("if not within > 0:", "if within is None:", "test_without_time_nothing_leaves"),
        ("undelivered=status < 500", "undelivered=True", "test_what_the_webhook_answers_is_told"),
        ("refused=reason in", "refused=reason not in", "test_what_the_webhook_answers_is_told"),
        ("({self._host!r})", "({self._host!r}, {self._secret!r})", "test_nothing_secret_shows"),
        ('"text": message.text', '"text": message.text.lower()', "test_any_text_arrives"),
    ],
)
def test_the_tests_of_a_plugin_with_a_channel_have_teeth(plugin_with_channel, tmp_path, right, wrong, rule):
    """Whoever breaks the kind or the courier hears so from the tests that came along."""
    shutil.copytree(plugin_with_channel, tmp_path / "it", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (module,) = (each for each in (tmp_path / "it").glob("*.py") if right in each.read_text())
    module.write_text(module.read_text().replace(right, wrong))
    done = subprocess.run([*PYTEST, "-k", rule], cwd=tmp_path / "it", capture_output=True, text=True, check=False)
    assert 1 == done.returncode, done.stdout
    assert rule in done.stdout


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("sort", ["plugin_that_remembers", "plugin_with_channel"])
def test_a_plugin_is_typed(request, tmp_path, sort, checker):
    """Modules and tests, under both checkers in strict mode."""
    program = Path(sys.executable).with_name(checker)
    if not program.exists():
        pytest.skip(f"{checker} is not installed")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    for place in tree(request.getfixturevalue(sort)):
        if place.endswith(".py"):
            shutil.copy(request.getfixturevalue(sort) / place, tmp_path)
    ways = {"mypy": ["--strict", "--no-incremental", "."], "pyright": ["--pythonpath", sys.executable, "."]}
    run(program, *ways[checker], cwd=tmp_path, PYRIGHT_PYTHON_IGNORE_WARNINGS="1")


def test_a_flows_tests_pass_at_once(flow):
    """Its policy is proved, played and attacked."""
    told = run(*PYTEST, cwd=flow)
    assert " passed" in told
    assert " failed" not in told
    assert {"flow.toml", "triggers.py", "tests/test_policy.py", "requirements.txt"} <= tree(flow)


def test_a_flow_is_sound_and_named(flow):
    """`watchword check` has no errors to tell, and the policy is in the file."""
    told = run(sys.executable, "-m", "watchword_adapters", "check", "flow.toml", "--json", cwd=flow)
    assert '"severity": "error"' not in told
    document = tomllib.loads((flow / "flow.toml").read_text())
    assert ("acme", "knowledge and possession") == (document["name"], document["require"])


def test_a_policy_that_is_weakened_fails(flow, tmp_path):
    """The policy test has teeth: without the password, the project's own tests fail."""
    for place in ("flow.toml", "triggers.py", "pyproject.toml", "tests/test_policy.py"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text((flow / place).read_text().replace('[[steps]]\nkind = "srp"\n', ""))
    done = subprocess.run(PYTEST, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 1 == done.returncode
    assert "test_every_path_proves_two_factors" in done.stdout
    assert "WW102" in done.stdout


@pytest.mark.parametrize("project", ["plugin", "plugin_that_remembers", "plugin_with_channel", "flow"])
def test_what_is_made_is_tidy(project, request):
    """Formatted and free of what a linter finds; no placeholder is left, and files end with a line."""
    folder = request.getfixturevalue(project)
    ruff = Path(sys.executable).with_name("ruff")
    if ruff.exists():
        run(
            ruff, "check", "--isolated", "--no-cache", "--select", "E,F,I,B,UP", "--line-length", "120", ".", cwd=folder
        )
        run(ruff, "format", "--check", "--isolated", "--no-cache", "--line-length", "120", ".", cwd=folder)
    for place in tree(folder):
        if ".hypothesis" not in place and "__pycache__" not in place:
            text = (folder / place).read_text()
            assert "$" not in text.replace("${{ matrix.python }}", ""), place
            assert text.endswith("\n"), place
            assert not text.endswith("\n\n"), place


def test_it_says_what_it_made_and_what_comes_next(here, capsys):
    """The folder, the files and a line to paste."""
    assert 0 == main(["new", "plugin", "weather", "--directory", "mine"])
    told = capsys.readouterr().out.splitlines()
    assert "mine/" == told[0]
    assert "  watchword_weather.py" in told
    assert "next: cd mine && pip install -e '.[test]' && pytest && watchword kinds" == told[-1]
    assert ["mine"] == [path.name for path in here.iterdir()]


@pytest.mark.parametrize("how", [[], ["--remembers"], ["--channel", "push"]])
def test_no_class_has_a_name_that_its_module_imports(here, how):
    """Nor one that its test imports: the import would be another thing."""
    assert 0 == main(["new", "plugin", "weather", "--directory", "it", *how])
    for path in (here / "it").rglob("*.py"):
        body = ast.parse(path.read_text()).body
        imported = {name.name for node in body if isinstance(node, ast.Import | ast.ImportFrom) for name in node.names}
        own = {"Weather", "PushMessage", "PushCourier"}
        assert {name for name in imported if name[0].isupper()} - own <= new._TAKEN


@pytest.mark.parametrize("how", [[], ["--remembers"], ["--channel", "push"]])
@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("voice_otp", "VoiceOtp"),
        ("none", "NoneKind"),
        ("true", "TrueKind"),
        ("challenge", "ChallengeKind"),
        ("class_var", "ClassVarKind"),
        ("import", "Import"),
        ("enrolment", "EnrolmentKind"),
        ("a1", "A1"),
        ("a_", "A"),
        ("a__b", "AB"),
        ("z" * 32, "Z" + "z" * 31),
    ],
)
def test_every_name_of_a_kind_makes_python(here, monkeypatch, name, made, how):
    """Whatever it is called: the class has a name of its own, the distribution a valid one, and the kind is loaded."""
    assert 0 == main(["new", "plugin", name, "--directory", "it", *how])
    project = tomllib.loads((here / "it" / "pyproject.toml").read_text())["project"]
    assert is_normalized_name(project["name"]), project["name"]
    assert project["name"] == canonicalize_name(project["name"])
    ast.parse((here / "it" / "tests" / f"test_{name}.py").read_text())
    monkeypatch.syspath_prepend(here / "it")
    monkeypatch.delitem(sys.modules, f"watchword_{name}", raising=False)
    kind = Registry({"watchword": {name: f"watchword_{name}"}}).find_kind(name)
    assert (made, name) == (kind.__name__, kind.kind)
    assert ("--remembers" in how) == (powers_of(kind()).remembers == "one")
    assert ("push" if "--channel" in how else "") == powers_of(kind()).channel
    # So that a back end can ask for what proves something.
    wanted = {"--channel": ("otp", "push"), "--remembers": ("otp",)}
    assert wanted.get(next(iter(how), ""), ()) == powers_of(kind()).methods
    assert bool(powers_of(kind()).methods) == bool(kind().proves)


@pytest.mark.parametrize(
    ("name", "channel", "made"),
    [
        ("push", "push", ("Push", "PushMessage", "PushCourier", "push")),
        ("push_message", "push", ("PushMessageKind", "PushMessage", "PushCourier", "push")),
        ("push_courier", "push", ("PushCourierKind", "PushMessage", "PushCourier", "push")),
        ("code", "register", ("Code", "RegisterMessage", "RegisterCourierChannel", "register")),
        ("code", "mfa", ("Code", "MfaMessage", "MfaCourier", "mfa")),
        ("code", "otp", ("Code", "OtpMessage", "OtpCourier", "otp")),
        ("code", "import", ("Code", "ImportMessage", "ImportCourier", "import")),
        ("code", "smoke-signal_2-", ("Code", "SmokeSignal2Message", "SmokeSignal2Courier", "smoke-signal-2-")),
        ("z" * 32, "y" * 32, ("Z" + "z" * 31, f"Y{'y' * 31}Message", f"Y{'y' * 31}Courier", "y" * 32)),
    ],
)
def test_every_name_of_a_channel_makes_python(here, name, channel, made):
    """Its message and its courier have names of their own, the URL a scheme, and the whole distribution passes its tests."""
    assert 0 == main(["new", "plugin", name, "--channel", channel, "--directory", "it"])
    sources = {path.name: ast.parse(path.read_text()) for path in (here / "it").glob("*.py")}
    classes = [node.name for tree in sources.values() for node in tree.body if isinstance(node, ast.ClassDef)]
    scheme = tomllib.loads((here / "it" / "pyproject.toml").read_text())["project"]["entry-points"][
        "watchword.couriers"
    ]
    assert {*made[:3]} == {*classes}
    assert [made[3]] == [*scheme]
    assert " failed" not in run(*PYTEST, cwd=here / "it")


# What is refused


@pytest.mark.parametrize("project", ["plugin", "flow"])
@pytest.mark.parametrize(
    "name", ["", "a", "A_b", "1st", "a-b", "a.b", "a/b", "../up", "é_e", "z" * 33, "select", "a b"]
)
def test_a_name_that_no_kind_can_have_is_refused(here, capsys, project, name):
    """And nothing is written."""
    assert 2 == main(["new", project, name])
    assert "is no name: write 2 to 32 of a-z" in capsys.readouterr().err
    assert [] == list(here.iterdir())


def test_a_kind_that_is_installed_is_refused(here, capsys):
    """Two of one name would be refused when a flow asks for it; a flow may have the name of a kind."""
    assert 2 == main(["new", "plugin", "captcha"])
    assert "a kind 'captcha' is installed already" in capsys.readouterr().err
    assert [] == list(here.iterdir())
    assert 0 == main(["new", "flow", "captcha"])


@pytest.mark.parametrize("words", [["new"], ["new", "plugin"], ["new", "thing", "abc"], ["new", "plugin", "ab", "--directory", ""]])  # fmt: skip
def test_what_is_missing_or_wrong_is_said(here, capsys, words):
    """In one line."""
    assert 2 == main(words)
    assert 1 == len(capsys.readouterr().err.splitlines())
    assert [] == list(here.iterdir())


def test_a_flow_remembers_nothing(here, capsys):
    """Kinds do; the option is refused, and nothing is written."""
    assert 2 == main(["new", "flow", "acme", "--remembers"])
    assert "--remembers is for a plugin" in capsys.readouterr().err
    assert [] == list(here.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["flow", "acme", "--channel", "push"], "--channel is for a plugin"),
        (["plugin", "acme", "--channel", "push", "--remembers"], "give one of them"),
        (
            ["plugin", "acme", "--channel", "email"],
            "the channel 'email' has couriers already, console, ses, smtp, smtps",
        ),
        (["plugin", "acme", "--channel", "sms"], "the channel 'sms' has couriers already, console, sms-voice, sns"),
        (["plugin", "acme", "--channel", "ses"], "a courier 'ses' is installed already"),
        (["plugin", "acme", "--channel", "sms_voice"], "a courier 'sms-voice' is installed already"),
        *(
            (["plugin", "acme", "--channel", name], "is no name of a channel: write 2 to 32 of a-z")
            for name in ("", "a", "Push", "1st", "-a", "a.b", "a b", "a/b", "é_e", "z" * 33, "a\n")
        ),
    ],
)
def test_a_channel_that_cannot_be_is_refused(here, capsys, words, told):
    """In one line; and nothing is written."""
    assert 2 == main(["new", *words] if words[-1] != "-a" else ["new", *words[:2], "--channel=-a"])
    shown = capsys.readouterr().err
    assert told in shown
    assert 1 == len(shown.splitlines())
    assert [] == list(here.iterdir())


def test_a_folder_that_holds_something_is_left_alone(here, capsys):
    """Even one hidden file."""
    (here / "acme").mkdir()
    (here / "acme" / ".keep").write_text("precious")
    assert 2 == main(["new", "flow", "acme"])
    assert "acme is not empty" in capsys.readouterr().err
    assert {"acme/.keep"} == tree(here)


@pytest.mark.parametrize("make", [lambda path: path.write_text("precious"), lambda path: path.symlink_to("nowhere")])
def test_what_is_no_folder_is_left_alone(here, capsys, make):
    """A file, or a link that leads nowhere."""
    make(here / "acme")
    assert 2 == main(["new", "flow", "acme"])
    assert "is no folder" in capsys.readouterr().err
    assert [here / "acme"] == list(here.iterdir())


def test_an_empty_folder_is_filled(here):
    """Also the current one, which stays the same folder; and nothing but the project is in it."""
    before = here.stat().st_ino
    assert 0 == main(["new", "flow", "acme", "--directory", "."])
    assert before == Path.cwd().stat().st_ino
    assert {"flow.toml", "triggers.py"} <= tree(here)
    assert not any("watchword-new" in path.name for path in here.iterdir())


def test_a_folder_below_one_that_is_missing_is_an_error(here, capsys):
    """Named, in one line."""
    assert 2 == main(["new", "flow", "acme", "--directory", "no/such/folder"])
    assert "no/such" in capsys.readouterr().err
    assert [] == list(here.iterdir())


class FullError(Exception):
    """The disk is full."""


@pytest.mark.parametrize(
    ("there", "after"), [(False, 0), (False, 5), (False, 11), (True, 0), (True, 5), (True, 11), (True, 13)]
)
def test_nothing_is_left_half_written(here, monkeypatch, there, after):
    """Wherever writing fails, what was there before is all that is there."""
    if there:
        (here / "acme").mkdir()
    write, rename, done = Path.write_text, Path.rename, []

    def counted(call):
        def counting(*given, **named):
            if len(done) == after:
                raise FullError
            done.append(call)
            return call(*given, **named)

        return counting

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", counted(write))
        patch.setattr(Path, "rename", counted(rename))
        with pytest.raises(FullError):
            new._write(Path("acme"), {"a/b": "1", **dict.fromkeys("cdefghijkl", "2")})
    assert set() == tree(here)
    assert ([here / "acme"] if there else []) == list(here.iterdir())
    new._write(Path("acme"), {"a": "1", "b/c": "2"})
    assert {"acme/a", "acme/b/c"} == tree(here)


def test_what_somebody_else_is_writing_is_left_alone(here, capsys):
    """Two at once do not remove each other's work."""
    (here / ".acme.watchword-new").mkdir()
    assert 1 == main(["new", "flow", "acme"])
    assert ".acme.watchword-new" in capsys.readouterr().err
    assert [here / ".acme.watchword-new"] == list(here.iterdir())
