"""Built where Watchword is installed from its wheel, in an empty folder: what is built runs, or nothing is written."""

import json
import zipfile

import pytest

from kit.paths import ROOT
from kit.wheel import Environment, made_wheel
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.target import PYTHONS, Target, this_python

FLOWS = ROOT / "docs" / "examples" / "flows"
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python"),
]
FLOW = '[[steps]]\nkind = "email_otp"\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Watchword's wheel."""
    return made_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory, own):
    """An environment with Watchword's wheel."""
    environment = Environment(tmp_path_factory.mktemp("environment"))
    environment.install(own)
    return environment


@pytest.fixture
def home(tmp_path):
    """An empty folder but for a flow."""
    (tmp_path / "flow.toml").write_text(FLOW)
    return tmp_path


def names(path):
    """Return the names in a zip."""
    with zipfile.ZipFile(path) as opened:
        return set(opened.namelist())


def test_watchword_comes_from_site_packages(installed, home):
    """Else these tests would show nothing."""
    ran = installed.run("-c", "import watchword; print(watchword.__file__)", folder=home)
    assert str(installed.site) in ran.stdout, ran.stderr


@pytest.mark.parametrize("name", ["email_code", "srp_then_code"])
def test_the_zips_are_those_of_a_checkout(name, installed, home):
    """Byte by byte, engine and all: how Watchword was installed makes no difference. Nothing is fetched."""
    flow = FLOWS / f"{name}.toml"
    ran = installed.watchword("build", str(flow), "--json", folder=home)
    assert 0 == ran.returncode, ran.stderr
    assert "fetching" not in ran.stderr
    here = build(BuildOrder(str(flow), Target("x86_64", this_python())))
    assert [each.archive.sha256 for each in here.functions] == [
        each["sha256"] for each in json.loads(ran.stdout)["functions"]
    ]
    for trigger in ("create", "verify"):
        assert {"watchword/runtime/engine.py", "attr/__init__.py", "pluggy/__init__.py"} <= names(
            home / "dist" / f"{trigger}.zip"
        )


def test_what_is_built_is_started_wherever_it_can_be(installed, home):
    """On this Python by itself, for either processor where all is Python; for another one the output says that it was not."""
    other = next(each for each in PYTHONS if each != this_python())
    for arch, python, tried in (
        ("x86_64", this_python(), True),
        ("arm64", this_python(), True),
        ("arm64", other, False),
    ):
        ran = installed.watchword("build", "flow.toml", "--arch", arch, "--python", python, folder=home)
        assert 0 == ran.returncode, ran.stderr
        assert tried is (f"it is for Python {other}" not in ran.stdout + ran.stderr)
        assert "no distribution" not in ran.stdout


# --- plugins that are installed ------------------------------------------------------------------------------------


KIND = """
from typing import ClassVar
from attrs import frozen
from watchword import hookimpl
from watchword.contract.kinds import Challenge, Factor, Verdict
{imports}

@frozen
class Riddle:
    kind: ClassVar[str] = "riddle"
    proves = frozenset[Factor]({{"knowledge"}})
    def create(self, request):
        {create}
        return Challenge(private={{"digest": request.seal("fish")}})
    def verify(self, request):
        return Verdict(right=request.matches(request.private.get("digest"), request.answer))

@hookimpl
def register_kinds(register):
    register(Riddle)
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1.0"
dependencies = {dependencies}
{entry}
[tool.hatch.build.targets.wheel]
only-include = ["{module}"]
"""
ENTRY = '[project.entry-points.watchword]\nriddle = "acme_riddle"\n'


def project(folder, name, files, dependencies=(), entry=""):
    """Write the project of a distribution with one package; return its folder."""
    module = name.replace("-", "_")
    (folder / module).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        PROJECT.format(name=name, module=module, dependencies=json.dumps(list(dependencies)), entry=entry)
    )
    for path, text in files.items():
        (folder / module / path).write_text(text)
    return folder


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The wheel of a distribution that knows nothing of Watchword."""
    folder = project(tmp_path_factory.mktemp("words"), "acme-words", {"__init__.py": "END = 'x'", "list.txt": "fish"})
    return made_wheel(folder, folder / "dist")


@pytest.fixture
def plugin(tmp_path_factory, own, words):
    """Give a function that makes an environment with a plugin in it, and a flow that uses it."""

    def make(imports="", create="pass", dependencies=("watchword>=0.1",), after="", entry=ENTRY, **files):
        folder = tmp_path_factory.mktemp("plugin")
        sources = {"__init__.py": KIND.format(imports=imports, create=create) + after, **files}
        made = made_wheel(project(folder, "acme-riddle", sources, dependencies, entry), folder / "dist")
        environment = Environment(tmp_path_factory.mktemp("environment"))
        environment.install(own, words, made)
        home = tmp_path_factory.mktemp("home")
        (home / "flow.toml").write_text('[[steps]]\nkind = "srp"\n[[steps]]\nkind = "riddle"\n')
        return environment, home

    return make


def test_a_plugin_brings_what_it_reaches_of_watchword_and_of_others(plugin):
    """Its distribution whole, its requirements, and the modules of Watchword's that it imports, lazily too."""
    environment, home = plugin(
        imports="from watchword.contract.validators import whole_number",
        create="from .lines import LINE; from watchword_plugins.email_otp import EmailOtp",
        dependencies=("watchword>=0.1", "acme-words"),
        **{"lines.py": "LINE = 'Who?'", "notes.txt": "data of a package goes along"},
    )
    ran = environment.watchword("build", "flow.toml", folder=home)
    assert 0 == ran.returncode, ran.stderr
    for trigger in ("create", "verify"):
        there = names(home / "dist" / f"{trigger}.zip")
        assert {"acme_riddle/__init__.py", "acme_riddle/lines.py", "acme_riddle/notes.txt"} <= there
        assert {"watchword/contract/validators.py", "watchword_plugins/email_otp.py", "acme_words/list.txt"} <= there
        assert not {each for each in there if "direct_url" in each or "RECORD" in each}


def test_a_flow_that_a_plugin_brings_is_built_from_its_module(plugin):
    """The flow stands in the distribution itself, in Python: its module is shipped, and found when the function starts."""
    flows = "from watchword import Flow\nfrom acme_riddle import Riddle\nflow = Flow(Riddle(), name='riddles')\n"
    environment, home = plugin(**{"flows.py": flows})
    ran = environment.watchword("build", "acme_riddle.flows:flow", "--json", folder=home)
    assert 0 == ran.returncode, ran.stderr
    made = json.loads(ran.stdout)["functions"]
    assert ["", "", ""] == [each["untried"] for each in made]
    assert all("acme_riddle/flows.py" in each["contents"] for each in made[1:])


@pytest.mark.parametrize(
    ("required", "where"),
    [
        ({"requires_create": "acme_words"}, ["create"]),
        ({"requires_verify": "acme_words"}, ["verify"]),
        ({"requires_create": "acme_words", "requires_verify": "acme_words"}, ["create", "verify"]),
    ],
    ids=" ".join,
)
def test_what_a_kind_requires_is_shipped_where_it_is_required(required, where, plugin):
    """For making a challenge, for judging an answer, or for both: the distribution does not say it, the kind does."""
    lines = "".join(f"Riddle.{name} = ({module!r},)\n" for name, module in required.items())
    facts = "Riddle.extra = 'acme-riddle[words]'\nRiddle.requires_create = Riddle.requires_verify = ()\n"
    environment, home = plugin(after=facts + lines)
    ran = environment.watchword("build", "flow.toml", folder=home)
    assert 0 == ran.returncode, ran.stderr
    shipped = [each for each in ("create", "verify") if "acme_words/list.txt" in names(home / "dist" / f"{each}.zip")]
    assert where == shipped


POST = """
Riddle.channel, Riddle.resend_after = "post", 60

class Pigeon:
    channel = "post"
    floor = 0.0
    def send(self, letter, within):
        raise NotImplementedError

@hookimpl
def register_couriers(register):
    register("pigeon", lambda url: Pigeon(), "post")
"""
POST_ENTRY = f'{ENTRY}[project.entry-points."watchword.couriers"]\npigeon = "acme_riddle"\n'


def test_each_channel_of_a_flow_has_its_courier_in_the_zip(plugin):
    """Else Create would not start: what lacks is named before anything is written; with all of them the zips are set up."""
    environment, home = plugin(after=POST, entry=POST_ENTRY)
    (home / "flow.toml").write_text('[[steps]]\nkind = "riddle"\n[[steps]]\nkind = "email_otp"\n')
    for given, says in (
        ((), "the flow sends by 'post', which ses cannot carry: add --courier pigeon"),
        (
            ("pigeon",),
            "the flow sends by 'email', which pigeon cannot carry: add --courier ses or smtp or smtps",
        ),
        (("console", "pigeon"), "--courier: console and pigeon carry one channel, 'post': leave all but one out"),
        (("ses", "pigeon", "smtp"), "--courier: ses and smtp carry one channel, 'email': leave all but one out"),
    ):
        ran = environment.watchword("build", "flow.toml", *(f"--courier={each}" for each in given), folder=home)
        assert (2, True) == (ran.returncode, says in ran.stderr), ran.stderr
        assert not (home / "dist").exists()
    ran = environment.watchword("build", "flow.toml", "--courier=ses", "--courier=pigeon", "--json", folder=home)
    assert 0 == ran.returncode, ran.stderr
    assert ["", "", ""] == [each["untried"] for each in json.loads(ran.stdout)["functions"]]
    ran = environment.watchword("template", "flow.toml", "--dist=dist", "--courier=pigeon:loft", folder=home)
    assert (2, True) == (ran.returncode, "--courier has URLs of pigeon" in ran.stderr), ran.stderr
    urls = ("--courier=pigeon:loft", "--courier=ses://?from=a@b.example")
    ran = environment.watchword("template", "flow.toml", "--dist=dist", *urls, folder=home)
    assert (0, True) == (ran.returncode, "WATCHWORD_COURIER: pigeon:loft ses://?from=a@b.example" in ran.stdout), (
        ran.stderr
    )


def test_a_file_that_was_changed_since_is_not_shipped(plugin):
    """What is packed is what was installed; the file and the remedy are named."""
    environment, home = plugin(**{"notes.txt": "a"})
    (environment.site / "acme_riddle" / "notes.txt").write_text("b")
    ran = environment.watchword("build", "flow.toml", folder=home)
    assert 2 == ran.returncode
    assert "acme_riddle/notes.txt is not as it was installed with acme-riddle==1.0" in ran.stderr
    assert not (home / "dist").exists()


HIDDEN = "import importlib\nwords = importlib.import_module('acme_' + 'words')"


@pytest.mark.parametrize("target", [(), ("--wheels", "nowhere")], ids=["installed", "wheels"])
def test_nothing_is_written_if_a_function_does_not_start(target, plugin):
    """A module that nothing names is found by starting: exit 1, the module and where it is imported, an empty folder."""
    environment, home = plugin(imports=HIDDEN)
    ran = environment.watchword("build", "flow.toml", "-o", "out", *target, folder=home)
    assert not (home / "out").exists()
    if target:
        assert 2 == ran.returncode
        assert "nowhere is no folder" in ran.stderr
        return
    assert 1 == ran.returncode
    said = ran.stderr.splitlines()[-1]
    assert "create.zip does not start from what is in it, so nothing was written" in said
    assert "No module named 'acme_words' (acme_riddle/__init__.py, line 7)" in said
