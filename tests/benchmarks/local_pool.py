"""Sign-ins over HTTP in a local user pool (CUSTOM_AUTH, one wrong answer, then the right one), and a server's start-up."""

import http.client
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from decisions import SIGNATURES, signing
from rounds import Measured, Sample, alternate
from scoreboard import Row, left_out, options, show

HANDLERS = Path(__file__).parent / "handlers"
FLOW = 'name = "acme"\n[[steps]]\nkind = "email_otp"\nlength = 8\n'
POOL, FLOWING, MINISTACK = "Watchword, handlers by hand", "Watchword, a flow", "ministack, handlers by hand"
STARTS = {POOL: "Watchword's start", MINISTACK: "ministack's start"}
RATE, CPU, START = "sign-ins", "server cpu", "to first answer"
UNITS = {RATE: "/s", CPU: "ms each", START: "s"}
PREFIX = "AWSCognitoIdentityProviderService."
CODE, WRONG = "271828", "000000"


class Link:
    """One connection for each run, kept as a client keeps it: between two runs it would idle for longer than servers allow."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def renew(self) -> None:
        """Connect anew."""
        self._connection.close()
        self._connection.connect()
        # Head and body go out apart; without this the second may wait for word of the first.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, operation: str, **parameters: object) -> dict:
        headers = {"X-Amz-Target": PREFIX + operation, "Content-Type": "application/x-amz-json-1.1"}
        # Not used by either server, but ministack tells the service by it.
        headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cognito-idp/aws4_request"
        self._connection.request("POST", "/", json.dumps(parameters), headers)
        response = self._connection.getresponse()
        reply = json.loads(response.read())
        assert response.status == 200, reply
        return reply

    def get(self, path: str) -> dict:
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())

    def sign_in(self, client: str, name: str, code: Callable[[], str]) -> None:
        """Sign *name* in, with a wrong answer before the one that *code* gives."""
        reply = self.call("InitiateAuth", ClientId=client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})
        for answer in (lambda: WRONG, code):
            reply = self.call(
                "RespondToAuthChallenge",
                ClientId=client,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=reply["Session"],
                ChallengeResponses={"USERNAME": name, "ANSWER": answer()},
            )
        assert reply["AuthenticationResult"]["AccessToken"]


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def process(command: list[str], port: int, **environment: str) -> Iterator[tuple[int, float]]:
    """Run *command* while the block runs; give its process id, and the seconds until *port* answered for the first time."""
    began = time.monotonic()
    running = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield running.pid, _first_answer(port, running) - began
    finally:
        running.terminate()
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _first_answer(port: int, running: subprocess.Popen) -> float:
    until = time.monotonic() + 60
    while time.monotonic() < until and running.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/", "{}", {"X-Amz-Target": PREFIX + "GetUser"})
            connection.getresponse().read()
            return time.monotonic()
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise SystemExit(f"{running.args} did not answer within a minute")


def spent(root: int) -> float:
    """Return the milliseconds of processor time of *root* and the processes below it, over all their threads."""
    fields: dict[int, list[str]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields[int(status.parent.name)] = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
    tree = {root}
    while more := {child for child, its in fields.items() if int(its[1]) in tree} - tree:
        tree |= more
    return sum(_spent_by(each, fields[each]) for each in tree)


def _spent_by(process_id: int, fields: list[str]) -> float:
    """Return the milliseconds of one process: the ticks know of threads that have ended, the others are more exact."""
    ticks = sum(map(int, fields[11:15])) * 1000 / os.sysconf("SC_CLK_TCK")
    threads = Path(f"/proc/{process_id}/task").glob("*/schedstat")
    return max(ticks, sum(int(each.read_text().split()[0]) for each in threads) / 1e6)


def measured_run(
    pid: int, link: Link, count: int, sign_in: Callable[[], None], before: Callable[[], None] = lambda: None
):
    """Return a run of *count* sign-ins over *link*: how many a second, and what each cost the server."""

    def run() -> Sample:
        link.renew()
        for _ in range(count):
            before()
        cpu, began = spent(pid), time.monotonic()
        for _ in range(count):
            sign_in()
        seconds = time.monotonic() - began
        return {RATE: count / seconds, CPU: (spent(pid) - cpu) / count}

    return run


def serving(port: int, *options: str) -> list[str]:
    """Return the command that serves a pool quietly."""
    command = [sys.executable, "-m", "watchword_adapters", "serve", *options, "--port", str(port), "--quiet"]
    return [*command, "--no-open", "--client-id", "acme", "--user", "ann"]


def watchword(stack: ExitStack, count: int) -> Callable[[], Sample]:
    """Return the run with handlers by hand."""
    port = free_port()
    command = serving(port, "--triggers", str(HANDLERS / "pool_by_hand.py"))
    pid, _ = stack.enter_context(process(command, port))
    link = Link(port)
    return measured_run(pid, link, count, lambda: link.sign_in("acme", "ann", lambda: CODE))


def flowing(stack: ExitStack, count: int, folder: Path) -> Callable[[], Sample]:
    """Return the run with a flow: a code by mail, another user every time, one request more to read the code."""
    (folder / "flow.toml").write_text(FLOW)
    port = free_port()
    command = serving(port, str(folder / "flow.toml"), "--dev-answers")
    pid, _ = stack.enter_context(process(command, port))
    link = Link(port)
    numbers, waiting = itertools.count(), iter(itertools.count())

    def add() -> None:
        name = f"user{next(numbers)}"
        email = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
        link.call("AdminCreateUser", UserPoolId="us-east-1_Abc123", Username=name, UserAttributes=email)

    def sign_in() -> None:
        name = f"user{next(waiting)}"
        link.sign_in("acme", name, lambda: link.get(f"/_watchword/answers.json?username={name}")["answer"])

    return measured_run(pid, link, count, sign_in, add)


def ministack(stack: ExitStack, count: int) -> Callable[[], Sample]:
    """Return the run in the emulator, with the same handlers as Lambda functions, which it runs in processes."""
    import boto3

    port = free_port()
    pid, _ = stack.enter_context(process(*_ministack(port)))
    access = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    functions, cognito = boto3.client("lambda", **access), boto3.client("cognito-idp", **access)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(HANDLERS / "pool_by_hand.py", "pool_by_hand.py")
    names = {"DefineAuthChallenge": "define", "CreateAuthChallenge": "create", "VerifyAuthChallengeResponse": "verify"}
    arns = {
        trigger: functions.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info.minor}",
            Role="arn:aws:iam::000000000000:role/any",
            Handler=f"pool_by_hand.{name}",
            Code={"ZipFile": packed.getvalue()},
        )["FunctionArn"]
        for trigger, name in names.items()
    }
    pool = cognito.create_user_pool(PoolName="acme", LambdaConfig=arns)["UserPool"]["Id"]
    flows = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="acme", ExplicitAuthFlows=flows)
    client = made["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Passw0rd!x", Permanent=True)
    link = Link(port)
    return measured_run(pid, link, count, lambda: link.sign_in(client, "ann", lambda: CODE))


def _ministack(port: int) -> tuple[list[str], int]:
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    # It demands one exact botocore, so it may stand in an environment of its own.
    return ["env", *(f"{name}={value}" for name, value in settings.items()), "ministack"], port


def starting(command: Callable[[int], tuple[list[str], int]]) -> Callable[[], Sample]:
    """Return a run that starts a server and ends it again."""

    def run() -> Sample:
        with process(*command(free_port())) as (_, seconds):
            return {START: seconds}

    return run


def _by_hand(port: int) -> tuple[list[str], int]:
    return serving(port, "--triggers", str(HANDLERS / "pool_by_hand.py")), port


def rows(measured: Measured) -> list[Row]:
    """Return the figures: Watchword against the floor, and against the emulator where that is installed."""
    row = partial(_row, measured)
    table = [Row(SIGNATURES, measured.median(SIGNATURES, CPU), UNITS[CPU])]
    # The goal was set for two requests without the wrong answer.
    table += [row(POOL, RATE), row(POOL, CPU, SIGNATURES, "≤ 2x"), row(FLOWING, RATE), row(FLOWING, CPU, SIGNATURES)]
    table.append(row(STARTS[POOL], START))
    if MINISTACK in measured.samples:
        table += [row(MINISTACK, RATE), row(MINISTACK, CPU), row(STARTS[MINISTACK], START)]
        table += [row(POOL, RATE, MINISTACK), row(POOL, CPU, MINISTACK, "≤ 0.35x")]
        table.append(row(STARTS[POOL], START, STARTS[MINISTACK]))
    return table


def _row(measured: Measured, variant: str, quantity: str, against: str = "", target: str = "") -> Row:
    ratio = measured.ratio(variant, against, quantity) if against else None
    value = measured.median(variant, quantity)
    return Row(f"{variant}, {quantity}", value, UNITS[quantity], ratio, against, target)


def _floor(sign: Callable[[], Sample]) -> Sample:
    return {CPU: sign()["us"] / 1000}


def main() -> None:
    """Measure and print."""
    from tempfile import TemporaryDirectory

    asked = options(__doc__, rounds=9)
    if not Path("/proc/self/schedstat").exists():
        raise SystemExit("what a server spends is read from /proc, which only Linux has")
    count = 2 if asked.quick else 100
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="watchword-benchmark-")))
        runs = {
            SIGNATURES: partial(_floor, signing(count)),
            POOL: watchword(stack, count),
            FLOWING: flowing(stack, count, folder),
            STARTS[POOL]: starting(_by_hand),
        }
        if shutil.which("ministack") is None:
            left_out("the emulator (looked for on PATH)", "ministack")
        else:
            runs |= {MINISTACK: ministack(stack, max(2, count // 5)), STARTS[MINISTACK]: starting(_ministack)}
        measured = alternate(runs, asked.rounds, warm_up=not asked.quick)
    show("local_pool", rows(measured), as_json=asked.json)


if __name__ == "__main__":
    main()
