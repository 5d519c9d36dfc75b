"""An emulator of AWS on the loopback: the command `ministack`, started for as long as it is used."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress

from kit.programs import find_program

HANGS = 300
"""Seconds after which the emulator is taken to hang."""


def waited(ready, what):
    """Wait until *ready* gives something."""
    end = time.monotonic() + HANGS
    while time.monotonic() < end:
        with suppress(OSError):
            found = ready()
            if found:
                return found
        time.sleep(0.1)
    raise AssertionError(f"{what} took more than {HANGS} s")


@contextmanager
def emulator(folder):
    """Run the emulator in *folder*; give its endpoint. It is gone afterwards, and so are the functions that it started."""
    program = find_program("ministack", remedy="give it a venv of its own")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "WATCHWORD_", "PYTHON"))}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program],
            cwd=folder,
            env={**kept, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        waited(lambda: urllib.request.urlopen(f"{endpoint}/_ministack/health").read(), "the start of the emulator")
        yield endpoint
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def mails(endpoint):
    """Return the mails that the emulator's SES took, oldest first."""
    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages") as answer:
        by_account = json.load(answer)["messages"]
    return [mail for sent in by_account.values() for mail in sent]


def text_messages(endpoint):
    """Return the text messages that the emulator's SNS took, as number and text, by number."""
    with urllib.request.urlopen(f"{endpoint}/_ministack/sns/sms-messages") as answer:
        by_number = json.load(answer)["sms_messages"]
    return [(number, each["Message"]) for number, sent in by_number.items() for each in sent]
