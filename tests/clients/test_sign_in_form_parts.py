"""The parts of the sign-in form by themselves, in Node.js: texts, QR codes, what an error means."""

import json
import re
import subprocess
from importlib.resources import files
from string import Formatter

import pytest

from kit.programs import CLIENTS, find_node, find_program
from watchword_adapters.sign_in_page import COMPONENT

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
    (["Odd", ""], ["broken", "", True]),
]


@pytest.fixture(scope="module")
def parts():
    """What the form computes."""
    asked = {
        "qr": QR,
        "srp": {"poolId": "us-east-1_Abc123", "password": "x"},
        "failures": [case for case, _ in FAILURES],
    }
    file = files("watchword_adapters.sign_in_page").joinpath(COMPONENT)
    command = [find_node(), CLIENTS / "form_parts.mjs", file]
    ended = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_each_language_has_each_text_with_the_same_places(parts):
    """At least six languages, and nothing is left in English by mistake."""
    english = parts["texts"]["en"]
    assert len(parts["texts"]) >= 6
    for texts in parts["texts"].values():
        assert texts.keys() == english.keys()
        for key, text in texts.items():
            assert text.strip()
            assert _places(english[key]) == _places(text)


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
    """In hexadecimal, as Cognito takes it; that the password is right, a sign-in shows."""
    assert re.fullmatch("[0-9a-f]{700,768}", parts["A"])


def test_an_error_is_told_in_words(parts):
    """The reference is told where there is one, and whether the same answer may be sent again."""
    assert [dict(zip(("code", "ref", "over"), meant, strict=True)) for _, meant in FAILURES] == parts["failures"]
    known = parts["texts"]["en"]
    assert all(each["code"] in known for each in parts["failures"])
