"""The parts of the sign-in form by themselves, in Node.js: texts, QR codes, what an error means."""

import base64
import json
import re
import subprocess
from importlib.resources import files
from itertools import product
from string import Formatter

import pytest
from attrs import frozen

from kit.programs import CLIENTS, find_node, find_program
from watchword_adapters.sign_in_page import COMPONENT
from watchword_adapters.sign_in_page.page import LANGUAGES
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.srp.srp6a import N

QR = [f"otpauth://totp/{'x' * length}" for length in (1, 10, 60, 90, 110, 140, 250, 400, 640)]
FAILURES = [
    (["UserLambdaValidationException", "Create failed with error TRY_LATER BCDFGHJK."], ["later", "BCDFGHJK", True]),
    (
        ["UserLambdaValidationException", "Verify failed with error UNAVAILABLE BCDFGHJK."],
        ["unavailable", "BCDFGHJK", True],
    ),
    (
        ["UserLambdaValidationException", "Create failed with error NOT_CONFIGURED BCDFGHJK."],
        ["broken", "BCDFGHJK", True],
    ),
    (["NotAuthorizedException", "Incorrect username or password."], ["refused", "", True]),
    (["NotAuthorizedException", "Invalid session for the user, session is expired."], ["session_over", "", True]),
    (["TooManyRequestsException", "Too many requests"], ["later", "", False]),
    (["UserNotFoundException", "User does not exist."], ["refused", "", True]),
    (["InvalidPasswordException", "Password not long enough"], ["weak_password", "", False]),
    (["Odd", ""], ["broken", "", False]),
    (["UnexpectedLambdaException", "Verify failed"], ["broken", "", True]),
    (["ThrottlingException", ""], ["later", "", False]),
    (["TimeoutError", ""], ["offline", "", False]),
]

FILE = files("watchword_adapters.sign_in_page").joinpath(COMPONENT)
POOL = "us-east-1_Abc123"


@frozen
class Proof:
    """A proof of a *password* with fixed numbers; it is the randomness of our client, too."""

    user: str
    password: str
    secret: int
    server: int
    salt: int
    now: int = 1_640_995_200

    def bytes(self, count):
        return self.secret.to_bytes(count, "big")

    @property
    def given(self):
        block = base64.b64encode(self.password.encode() * 3).decode()
        return {
            "USER_ID_FOR_SRP": self.user,
            "SRP_B": f"{self.server:x}",
            "SALT": f"{self.salt:x}",
            "SECRET_BLOCK": block,
        }


PROOFS = [
    Proof(user, password, secret, pow(2, exponent, N), salt, now)
    for (user, password), (secret, exponent, salt), now in product(
        [("ann", "Passw0rd!x"), ("änn 世界", "Pässwörd €1 世界 \U0001f512"), ("0a-9", "\"'\\ \t")],
        [(1, 1, 1), (2**1023 + 7, 3071, 0x80), (12345, 2**200 + 5, 2**127 + 1), (2**1024 - 1, 2**2000 + 9, 0xFF00)],
        [1_640_995_200, 1_709_164_799],
    )
]
IMPOSSIBLE = Proof("ann", "x", 12345, 2 * N, 1)


def _with_secret(proof):
    return {
        "poolId": POOL,
        "password": proof.password,
        "secret": str(proof.secret),
        "given": proof.given,
        "now": proof.now,
    }


@pytest.fixture(scope="module")
def parts():
    """What the form computes."""
    asked = {
        "qr": QR,
        "srp": [{"poolId": "us-east-1_Abc123", "password": "x"}, *map(_with_secret, PROOFS), _with_secret(IMPOSSIBLE)],
        "failures": [case for case, _ in FAILURES],
    }
    command = [find_node(), CLIENTS / "form_parts.mjs", FILE]
    ended = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_each_language_has_each_text_with_the_same_places(parts):
    """The page knows which languages there are, and nothing is left in English by mistake."""
    english = parts["texts"]["en"]
    assert parts["texts"].keys() == set(LANGUAGES)
    for texts in parts["texts"].values():
        assert texts.keys() == english.keys()
        for key, text in texts.items():
            assert text.strip()
            assert _places(english[key]) == _places(text)


def test_the_form_speaks_each_language_of_the_messages(parts):
    """Who gets a mail in Polish is asked for its code in Polish."""
    templates = (each.name for each in files("watchword_plugins").joinpath("templates").iterdir())
    spoken = {name.partition(".")[0].partition("-")[0] for name in templates if name.endswith(".subject.txt")}
    assert len(spoken) >= 6
    assert spoken <= parts["texts"].keys()


def _places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_qr_code_reads_back(parts, tmp_path):
    """By zbar, in each size that a text needs."""
    zbarimg = find_program("zbarimg", remedy="apt-get install zbar-tools")
    for text, rows in zip(QR, parts["qr"], strict=True):
        wide = [f"0000{row}0000" for row in rows]
        empty = ["0" * len(wide[0])] * 4
        pixels = [" ".join(dot for dot in row for _ in range(4)) for row in [*empty, *wide, *empty] for _ in range(4)]
        picture = tmp_path / "code.pbm"
        picture.write_text(f"P1\n{4 * len(wide[0])} {len(pixels)}\n" + "\n".join(pixels) + "\n")
        read = subprocess.run([zbarimg, "-q", "--raw", picture], capture_output=True, text=True, check=False)
        assert text == read.stdout.strip()


def test_srp_begins_with_a_number_of_the_group(parts):
    """In hexadecimal, as Cognito takes it; another one each time."""
    assert re.fullmatch("[0-9a-f]{700,768}", parts["srp"][0]["A"])


def test_srp_computes_what_our_own_client_computes(parts):
    """For fixed secrets: public numbers whose first bit is set or not, short ones, passwords and names of any characters."""
    for proof, theirs in zip(PROOFS, parts["srp"][1:], strict=False):
        ours = SrpClient(POOL, proof.user, proof.password, proof)
        assert ours.auth_parameters()["SRP_A"] == theirs.pop("A")
        assert ours.answer(proof.given, proof.now) == theirs


def test_srp_refuses_a_number_that_no_server_sends(parts):
    """RFC 5054 2.5.4: zero modulo N would make every password right."""
    assert "refused" == parts["srp"][-1]["code"]


def test_the_form_is_typed():
    """By TypeScript's checker, in its strict mode, over the JSDoc."""
    node = find_node("typescript")
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "esnext", "--module", "esnext"]
    command = [
        node,
        CLIENTS / "node_modules/typescript/bin/tsc",
        *options,
        "--lib",
        "esnext,dom,dom.iterable",
        "--types",
        "",
    ]
    ended = subprocess.run([*command, FILE], capture_output=True, text=True, check=False)
    assert (0, "") == (ended.returncode, ended.stdout)


def test_an_error_is_told_in_words(parts):
    """The reference is told where there is one, and whether the same answer may be sent again."""
    assert [dict(zip(("code", "ref", "over"), meant, strict=True)) for _, meant in FAILURES] == parts["failures"]
    known = parts["texts"]["en"]
    assert all(each["code"] in known for each in parts["failures"])
