"""A studio that runs in the test's own process: its page, its workshop, and its file."""

from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from watchword_adapters.cli.studio.server import address, studio_application
from watchword_adapters.cli.studio.workshop import Workshop
from watchword_adapters.poolserver.http.server import endpoint_of, hosts_of, open_sockets, running

TOKEN = "t" * 22

EVENT = {
    "version": "1",
    "region": "eu-west-1",
    "userPoolId": "eu-west-1_Abc123",
    "userName": "secret-name",
    "callerContext": {"awsSdkVersion": "1", "clientId": "abc"},
    "triggerSource": "DefineAuthChallenge_Authentication",
    "request": {"userAttributes": {"sub": "1"}, "session": []},
    "response": {},
}
"""A captured event of Define, for the beginning of a sign-in."""


@frozen
class Studio:
    """A studio that is served."""

    workshop: Workshop
    origin: str

    @property
    def url(self):
        return address(self.origin, TOKEN)

    @property
    def port(self):
        return int(self.origin.rpartition(":")[2])

    @property
    def file(self) -> Path:
        return self.workshop.path

    def answer(self, step):
        """What is right for *step* of Ann."""
        return next(each.text for each in self.workshop.inspector.answers_for("ann") if each.step == step)


@contextmanager
def studio(file, text=None, *, name="127.0.0.1"):
    """Serve a studio of *file*, with *text* in it, at *name* while the block runs."""
    if text is not None:
        file.write_text(text, "utf-8")
    workshop = Workshop(file)
    sockets = open_sockets(None, 0)
    try:
        with running(studio_application(workshop, hosts_of(sockets), TOKEN), sockets):
            yield Studio(workshop, endpoint_of(sockets).replace("127.0.0.1", name))
    finally:
        for each in sockets:
            each.close()
