"""The pictures of the docs, made anew: what a screen reader finds in each is what it finds in the one that is kept.

With WATCHWORD_UPDATE_PICTURES=1 the pictures are kept as they are now.
"""

import io
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from kit.paths import FLOWS, ROOT
from kit.programs import CLIENTS, find_node, find_program
from kit.served_pool import served

pytestmark = pytest.mark.exhaustive

KEPT = ROOT / "docs" / "pictures"
UPDATE = "WATCHWORD_UPDATE_PICTURES"
FORM = {"width": 400, "height": 640}
SCREEN = {"width": 1360, "height": 900}
ELEMENT = "watchword-sign-in"

CHOICE = """name = "all"
[[steps]]
one_of = [
    { kind = "email_otp" },
    { kind = "sms_otp", countries = ["+1"] },
    { kind = "magic_link", redirects = { web = "http://localhost:9229/_watchword/sign-in" } },
    { kind = "captcha" },
    { kind = "passkey", rp_id = "localhost", origins = ["http://localhost:9229"], lifetime = 180 },
    { sequence = [{ kind = "srp" }, { kind = "proof_of_work", cost = 100_000, work = 100_000 }] },
]
"""
ENROL = """name = "enrol"
[[steps]]
one_of = [
    { sequence = [{ kind = "email_otp" }, { enrol = { kind = "totp" } }, { enrol = { kind = "recovery_codes" } }] },
    { sequence = [{ kind = "srp" }, { enrol = { kind = "passkey", rp_id = "localhost", origins = ["http://localhost:9229"] } }] },
]
"""
USERS = """[[users]]
name = "ann"
password = "Passw0rd!x"
email = "ann@example.com"
phone_number = "+15555550100"
attributes = { "custom:customer_number" = "20384812" }
"""
TUTORIAL = ROOT / "docs" / "tutorial" / "write-a-plugin.md"
PLUGIN = """
from watchword import Flow, one_of, sequence
from watchword_plugins.passkey import Passkey
from watchword_plugins.srp import Srp
from watchword_customer_number import CustomerNumber

passkey = Passkey(rp_id="localhost", origins=("http://localhost:9229",), lifetime=180)
flow = Flow(one_of(sequence(Srp(), CustomerNumber(digits=6)), passkey), name="shop")
"""
FORMS = (
    "start",
    "password",
    "choice",
    "email-otp",
    "sms-otp",
    "magic-link",
    "captcha",
    "totp",
    "recovery-codes",
    "passkey-new",
    "passkey",
    "proof-of-work",
    "customer-number",
)
PICTURES = [*(f"form-{name}" for name in FORMS), "studio"]

_VARIES = (
    (re.compile(r"\b[A-Z2-7]{16,}\b"), "SECRET"),
    (re.compile(r"\b[B-Z]{4} [B-Z]{4}\b"), "REFERENCE"),
    (re.compile(r"\b[0-9A-Za-z]{4}(-[0-9A-Za-z]{4}){3}\b"), "RECOVERY-CODE"),
    (re.compile(r"\d+:\d\d(:\d\d)?.(AM|PM)"), "TIME"),
    (re.compile(r"\bin \d+ s\b"), "in N s"),
)


_FRAME = re.compile(r"\s*- (heading|region|button|tab|tablist|checkbox|textbox|group|banner|main)\b")


def settled(name, text):
    """What a screen reader finds, without what is drawn anew each time; of the studio the frame alone."""
    if name == "studio":
        text = "\n".join(line.partition('": ')[0] for line in text.splitlines() if _FRAME.match(line))
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text


def small(data):
    """The picture with no more colours than it needs."""
    kept = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def sign_in(page, *steps, password=""):
    """Begin as ann at *page*, and go on with *steps*."""
    typed = [["press", "Tab"], ["type", password]] if password else []
    begun = [["goto", page], ["wait", f"{ELEMENT} input"], ["fill", f"{ELEMENT} input", "ann"]]
    return {"size": FORM, "steps": [*begun, *typed, ["press", "Enter"], *steps]}


def forms(choice, enrol, plugin):
    """The pictures of the form: at a server with a choice of everything, at one that enrols, and at one with the tutorial's kind.

    Each has another way for whoever begins with the password.
    """
    page, other, shop = (
        f"{server.endpoint.replace('127.0.0.1', 'localhost')}/_watchword/sign-in" for server in (choice, enrol, plugin)
    )
    srp = {"password": "Passw0rd!x"}
    start = [["goto", page], ["wait", f"{ELEMENT} input"], ["picture", "form-start", ELEMENT]]
    password = [["goto", f"{page}?flow=custom-srp"], ["wait", "input[type=password]"]]
    yield {"size": FORM, "steps": start}
    yield {"size": FORM, "steps": [*password, ["picture", "form-password", ELEMENT]]}
    asked = ["wait", f"{ELEMENT} .ww-stack button"]
    yield sign_in(page, asked, ["picture", "form-choice", ELEMENT])
    shown = [("Code by e-mail", "email-otp"), ("Code by text message", "sms-otp")]
    for label, name in (*shown, ("Link by e-mail", "magic-link"), ("Picture", "captcha")):
        chosen = ["click", f"{ELEMENT} button:text-is('{label}')"]
        ready = ["wait", f"{ELEMENT} img" if name == "captcha" else f"{ELEMENT} input[name=answer]"]
        yield sign_in(page, asked, chosen, ready, ["picture", f"form-{name}", ELEMENT])
    answers = f"{enrol.endpoint}/_watchword/answers.json?username=ann"
    mailed = [["wait", f"{ELEMENT} input[name=answer]"], ["code", answers, "email_otp"], ["press", "Enter"]]
    app = [["wait", f"{ELEMENT} svg"], ["picture", "form-totp", ELEMENT]]
    code = [["run", ["oathtool", "--totp", "-b"], f"{ELEMENT} p code"], ["press", "Enter"]]
    codes = [["wait", f"{ELEMENT} ol"], ["picture", "form-recovery-codes", ELEMENT]]
    yield sign_in(other, *mailed, *app, *code, *codes)
    number = [["wait", f"{ELEMENT} input[name=answer]"], ["picture", "form-customer-number", ELEMENT]]
    yield sign_in(f"{shop}?flow=custom-srp", *number, **srp)
    button = ["wait", f"{ELEMENT} form:not(:has(input)) .ww-main"]
    yield sign_in(f"{other}?flow=custom-srp", button, ["picture", "form-passkey-new", ELEMENT], **srp)
    yield sign_in(shop, button, ["picture", "form-passkey", ELEMENT])
    working = ["wait", f"{ELEMENT} .ww-busy"]
    yield sign_in(f"{page}?flow=custom-srp", working, ["picture", "form-proof-of-work", ELEMENT], **srp)


@contextmanager
def studio(flow):
    """Give the address of a studio for *flow* while the block runs."""
    command = [sys.executable, "-m", "watchword_adapters", "studio", str(flow), "--no-open", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        _, errors = process.communicate()
    assert (0, "") == (process.returncode, errors)


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """As `_taken`, with the plugin of the tutorial on the path of what is served."""
    folder = tmp_path_factory.mktemp("pictures")
    module = re.search(r"```python\n# file: \S*/(\w+\.py)\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    (folder / module[1]).write_text(module[2])
    (folder / "shop.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield _taken(folder)


def _taken(folder):
    """All pictures, made now: the folder, and what a screen reader finds in each."""
    node = find_node("playwright-core")
    chromium = find_program("chromium", "chromium-browser", "google-chrome", remedy="apt-get install chromium")
    find_program("oathtool", remedy="apt-get install oathtool")
    for name, text in (("choice.toml", CHOICE), ("enrol.toml", ENROL), ("users.toml", USERS)):
        (folder / name).write_text(text)
    flow = folder / "password_or_code.toml"
    flow.write_text((FLOWS / flow.name).read_text())
    with (
        served("--users", str(folder / "users.toml"), flow=folder / "choice.toml") as choice,
        served("--users", str(folder / "users.toml"), "--dev-answers", flow=folder / "enrol.toml") as enrol,
        served("--users", str(folder / "users.toml"), flow="shop:flow") as plugin,
        studio(flow) as address,
    ):
        form = f"{ELEMENT} input[name=password]"
        begun = [["goto", address], ["wait", "#diagram svg"], ["wait", form], ["fill", form, "Passw0rd!x"]]
        played = [["press", "Enter"], ["wait", ".node.lit"], ["wait", f"{ELEMENT} input[name=answer]"]]
        sessions = [
            *forms(choice, enrol, plugin),
            {"size": SCREEN, "steps": [*begun, *played, ["picture", "studio", "body"]]},
        ]
        command = [node, CLIENTS / "pictures.mjs", chromium, folder]
        ended = subprocess.run(command, input=json.dumps(sessions), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder, {name: settled(name, text) for name, text in json.loads(ended.stdout).items()}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_there_is(taken, name):
    """If not, it has grown old: look at the new one, then run this test with WATCHWORD_UPDATE_PICTURES=1."""
    folder, found = taken
    picture, words = KEPT / f"{name}.png", KEPT / f"{name}.txt"
    if os.environ.get(UPDATE) == "1":
        KEPT.mkdir(exist_ok=True)
        picture.write_bytes(small((folder / f"{name}.png").read_bytes()))
        words.write_text(found[name] + "\n")
    assert words.read_text() == found[name] + "\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_each_picture_is_in_a_page_with_words_for_it():
    """Nothing is kept for nothing, and nothing is shown without an alternative text (WCAG 2.2 SC 1.1.1)."""
    pages = [path.read_text() for path in Path(ROOT / "docs").rglob("*.md")]
    shown = {
        name: alt for page in pages for alt, name in re.findall(r"!\[([^\]]*)\]\([./]*pictures/([\w-]+)\.png\)", page)
    }
    assert set(PICTURES) == shown.keys()
    assert {f"{name}{ending}" for name in PICTURES for ending in (".png", ".txt")} == {
        path.name for path in KEPT.iterdir()
    }
    assert all(len(alt) > 20 for alt in shown.values())
