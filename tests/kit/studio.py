"""A studio that runs in the test's own process: its page, its workshop, and its file."""

from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from watchword_adapters.cli.studio.server import address, studio_application
from watchword_adapters.cli.studio.workshop import Workshop
from watchword_adapters.poolserver.http.application import Told
from watchword_adapters.poolserver.http.server import endpoint_of, hosts_of, open_sockets, running
from watchword_adapters.poolserver.inspector import gathering
from watchword_adapters.userpool import ClientError

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


def called(workshop, operation, **given):
    """Call *operation* of the workshop's pool as its application does; return the reply, or the error."""
    reply, error, told = None, None, {"Code": "", "Message": ""}
    with gathering() as runs:
        try:
            reply = workshop.pool.operations[operation](given)
        except ClientError as raised:
            error, told = raised, raised.response["Error"]
    workshop.sign_ins.record(Told(operation, given, reply, told["Code"], told["Message"], 0.0, runs))
    return error or reply


def begun(workshop, name="ann", **parameters):
    """Begin a sign-in of the user *name* at the workshop's pool; return the reply."""
    given = {"AuthFlow": "CUSTOM_AUTH", "ClientId": workshop.pool.client_id}
    return called(workshop, "InitiateAuth", AuthParameters={"USERNAME": name, **parameters}, **given)


def answered(workshop, before, answer="-", name="ann", **metadata):
    """Answer the challenge of the reply *before*; return the next one, or the error."""
    given = {
        "ClientId": workshop.pool.client_id,
        "ChallengeName": before["ChallengeName"],
        "Session": before["Session"],
    }
    responses = {"USERNAME": name, "ANSWER": answer}
    return called(workshop, "RespondToAuthChallenge", ChallengeResponses=responses, ClientMetadata=metadata, **given)


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
