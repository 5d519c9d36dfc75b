"""The built functions: the same bytes each time, nothing missing, nothing secret, and a whole sign-in under Lambda's client."""

import base64
import gzip
import importlib.metadata
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from kit import lambda_runtime
from kit.artefact import shelf_of, unpacked, wheel, wheel_of
from kit.hosts import event
from kit.paths import FLOWS
from watchword import ConfigurationError, load_flow
from watchword.errors import UnavailableError
from watchword.loading.registry import Registry
from watchword_adapters.cli import main
from watchword_adapters.deploy import target as target_module
from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.build.artefact import build, check_scheme
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.bytecode import compiled
from watchword_adapters.deploy.build.function_plan import plan_function
from watchword_adapters.deploy.packages import distributions, wheels
from watchword_adapters.deploy.packages.distributions import Pinned, pinned
from watchword_adapters.deploy.packages.forbidden_files import included, refuse_secrets
from watchword_adapters.deploy.packages.imports import follow
from watchword_adapters.deploy.packages.secret_content import secret_content
from watchword_adapters.deploy.target import PYTHONS, Target, default_python, lambda_pythons, this_python

HERE = Target("x86_64", this_python()) if this_python() in PYTHONS else None
pytestmark = [pytest.mark.exhaustive, pytest.mark.skipif(HERE is None, reason="Lambda has no such Python")]
KEY = base64.b64encode(bytes(range(32))).decode()
INDEX = pytest.mark.skipif(
    os.environ.get("WATCHWORD_INDEX_TESTS") != "1", reason="asks the package index; set WATCHWORD_INDEX_TESTS=1"
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of wheels of what is installed, so that no index is asked."""
    return shelf_of(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def order(shelf):
    """An order for this Python."""
    return BuildOrder(str(FLOWS / "srp_then_code.toml"), HERE, wheels=shelf)


PASSKEY = 'kind = "passkey"\nrp_id = "example.com"\norigins = ["https://example.com"]'


@pytest.fixture(scope="module")
def built(order):
    """The three functions."""
    return build(order)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty project, in which a command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WATCHWORD_KEY", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


# --- what is in them ----------------------------------------------------------------------------------------------


def test_the_same_order_gives_the_same_bytes_in_another_process(order, built):
    """Whatever the hashes of the process that builds, whatever it has loaded before, and bytecode included."""
    program = (
        "import sys; from pathlib import Path\n"
        "from watchword_adapters.deploy.build.artefact import BuildOrder, build\n"
        "from watchword_adapters.deploy.target import Target\n"
        "made = build(BuildOrder(sys.argv[1], Target('x86_64', sys.argv[2]), wheels=Path(sys.argv[3])))\n"
        "print(*(each.archive.sha256 for each in made.functions))"
    )
    command = [sys.executable, "-c", program, order.flow, order.target.python, str(order.wheels)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert [each.archive.sha256 for each in built.functions] == ran.stdout.split()


def test_functions_hold_what_they_need_and_no_more(built):
    """No command line, no local pool, no tests; the courier in Create alone; no bytecode but unchecked."""
    define, create, verify = (each.archive.files for each in built.functions)
    assert {"define.py", "define_handler.py", "derivative.py"} == {name for name in define if name.endswith(".py")}
    for files in (create, verify):
        unwanted = ("cli", "userpool", "poolserver", "functions", "attacks", "deploy", "pytest_plugin", "testing")
        assert [] == [name for name in files for word in unwanted if f"/{word}" in name]
        assert {"flow.toml", "watchword/runtime/engine.py", "watchword_adapters/ledgers/dynamodb.py"} <= set(files)
        assert [] == [name for name in files if name.startswith(("boto", "PIL", "rich", "cryptography", "gmpy2"))]
    assert "watchword_plugins/templates/en.txt" in create
    assert "watchword_plugins/captcha.py" not in create
    with zipfile.ZipFile(io.BytesIO(built.functions[1].archive.data)) as opened:
        flags = {opened.read(name)[4:8] for name in opened.namelist() if name.endswith(".pyc")}
        assert {(0b01).to_bytes(4, "little")} == flags  # PEP 552: by hash, and not checked


@pytest.mark.parametrize(
    ("step", "trigger", "spared", "packed"),
    [
        ('kind = "captcha"', "create", set(), {"captcha", "pillow"}),
        ('kind = "captcha"', "verify", {"captcha", "pillow"}, set()),
        ('kind = "proof_of_work"', "create", set(), {"altcha"}),
        ('kind = "proof_of_work"', "verify", {"altcha"}, set()),
        (PASSKEY, "create", {"fido2", "cryptography"}, set()),
        (PASSKEY, "verify", set(), {"fido2", "cryptography"}),
    ],
)
def test_a_function_does_without_what_only_the_other_needs(step, trigger, spared, packed, home):
    """A picture is drawn in Create alone, and a signature judged in Verify alone, although one module does both."""
    (home / "flow.toml").write_text(f"[[steps]]\n{step}\n", encoding="utf-8")
    registry, order = Registry(), BuildOrder("flow.toml", HERE)
    names = {each.name for each in plan_function(trigger, order, (load_flow("flow.toml"),), registry, {}).distributions}
    assert packed <= names
    assert not spared & names


def test_bytecode_is_left_out_for_another_python(order, shelf):
    """It would not be read there: the sources are the same, and the report says so."""
    other = next(each for each in ("3.11", "3.12", "3.13") if each != HERE.python)
    made = build(evolve(order, target=Target("arm64", other)))
    assert [False, False, False] == [each["bytecode"] for each in made.report()["functions"]]
    assert [] == [name for each in made.functions for name in each.archive.files if name.endswith(".pyc")]


ALONE = """
import sys
sys.path[:0] = [{folder!r}, *{beside!r}]
import {trigger}
from importlib import import_module
homes = {{
    name: getattr(module, "__file__", None) for name, module in sys.modules.items()
    if name.partition(".")[0] in ("attr", "attrs", "pluggy", "watchword", "watchword_plugins", "watchword_adapters")
}}
print([name for name, home in homes.items() if home and not home.startswith({folder!r})])
print("importlib.metadata" in sys.modules and "scanned")
"""


@pytest.mark.parametrize("trigger", ["create", "verify"])
def test_a_function_loads_from_its_own_folder_alone(trigger, built, tmp_path):
    """With no installed package in reach, and without looking for any: modules are baked in."""
    made = next(each for each in built.functions if each.trigger == trigger)
    folder = unpacked(made.archive, tmp_path)
    source = ALONE.format(folder=str(folder), beside=[], trigger=trigger)
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "acme",
        "_HANDLER": f"{trigger}.{trigger}",
        "WATCHWORD_KEY": KEY,
        "WATCHWORD_LEDGER": "process-only",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-I", "-S", "-c", source]
    # Create's courier needs boto3, which is the runtime's and not in reach here: so far, and no further.
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    if trigger == "create":
        assert "no courier does: set WATCHWORD_COURIER" in ran.stderr
    else:
        assert ["[]", "False"] == ran.stdout.split("\n")[:2], ran.stderr


# --- they run -----------------------------------------------------------------------------------------------------


class Ses(BaseHTTPRequestHandler):
    """Takes every mail."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.mails.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = b'{"MessageId": "0100000000000000-example"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def ses():
    """An SES on the loopback, with the mails that it took."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ses) as server:
        server.mails = []
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def dynamodb(monkeypatch):
    """A DynamoDB on the loopback with the ledger's table; its URL."""
    pytest.importorskip("moto", reason="pip install moto")
    from kit.aws import REGION, Aws, isolate
    from watchword_adapters.ledgers import create_table

    isolate(monkeypatch)
    aws = Aws()
    create_table(aws.client("dynamodb"), "ledger")
    yield f"dynamodb://ledger?region={REGION}&endpoint={quote(aws.endpoint, safe='')}"
    aws.close()


def test_a_sign_in_goes_through_the_three_functions_under_lambdas_own_client(built, tmp_path, dynamodb, ses):
    """Three processes share nothing but the ledger's table: password, wrong code, right code, tokens; then no second time."""
    pytest.importorskip("awslambdaric", reason="pip install awslambdaric")
    folders = {each.trigger: unpacked(each.archive, tmp_path / each.trigger) for each in built.functions}
    courier = f"ses://?from=login%40example.com&region=us-east-1&endpoint=http%3A%2F%2F127.0.0.1%3A{ses.server_port}"
    # One environment for all three, as most people set it.
    settings = {"WATCHWORD_KEY": KEY, "WATCHWORD_LEDGER": dynamodb, "WATCHWORD_COURIER": courier}
    with (
        lambda_runtime.function(folders["define"], "define.define", settings) as define,
        lambda_runtime.function(folders["create"], "create.create", settings) as create,
        lambda_runtime.function(folders["verify"], "verify.verify", settings) as verify,
    ):
        session = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
        assert "PASSWORD_VERIFIER" == define(event("define", session=session))["response"]["challengeName"]
        session.append({"challengeName": "PASSWORD_VERIFIER", "challengeResult": True})
        for right in (False, True):
            assert "CUSTOM_CHALLENGE" == define(event("define", session=session))["response"]["challengeName"]
            made = create(event("create", session=session, challengeName="CUSTOM_CHALLENGE"))["response"]
            text = ses.mails[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
            code = next(word for word in text.replace(".", " ").split() if word.isdigit() and len(word) == 6)
            asked = event("verify", session=[])
            asked["request"] |= {
                "privateChallengeParameters": made["privateChallengeParameters"],
                "challengeAnswer": code if right else "000000",
            }
            assert right is verify(asked)["response"]["answerCorrect"]
            session.append(
                {
                    "challengeName": "CUSTOM_CHALLENGE",
                    "challengeResult": right,
                    "challengeMetadata": made["challengeMetadata"],
                }
            )
        assert define(event("define", session=session))["response"]["issueTokens"] is True
        again = create(event("create", session=session[:2], challengeName="CUSTOM_CHALLENGE"))["response"]
        asked["request"]["privateChallengeParameters"] = again["privateChallengeParameters"]
        assert verify(asked)["response"]["answerCorrect"] is False
        with pytest.raises(lambda_runtime.Answer, match=r"^BAD_REQUEST \(ref [B-Z]{8}\)$"):
            create(event("define", session=[]))
        assert 2 == len(
            ses.mails
        )  # a wrong answer sends nothing; who begins after the right one gets a code that works
        assert code not in define.log() + create.log() + verify.log()
        # The runtime has a handler of its own: each event is there once.
        assert 1 == define.log().count('"event": "authn_login_successafterfail"')
        assert 2 == create.log().count('"event": "authn_code_sent"')
        assert 2 == verify.log().count('"event": "authn_login_fail"')


def test_a_function_that_is_not_set_up_says_why_when_it_starts(built, tmp_path):
    """The log says what to set; it does not wait for the first user."""
    pytest.importorskip("awslambdaric", reason="pip install awslambdaric")
    folder = unpacked(built.functions[2].archive, tmp_path)
    with (
        pytest.raises(lambda_runtime.Answer, match="the key is missing: set WATCHWORD_KEY"),
        lambda_runtime.function(folder, "verify.verify", {"WATCHWORD_LEDGER": "process-only"}),
    ):
        pass


@INDEX
def test_a_picture_is_drawn_from_what_is_left_of_the_libraries(tmp_path):
    """WebP and PNG, in the smallest zip; and arm64 finds its wheels."""
    target = Target("x86_64", HERE.python)
    if HERE.python == "3.11":
        with pytest.raises(ConfigurationError, match=r"no wheel .* Amazon Linux 2"):
            build(BuildOrder(str(FLOWS / "captcha_only.toml"), target))
        target = Target("arm64", "3.12")
    made = build(BuildOrder(str(FLOWS / "captcha_only.toml"), target))
    create, verify = made.functions[1:]
    assert ["attrs", "captcha", "pillow", "pluggy"] == [each.pinned.name for each in create.wheels]
    assert ["attrs", "pluggy"] == [each.pinned.name for each in verify.wheels]
    assert [] == [name for name in create.archive.files if "avif-" in name or name.endswith(".wav")]
    assert len(create.archive.data) < 5_500_000


# --- flows and kinds of one's own ---------------------------------------------------------------------------------


RIDDLE = '''
"""A kind of one's own, in a flow in Python."""
from typing import TYPE_CHECKING, ClassVar
from attrs import frozen
from watchword import Flow, sequence
from watchword.contract.kinds import Challenge, Verdict
from mykinds import words
if TYPE_CHECKING:
    import nowhere_to_be_found
try:
    import also_nowhere
except ImportError:
    also_nowhere = None

@frozen
class Riddle:
    kind: ClassVar[str] = "riddle"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})
    def create(self, request):
        from .lines import LINE
        return Challenge(public={"riddle": LINE + words.END}, private={"digest": request.seal("fish")})
    def verify(self, request):
        return Verdict(right=request.matches(request.private.get("digest"), request.answer))

flow = Flow(Riddle(), name="riddles")
'''


def project(home):
    """Write a small project with a flow in Python, and kinds in a package that no distribution brings."""
    (home / "mykinds").mkdir()
    for name, text in {"__init__": "", "riddle": RIDDLE, "lines": "LINE = 'Who?'", "words": "END = ''"}.items():
        (home / "mykinds" / f"{name}.py").write_text(text)
    (home / "mykinds" / "notes.txt").write_text("data")
    (home / "unrelated.py").write_text("raise SystemExit")


def test_a_flow_in_python_brings_the_modules_that_it_imports(home, shelf, order):
    """Local modules by their imports, relative and inside functions too; what only type checkers read stays out."""
    project(home)
    made = build(evolve(order, flow="mykinds.riddle:flow"))
    create = made.functions[1].archive
    assert {f"mykinds/{each}.py" for each in ("__init__", "riddle", "lines", "words")} <= set(create.files)
    assert "mykinds/notes.txt" not in create.files
    assert "unrelated.py" not in create.files
    folder = unpacked(create, home / "out")
    source = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\nimport create\n"
        f"made = create.create({event('create', session=[], challengeName='CUSTOM_CHALLENGE')!r})\n"
        "print(made['response']['publicChallengeParameters']['riddle'])"
    )
    environment = {"WATCHWORD_KEY": KEY, "WATCHWORD_LEDGER": "process-only"}
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", source], env=environment, capture_output=True, text=True)
    assert "Who?" == ran.stdout.strip(), ran.stderr


def test_imports_that_cannot_be_met_are_refused_by_name(home):
    """Who imports it, and what; a compiled module of this machine is none of the target's."""
    (home / "needy.py").write_text("import nowhere_to_be_found")
    with pytest.raises(ConfigurationError, match="needy needs the module nowhere_to_be_found, which is not installed"):
        follow(["needy"])
    (home / "deep.py").write_text("import needy_package.sub.missing")
    (home / "needy_package").mkdir()
    (home / "needy_package" / "__init__.py").write_text("")
    with pytest.raises(ConfigurationError, match=r"deep needs the module needy_package\.sub\.missing"):
        follow(["deep"])
    (home / "broken.py").write_text("def")
    with pytest.raises(ConfigurationError, match=r"broken\.py is no Python"):
        follow(["broken"])
    (home / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    (home / "slow.py").write_text("import fast")
    with pytest.raises(ConfigurationError, match="fast is compiled for this machine"):
        follow(["slow"])


# --- what is pinned -----------------------------------------------------------------------------------------------


class Installed:
    """A distribution as importlib.metadata tells it."""

    def __init__(self, version="1.0", requires=(), origin=None):
        self.version, self.requires, self._origin = version, list(requires), origin

    def read_text(self, name):
        return self._origin if name == "direct_url.json" else None


@pytest.fixture
def installed(monkeypatch):
    """Say what is installed."""
    there = {}

    def distribution(name):
        if name not in there:
            raise importlib.metadata.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(distributions, "distribution", distribution)
    monkeypatch.setattr(
        distributions, "packages_distributions", lambda: {name.replace("-", "_"): [name] for name in there}
    )
    return there


def test_requirements_are_those_of_the_target(installed):
    """Markers are read for Linux, the target's Python and processor, not for this machine; extras where asked for."""
    installed["kind"] = Installed(
        requires=[
            "on-arm; platform_machine == 'aarch64'",
            "on-windows; sys_platform == 'win32'",
            "backport; python_version < '3.12'",
            "Deep_One[more]>=1",
            "tests; extra == 'test'",
            "watchword>=0.1",
            "boto3",
        ]
    )
    installed["on-arm"] = Installed("2.0")
    installed["backport"] = Installed("3.0")
    installed["deep-one"] = Installed("1.5", ["extra-one; extra == 'more'"])
    installed["extra-one"] = Installed("0.1")
    newer = pinned({"kind"}, Target("arm64", "3.12"), without={"boto3"})
    assert ["deep-one==1.5", "extra-one==0.1", "kind==1.0", "on-arm==2.0"] == list(map(str, newer))
    older = pinned({"kind"}, Target("x86_64", "3.11"), without={"boto3"})
    assert ["backport==3.0", "deep-one==1.5", "extra-one==0.1", "kind==1.0"] == list(map(str, older))


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({}, "belongs to no distribution"),
        ({"kind": Installed(requires=["gone"])}, "kind needs gone, which is not installed, so no version is fixed"),
        ({"kind": Installed(requires=["old>=2"]), "old": Installed("1.0")}, "kind needs old>=2, 1.0 is installed"),
        ({"kind": Installed(origin='{"url": "x", "vcs_info": {}}')}, "installed from a version control system"),
        ({"kind": Installed(origin='{"url": "x", "dir_info": {}}')}, "installed from a file or folder"),
    ],
    ids=["nobody's", "missing", "does not fit", "from a repository", "from a folder"],
)
def test_what_is_missing_or_not_pinned_is_refused(there, why, installed):
    """A version must say what is shipped, and every requirement must be installed where it is built."""
    installed.update(there)
    with pytest.raises(ConfigurationError, match=why):
        pinned({"kind"}, Target("arm64", "3.12"), without=())


class Wheeled(Installed):
    """A distribution with the file WHEEL."""

    def __init__(self, tags, origin, pure="true", files=("kind.py",)):
        super().__init__(origin=origin)
        self._wheel = f"Root-Is-Purelib: {pure}\n" + "".join(f"Tag: {tag}\n" for tag in tags)
        self.files = files

    def read_text(self, name):
        return self._wheel if name == "WHEEL" else super().read_text(name)


FOLDER, EDITABLE = '{"url": "file:///x", "dir_info": {}}', '{"url": "file:///x", "dir_info": {"editable": true}}'


@pytest.mark.parametrize(
    ("there", "portable"),
    [
        (Wheeled(["py3-none-any"], FOLDER), True),
        (Wheeled(["py2-none-any", "py3-none-any"], FOLDER), True),
        (Wheeled(["py2.py3-none-any"], FOLDER), True),
        (Wheeled(["cp312-none-any"], FOLDER), False),
        (Wheeled(["py2-none-any"], FOLDER), False),
        (Wheeled(["py3-none-manylinux2014_x86_64"], FOLDER), False),
        (Wheeled(["cp311-abi3-manylinux2014_x86_64"], FOLDER, pure="false"), False),
        (Wheeled(["py3-none-any"], FOLDER, pure="false"), False),
        (Wheeled(["py3-none-any"], EDITABLE, files=("__editable__.pth", "kind-1.dist-info/METADATA")), False),
        (Wheeled([], FOLDER), False),
    ],
)
def test_where_it_was_installed_from_matters_only_for_what_is_fetched(there, portable, installed):
    """In Python alone, what is installed is shipped; otherwise its wheel must come from an index, or from --wheels."""
    installed["kind"] = there
    target = Target("arm64", "3.12")
    if portable:
        assert [True] == [each.portable for each in pinned({"kind"}, target, without=())]
        return
    with pytest.raises(ConfigurationError, match="--wheels"):
        pinned({"kind"}, target, without=())
    if "editable" not in (there.read_text("direct_url.json") or ""):
        assert [Pinned("kind", "1.0")] == list(pinned({"kind"}, target, without=(), from_folder=True))


def test_extras_of_watchword_bring_what_they_need(installed):
    """A plugin that needs `watchword[captcha]` gets it; Watchword itself is followed, and is no wheel."""
    installed["kind"] = Installed(requires=["watchword[captcha]>=0.1"])
    installed["watchword"] = Installed("0.1", ["attrs", "pillow; extra == 'captcha'", "rich; extra == 'cli'"], FOLDER)
    installed |= {"attrs": Installed(), "pillow": Installed(), "rich": Installed()}
    assert ["attrs==1.0", "kind==1.0", "pillow==1.0"] == list(
        map(str, pinned({"kind"}, Target("arm64", "3.12"), without=()))
    )


def test_a_wheel_that_does_not_run_on_the_target_is_refused(tmp_path):
    """For another processor, or a newer C library than Lambda's: the message says which and what to do."""
    wheel(tmp_path, "fast", "1.0", {"fast.py": b""}, tag="cp312-cp312-manylinux_2_28_x86_64")
    newer, older = Target("x86_64", "3.12"), Target("x86_64", "3.11")
    assert "fast.py" in wheels.fetch([Pinned("fast", "1.0")], newer, folder=tmp_path)[0].files
    with pytest.raises(
        ConfigurationError, match=r"fast==1\.0 has no wheel in .* that runs on Python 3\.11, x86_64, Amazon"
    ):
        wheels.fetch([Pinned("fast", "1.0")], older, folder=tmp_path)
    assert "manylinux_2_28_x86_64" not in older.platforms


def test_the_message_names_the_newest_version_that_has_a_wheel_and_the_option(tmp_path):
    """What to install, word by word, or for which Python this version has a wheel; "no version" is said too."""
    wanted = Pinned("fast", "2.0")
    for version, tag in (("2.0", "cp313-cp313-manylinux_2_28_x86_64"), ("2.0", "cp312-cp312-manylinux_2_28_x86_64")):
        wheel(tmp_path, "fast", version, {"fast.py": b""}, tag=tag)
    with pytest.raises(ConfigurationError) as none:
        wheels.fetch([wanted], Target("x86_64", "3.11"), folder=tmp_path)
    assert "no version of fast has one there; or build with --python 3.12, for which 2.0 has one" in str(none.value)
    for version in ("1.9", "1.10"):
        wheel(tmp_path, "fast", version, {"fast.py": b""}, tag="cp311-cp311-manylinux2014_x86_64")
    with pytest.raises(ConfigurationError) as newest:
        wheels.fetch([wanted], Target("x86_64", "3.11"), folder=tmp_path)
    assert "the newest version that has one is 1.10: pip install 'fast==1.10', and build again" in str(newest.value)
    with pytest.raises(ConfigurationError) as nowhere:
        wheels.fetch([wanted], Target("arm64", "3.11"), folder=tmp_path)
    assert str(nowhere.value).endswith("; no version of fast has one there")


def test_wheels_of_the_target_are_told_from_others():
    """Tags reach back to the oldest C library that wheels name."""
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(Target("arm64", "3.11").platforms)


def test_wheels_are_pruned_of_what_no_function_uses_and_keep_their_licence(tmp_path):
    """Voices, codecs, stubs and install records go; METADATA and licences stay."""
    names = ["captcha/image.py", "captcha/data/A/default.wav", "captcha/data/font.ttf", "PIL/_avif.cpython-312.so"]
    names += [
        "PIL/_webp.cpython-312.so",
        "pillow.libs/libavif-1.so",
        "stub.pyi",
        "captcha/py.typed",
        "captcha-1.data/scripts/run",
    ]
    names += ["captcha-1.dist-info/licenses/LICENSE", "captcha-1.data/purelib/inner.py"]
    wheel(tmp_path, "captcha", "1", dict.fromkeys(names, b"12345"))
    found = wheels.fetch([Pinned("captcha", "1")], Target("arm64", "3.12"), folder=tmp_path)[0]
    assert [
        "PIL/_webp.cpython-312.so",
        "captcha-1.dist-info/METADATA",
        "captcha-1.dist-info/licenses/LICENSE",
        "captcha/data/font.ttf",
        "captcha/image.py",
        "inner.py",
    ] == sorted(found.files)
    assert found.pruned >= 5 * 5


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "a/../../evil.py", "c:evil.py", "a\\..\\evil.py"])
def test_a_wheel_cannot_write_outside_of_its_folder(name, tmp_path):
    """Paths that lead out are refused, in what is read and in what is written."""
    wheel(tmp_path, "evil", "1", {name: b""})
    with pytest.raises(ConfigurationError, match="no path that may stand in a zip"):
        wheels.fetch([Pinned("evil", "1")], Target("arm64", "3.12"), folder=tmp_path)
    with pytest.raises(ConfigurationError, match="no path that may stand in a zip"):
        pack_zip({name: b""})


def test_two_files_of_one_name_are_refused(tmp_path, order, home):
    """A wheel that brings a file which is there already would hide it; so would a name in other letters."""
    project(home)
    wheel_of("attrs", tmp_path / "shelf")
    wheel(tmp_path / "shelf", "pluggy", importlib.metadata.version("pluggy"), {"watchword/runtime/engine.py": b"evil"})
    with pytest.raises(
        ConfigurationError, match=r"watchword/runtime/engine\.py is in pluggy.* and elsewhere in create"
    ):
        build(evolve(order, flow="mykinds.riddle:flow", wheels=tmp_path / "shelf"))
    with pytest.raises(ConfigurationError, match="differ in case alone"):
        pack_zip({"a.py": b"", "A.py": b""})


def test_without_pip_the_remedy_is_said(monkeypatch):
    """An environment may have been made without it."""
    ended = subprocess.CompletedProcess([], 1, "", "/usr/bin/python: No module named pip")
    monkeypatch.setattr(wheels.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(UnavailableError, match="python -m ensurepip"):
        wheels.fetch([Pinned("attrs", "1")], Target("arm64", "3.12"))


def test_a_module_that_does_not_compile_is_named():
    """It would end the function when it starts."""
    with pytest.raises(ConfigurationError, match="cannot be compiled"):
        compiled({"a/broken.py": b"def"})


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.production",
        "prod.env",
        ".git/config",
        ".aws/credentials",
        "credentials",
        "credentials/aws.json",
        "env/lib/module.py",
        "keys/id_rsa",
        "a.pem",
        "tls.key",
        ".npmrc",
        ".DS_Store",
        ".vault-token",
        "pool.db",
        "pool.db-wal",
        "putty.ppk",
        "terraform.tfstate",
        "service-account.json",
    ],
)
def test_files_that_are_secret_by_name_are_refused(name, home):
    """Environments, keys, credentials and version control (ASVS 5.0, 13.4.1), wherever they lie in what is included."""
    path = home / "extra" / name
    path.parent.mkdir(parents=True)
    path.write_text("x")
    with pytest.raises(ConfigurationError, match="must not be shipped"):
        dict(included(Path("extra"), home))


def test_a_package_may_be_called_credentials():
    """Its modules are code; what they hold is looked through all the same."""
    refuse_secrets({"watchword/credentials/handles.py": b"x = 1"}, {})
    for path, data in (
        ("watchword/credentials/handles.py", b"key = 'AKIA" + b"ABCDEFGHIJKLMNOP'"),
        ("watchword/credentials/handles.json", b"{}"),
        ("watchword/credentials", b"x = 1"),
    ):
        with pytest.raises(ConfigurationError, match="must not be shipped"):
            refuse_secrets({path: data}, {})


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "key = 'AKIA" + "ABCDEFGHIJKLMNOP'",
        "aws_secret_access_key = " + "a" * 40,
        f'os.environ["WATCHWORD_KEY"] = "{KEY}"',
        f"WATCHWORD_KEY={KEY}",
        "the-key-of-this-environment-01234",
        "an-older-key-of-it-0123456",
        "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----",
        '{"kty": "OKP", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}',
        "https://bob:ghp_" + "0123456789abcdef0123456789abcdef0123@github.com",
        '{"client_secret": "GOCSPX-0123456789abcdefghijklmnopq"}',
    ],
    ids=[
        "private key",
        "access key",
        "AWS secret",
        "assigned",
        "in a file",
        "of the environment",
        "an older one",
        "PGP",
        "JWK",
        "token",
        "client",
    ],
)
def test_files_that_hold_a_secret_are_refused_without_showing_it(text):
    """By its shape, or because it is a secret of the environment that builds."""
    environment = {"WATCHWORD_KEY": "secretsmanager://x,the-key-of-this-environment-01234,an-older-key-of-it-0123456"}
    with pytest.raises(ConfigurationError, match=r"^notes\.txt must not be shipped: it holds") as refused:
        refuse_secrets({"notes.txt": text.encode()}, environment)
    assert KEY not in str(refused.value)
    assert "01234" not in str(refused.value)
    refuse_secrets({"notes.txt": b"WATCHWORD_KEY is read from the environment"}, environment)


def test_a_secret_in_a_flow_is_refused(home, order):
    """What is followed is judged as what is included."""
    (home / "flow.toml").write_text(f'# WATCHWORD_KEY = "{KEY}"\n[[steps]]\nkind = "email_otp"\n')
    with pytest.raises(ConfigurationError, match=r"flow\.toml must not be shipped"):
        build(evolve(order, flow="flow.toml"))


def test_a_setting_that_names_a_file_must_be_shipped(home, order):
    """Templates and fonts are read in Lambda: below the project, and included."""
    (home / "mail").mkdir()
    for part in ("subject.txt", "txt", "html"):
        (home / "mail" / f"en.{part}").write_text("hello" if part == "subject.txt" else "hello $code")
    flow = home / "flow.toml"
    flow.write_text('[[steps]]\nkind = "email_otp"\ntemplates = "mail"\n')
    with pytest.raises(ConfigurationError, match=r"step 'email_otp': templates is 'mail': ship it with --include mail"):
        build(evolve(order, flow="flow.toml"))
    made = build(evolve(order, flow="flow.toml", include=(Path("mail"),)))
    in_mail = {each.trigger: sorted(name for name in each.archive.files if "mail/" in name) for each in made.functions}
    # Only Create writes mails: the setting is cosmetic.
    assert {"define": [], "create": ["mail/en.html", "mail/en.subject.txt", "mail/en.txt"], "verify": []} == in_mail
    flow.write_text(f'[[steps]]\nkind = "email_otp"\ntemplates = "{home / "mail"}"\n')
    with pytest.raises(ConfigurationError, match="on this machine alone"):
        build(evolve(order, flow="flow.toml"))


def test_what_is_included_lies_in_the_project(home, tmp_path_factory):
    """No link and no path leads out of it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "passwd").write_text("x")
    (home / "link").symlink_to(elsewhere)
    for path in (Path("link"), elsewhere, Path("..")):
        with pytest.raises(ConfigurationError, match="outside of"):
            dict(included(path, home))
    with pytest.raises(ConfigurationError, match="no such file"):
        dict(included(Path("nothing"), home))


def test_no_link_is_shipped(home):
    """One inside of the project neither, nor what is in a folder that is one: what is listed is what is there."""
    (home / "mail").mkdir()
    (home / "mail" / "en.txt").write_text("$code")
    assert {"mail/en.txt"} == set(dict(included(Path("mail"), home)))
    (home / "linked").symlink_to(home / "mail")
    (home / "mail" / "de.txt").symlink_to(home / "mail" / "en.txt")
    for path in ("linked", "linked/en.txt", "mail", "mail/de.txt"):
        with pytest.raises(ConfigurationError, match="it is a link, or in a folder that is one"):
            dict(included(Path(path), home))


def test_beside_a_module_goes_what_is_imported_or_included_and_all_of_it_is_listed(home, capsys):
    """Databases, hidden files, links and notes in the folder of a kind stay where they are."""
    project(home)
    folder = home / "mykinds"
    for name in (".git-credentials", "service-account.json", "pool.db", "notes.md", "fonts.ttf", "templates/en.txt"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (folder / "link.txt").symlink_to(folder / "notes.md")
    assert 0 == main(["build", "mykinds.riddle:flow", "--include", "mykinds/templates", "--json"])
    made = json.loads(capsys.readouterr().out)["functions"]
    expected = [
        "mykinds/templates/en.txt",
        *(f"mykinds/{each}.py" for each in ("__init__", "lines", "riddle", "words")),
    ]
    for each in made[1:]:
        assert sorted(expected) == each["project"]
        mine = [name for name in each["contents"] if name.startswith("mykinds/") and "__pycache__" not in name]
        assert sorted(expected) == mine
    assert 0 == main(["build", "mykinds.riddle:flow", "--include", "mykinds/templates"])
    assert f"yours in create.zip: {', '.join(sorted(expected))}" in " ".join(capsys.readouterr().out.split())


def private_keys():
    """Return private keys of several kinds, in every form that cryptography writes, and what is public of them."""
    pytest.importorskip("cryptography", reason="pip install 'watchword[local]'")
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12

    locked = forms.BestAvailableEncryption(b"secret")
    made = [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ]
    for key in made:
        public = key.public_key()
        yield False, public.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        yield False, public.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
        for encoding in (forms.Encoding.DER, forms.Encoding.PEM):
            yield True, key.private_bytes(encoding, forms.PrivateFormat.PKCS8, forms.NoEncryption())
            yield True, key.private_bytes(encoding, forms.PrivateFormat.PKCS8, locked)
            if not isinstance(key, ed25519.Ed25519PrivateKey):
                yield True, key.private_bytes(encoding, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption())
        if not isinstance(key, dsa.DSAPrivateKey):
            yield True, key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.OpenSSH, forms.NoEncryption())
        yield True, pkcs12.serialize_key_and_certificates(b"key", key, None, None, locked)


def test_private_keys_are_known_by_what_is_in_them():
    """RSA, elliptic curves and DSA, in DER and PEM, locked or not, under an innocent name; public keys are none."""
    for private, data in private_keys():
        assert private is bool(secret_content(data)), data[:40]


def test_databases_are_known_by_what_is_in_them(tmp_path):
    """Whatever they are called; a write-ahead log holds rows too."""
    path = tmp_path / "notes.txt"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE secrets (value BLOB)")
        files = [each.read_bytes() for each in tmp_path.iterdir()]
    assert 3 == len(files)
    assert {"a database", ""} == {secret_content(data) for data in files}  # "": an index of the log, which holds no row
    assert "a database" == secret_content(path.read_bytes())
    others = [
        b"PGDMP\1",
        b"-- MySQL dump 10.13",
        b"-- PostgreSQL database dump",
        b"\0\1\0\0Standard ACE DB",
        b"\0" * 8 + b"DUCK",
    ]
    assert all(map(secret_content, others))


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda data: b"\x30" + bytes([len(data)]) + data))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30\x80")
@example(b"\x30\x02\x30\x00")
def test_any_bytes_are_judged(data):
    """No file makes the build fail by its form."""
    assert isinstance(secret_content(data), str)


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_writes_three_zips_and_says_what_is_in_them(home, shelf, capsys):
    """A table on standard output, progress on standard error, and the zips as reported."""
    command = ["build", str(FLOWS / "email_code.toml"), "-o", "out", "--wheels", str(shelf), "--python", HERE.python]
    assert 0 == main(command)
    said = capsys.readouterr()
    assert "attrs==" in said.out
    assert "its own files" in said.out
    assert "fetching attrs==" in said.err
    assert ["create.zip", "define.zip", "verify.zip"] == sorted(each.name for each in (home / "out").iterdir())
    assert 0 == main([*command, "--json"])
    report = json.loads(capsys.readouterr().out)
    for path, each in zip(report["paths"], report["functions"], strict=True):
        data = Path(path).read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            assert each["contents"] == {info.filename: info.file_size for info in opened.infolist()}
        assert (len(data), f"{each['trigger']}.{each['trigger']}") == (each["zip_bytes"], each["handler"])


def test_the_command_says_where_bytecode_is_missing(home, shelf, capsys):
    """One line, with the remedy."""
    other = next(each for each in ("3.11", "3.12", "3.13") if each != HERE.python)
    command = ["build", str(FLOWS / "email_code.toml"), "-o", "out", "--wheels", str(shelf), "--python", other]
    assert 0 == main(command)
    assert f"build with {other} to spare that" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--include", ".env"],
        ["--ledger", "Dynamo DB"],
        ["--courier", "pigeon"],
        ["--previous", "nothing.toml"],
        ["--arch", "riscv"],
        ["--python", "3.9"],
        ["--wheels", "flow.toml"],
        ["--wheels", "nowhere"],
        ["-o", ".env"],
        ["-o", ".env/below"],
        ["-o", "taken"],
    ],
    ids=" ".join,
)
def test_nothing_is_written_if_anything_is_wrong(words, home, shelf, capsys):
    """The status is not 0, one line says why, and there is no folder."""
    (home / ".env").write_text("x")
    (home / "taken" / "verify.zip").mkdir(parents=True)
    before = sorted(home.rglob("*"))
    assert 2 == main(["build", str(FLOWS / "email_code.toml"), "-o", "out", "--wheels", str(shelf), *words])
    assert before == sorted(home.rglob("*"))
    assert 1 == capsys.readouterr().err.count("watchword: error:")


def test_writing_that_fails_leaves_nothing_half_written(built, tmp_path):
    """Zips appear whole or not at all: they are written elsewhere first."""
    (tmp_path / "create.zip").mkdir()
    with pytest.raises(OSError, match=r"create\.zip"):
        built.write(tmp_path)
    assert {"create.zip", "define.zip"} == {each.name for each in tmp_path.iterdir()}
    assert built.functions[0].archive.data == (tmp_path / "define.zip").read_bytes()


def test_a_target_is_one_of_lambdas():
    """The default is this Python, where Lambda has it."""
    assert this_python() == default_python()
    assert ("3.11", "3.12") == PYTHONS[:2]


def test_the_pythons_are_those_of_botocores_model(monkeypatch):
    """All that are new enough; without botocore, or with one of another form, a fixed list."""
    loaders = pytest.importorskip("botocore.loaders", reason="pip install boto3")
    model = loaders.Loader().load_service_model("lambda", "service-2")["shapes"]["Runtime"]["enum"]
    every = [name.removeprefix("python") for name in model if name.startswith("python3.")]
    assert set(lambda_pythons()) == {each for each in every if int(each.partition(".")[2]) >= 11}
    fixed = ("3.11", "3.12", "3.13", "3.14")
    monkeypatch.setattr(target_module, "find_spec", lambda name: None)
    assert fixed == lambda_pythons()


@pytest.mark.parametrize("said", [b"", b"{}", b"[]", b"\xff", b'{"shapes": {"Runtime": {"enum": ["nodejs"]}}}'])
def test_a_model_of_another_form_gives_the_fixed_list(said, tmp_path, monkeypatch):
    """botocore's files are its own business."""
    path = tmp_path / "data" / "lambda" / "2015-03-31" / "service-2.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(said)
    monkeypatch.setattr(target_module, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    assert ("3.11", "3.12", "3.13", "3.14") == lambda_pythons()
    path.with_suffix(".json.gz").write_bytes(
        gzip.compress(b'{"shapes": {"Runtime": {"enum": ["python3.9", "python3.40"]}}}')
    )
    assert ("3.40",) == lambda_pythons()
    for wrong in (("riscv", "3.12"), ("arm64", "3.9")):
        with pytest.raises(ConfigurationError, match="is no"):
            Target(*wrong)


PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("dump.sql", b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE users(pw text);\n"),
        ("maria.sql", b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n"),
        ("utf16.txt", PEM.encode("utf-16")),
        ("key.gz", gzip.compress(PEM.encode(), mtime=0)),
        ("sts.json", b'{"SecretAccessKey": "' + b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" + b'"}'),
        ("jwk.json", b'{"kty": "oct", "k": "' + b"A" * 43 + b'"}'),
        ("github.txt", b"github_pat_" + b"a1" * 20),
        ("npm.txt", b"npm_" + b"a1" * 18),
        ("stripe.txt", b"sk_live_" + b"a1" * 10),
        *(
            (name, b"a=1")
            for name in ("env.production", "a.env.json", "x.tfvars", "secret.yaml", "kubeconfig", "d.rdb")
        ),
    ],
)
def test_more_forms_of_secrets_and_archives_are_refused(name, data):
    """By name or content; what is in an archive is not looked at, so it stays here."""
    with pytest.raises(ConfigurationError, match="must not be shipped"):
        refuse_secrets({f"mail/{name}": data}, {})


@pytest.mark.parametrize("name", ["env.py", "environment.toml", "key.txt", "secretary.py"])
def test_a_name_that_only_resembles_one_is_shipped(name):
    """A module of the project may be called so."""
    refuse_secrets({name: b"a = 1"}, {})


@pytest.mark.parametrize("linked", ["extra.py", "inner", "package"])
def test_no_module_is_shipped_through_a_link(home, order, tmp_path_factory, linked):
    """A link may lead out of the project: the module, its package, or a folder between."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "inner").mkdir()
    for path in (outside / "extra.py", outside / "inner" / "extra.py", outside / "inner" / "__init__.py"):
        path.write_text(
            "from watchword import Flow\nfrom watchword_plugins.email_otp import EmailOtp\nflow = Flow(EmailOtp())\n"
        )
    package = home / "linkedproject"
    if linked == "package":
        package.symlink_to(outside / "inner")
    else:
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / linked).symlink_to(outside / linked)
    name = "linkedproject.inner.extra" if linked == "inner" else "linkedproject.extra"
    (home / "linkedflow.py").write_text(f"from {name} import flow\n")
    with pytest.raises(ConfigurationError, match="is a link: put the file there"):
        build(evolve(order, flow="linkedflow:flow"))


def test_a_url_in_place_of_a_scheme_is_not_printed():
    """It may hold a password."""
    with pytest.raises(ConfigurationError) as refused:
        check_scheme("smtp://user:SECRETPASS@host")
    assert "SECRETPASS" not in str(refused.value)
    assert str(refused.value) == "'smtp' with a URL behind it is no URL scheme: give 'smtp' alone: the zips hold no URL"


@pytest.mark.parametrize("text", ["", "//x", "a b:SECRETPASS", "SMTP"])
def test_what_is_no_scheme_at_all_is_told_by_an_example(text):
    """Nothing behind a colon is shown here either."""
    with pytest.raises(
        ConfigurationError, match="is no URL scheme: give the part before the colon, such as dynamodb"
    ) as refused:
        check_scheme(text)
    assert "SECRETPASS" not in str(refused.value)


def test_a_kind_whose_extra_is_missing_is_named_with_it(home, monkeypatch):
    """Before its module is followed, which would tell of a package, and not of what to install."""
    (home / "flow.toml").write_text('[[steps]]\nkind = "proof_of_work"\n[[steps]]\nkind = "email_otp"\n')
    monkeypatch.setitem(sys.modules, "altcha", None)
    with pytest.raises(ConfigurationError) as refused:
        build(BuildOrder("flow.toml", HERE))
    remedy = "pip install 'watchword[proof-of-work]'"
    assert str(refused.value) == f"kind 'proof_of_work' needs more than is installed where you build: {remedy}"
