"""Debian's Chromium with the npm client of passkeys in a page, driven by `tests/clients/browser.mjs`."""

import json
import subprocess
from contextlib import contextmanager

from attrs import field, frozen

from kit.programs import CLIENTS, find_node, find_program

PLATFORM = {"transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
SYNCED = PLATFORM | {"defaultBackupEligibility": True, "defaultBackupState": True}
ROAMING = {"transport": "usb", "hasResidentKey": False, "hasUserVerification": False, "isUserVerified": False}

AUTHENTICATORS = {"platform": PLATFORM, "synced": SYNCED, "roaming": ROAMING}
"""A fingerprint reader bound to its device, a passkey that is backed up, and a security key without a PIN.

The last one keeps nothing: it signs only for an id that it is shown, and tells no user handle.
"""

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class ClientError(Exception):
    """What a call of the client ended with: the error's name and message, as JavaScript prints them."""


@frozen
class Page:
    """A page with the client in it, in a browser profile of its own."""

    _chromium: "Chromium"
    _number: int

    def __getattr__(self, name):
        """The client's own function of that name."""
        if not name.startswith(("fido2", "authenticate", "configure", "store", "retrieve")):
            raise AttributeError(name)
        return lambda **parameters: self._chromium.do("call", self._number, name, parameters)

    def run(self, script, **parameters):
        """The value of *script*, a JavaScript function of one object, in the page."""
        return self._chromium.do("run", self._number, script, parameters)

    def go(self, origin):
        """Load the page from another *origin*: its storage is another one, its authenticators are the same."""
        self._chromium.do("go", self._number, origin)

    def plug_in(self, authenticator):
        """Add a virtual authenticator with these options; return its id. It is touched whenever it asks to be."""
        options = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "automaticPresenceSimulation": True, **authenticator}
        return self.cdp("addVirtualAuthenticator", options=options)["authenticatorId"]

    def cdp(self, method, **parameters):
        """What a command of the protocol's WebAuthn domain returns."""
        return self._chromium.do("cdp", self._number, f"WebAuthn.{method}", parameters)

    def tab(self, url):
        """Open *url* in another tab of the same profile."""
        return Page(self._chromium, self._chromium.do("tab", self._number, url))

    def type(self, label, text):
        """Type *text* into the field that is called *label*."""
        self._chromium.do("type", self._number, label, text)

    def press(self, name):
        """Press the button that is called *name*."""
        self._chromium.do("press", self._number, name)

    def sees(self, text):
        """Wait until *text* is shown."""
        self._chromium.do("see", self._number, text)

    def reach(self, name):
        """Press Tab until what is called *name* has the focus; say what it is, and whether the focus is seen."""
        return self._chromium.do("reach", self._number, name)

    def keys(self, *keys):
        """Press *keys*, one after the other."""
        self._chromium.do("keys", self._number, *keys)

    def write(self, text):
        """Type *text* where the focus is."""
        self._chromium.do("write", self._number, text)

    def focus(self):
        """What has the focus: its name, and whether it is seen."""
        return self._chromium.do("focus", self._number)

    def drop(self, selector, *files):
        """Drag *files* from the desktop onto what *selector* finds; return the page's address then."""
        return self._chromium.do("drop", self._number, selector, *map(str, files))

    def look(self, *, width=1280, height=700, scheme="light", motion="no-preference"):
        """Show the page in a window of this *width* and *height*, to somebody who wants this colour *scheme* and *motion*."""
        self._chromium.do("look", self._number, width, height, scheme, motion)

    def broken_rules(self, *tags):
        """What axe-core finds against the rules with these *tags*."""
        return self._chromium.do("axe", self._number, tags)

    def keep(self, folder, name):
        """Write a picture of the page and its accessibility tree into *folder*."""
        self._chromium.do("shoot", self._number, str(folder / f"{name}.png"))
        (folder / f"{name}.txt").write_text(self._chromium.do("tree", self._number) + "\n", "utf-8")

    def text(self):
        """The page's address, where it came from, and its HTML."""
        return self._chromium.do("text", self._number)

    def errors(self):
        """What was thrown in the page and caught by nobody."""
        return self._chromium.do("errors", self._number)

    def requests(self):
        """What the page has requested since this was last asked, such as ``POST http://…``."""
        return self._chromium.do("requests", self._number)


@frozen
class Chromium:
    """A running browser."""

    _process: subprocess.Popen = field(repr=False)

    def do(self, *command):
        """What the driver replies to *command*."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        reply = json.loads(line)
        if "error" in reply:
            raise ClientError(reply["error"])
        return reply["value"]

    def origin(self):
        """Serve the page at an origin of its own; return that."""
        return self.do("origin")

    def page(self, origin):
        """Open the page in a new profile."""
        return Page(self, self.do("open", origin))


def find_browser():
    """The path of the browser."""
    return find_program(*_NAMES, remedy="apt-get install chromium")


@contextmanager
def chromium():
    """Run the browser while the block runs; it must end cleanly."""
    command = [find_node("playwright-core"), CLIENTS / "browser.mjs", find_browser()]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Chromium(process)
    finally:
        rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
