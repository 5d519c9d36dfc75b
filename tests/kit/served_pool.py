"""`watchword serve` as a process of its own, for tests that drive real clients against it."""

import json
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

from attrs import fields_dict, frozen

from kit.paths import FLOWS

FLOW = FLOWS / "password_or_code.toml"
PASSWORD = "Passw0rd!x"
POOL_ID = "us-east-1_Abc123"
CLIENT_ID = "client1"


@frozen
class Served:
    """A running server: what its ready line says."""

    endpoint: str
    pool_id: str
    client_id: str
    credentials_url: str = ""
    fido2_base_url: str = ""

    def get(self, path):
        """The JSON at *path*."""
        with urllib.request.urlopen(f"{self.endpoint}{path}") as response:
            return json.load(response)

    def mails_for(self, username):
        """The texts of the mails to *username*, oldest first."""
        return [mail["text"] for mail in self.get("/_watchword/outbox.json") if mail["username"] == username]

    def code_for(self, username):
        """The code in the newest mail to *username*."""
        return _code_in(self.mails_for(username)[-1])

    def newest_code(self):
        """The code in the newest mail to anybody."""
        return _code_in(self.get("/_watchword/outbox.json")[-1]["text"])


def _code_in(text):
    return re.search(r"\b(\d{8}|\d{6})\b", text)[0]


@contextmanager
def served(*options, flow=FLOW):
    """Serve *flow* with *options* at a free port while the block runs; it must end cleanly."""
    command = [sys.executable, "-m", "watchword_adapters", "serve", str(flow), "--port", "0", "--json"]
    command += ["--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--no-open", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Served(**{name: value for name, value in json.loads(line).items() if name in fields_dict(Served)})
    finally:
        process.terminate()
        rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")


def other_than(code):
    """Another code of the same length."""
    return f"{(int(code[0]) + 1) % 10}{code[1:]}"
