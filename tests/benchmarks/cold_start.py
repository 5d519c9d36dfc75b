"""Processor time and peak memory of a process from its start to the first decision or challenge of a trigger."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from rounds import Measured, Sample, alternate
from scoreboard import Row, left_out, options, show

HANDLERS = Path(__file__).parent / "handlers"
BARE, CLIENT = "bare interpreter", "runtime client"
HAND, POWERTOOLS, WATCHWORD = "by hand", "Powertools", "Watchword"
CPU, PEAK, ADDED = "cpu", "peak", "added"
UNITS = {CPU: "ms", PEAK: "MiB", ADDED: "ms"}

# What a child's peak memory says begins with that of the process that started it: the kernel carries it over the exec.
# So a bare interpreter starts it, not this one.
STARTER = """
import posix, sys
child = posix.posix_spawn(sys.executable, [sys.executable, "-c", sys.argv[1]], posix.environ)
_, status, usage = posix.wait4(child, 0)
print(posix.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""

ANN = {"sub": "11111111-2222-4333-8444-555555555555", "email": "ann@example.com", "email_verified": "true"}
REQUESTS = {
    "Define": {"userAttributes": ANN, "session": []},
    "Create": {"userAttributes": ANN, "session": [], "challengeName": "CUSTOM_CHALLENGE"},
}
ASKED = {"Define": "challengeName", "Create": "privateChallengeParameters"}
TRIGGERS = {"define": "Define", "picture": "Create", "mail": "Create", "ses": "Create"}

# "Built artefact" and "own drawing" say what a goal counts on that is not there yet.
TARGETS = {
    ("define on the runtime client", HAND, CPU): "≤ 1.2x (built artefact)",
    ("picture", HAND, ADDED): "≤ 0.75x (own drawing)",
    ("picture", HAND, PEAK): "≤ 0.85x (own drawing)",
    ("ses", HAND, CPU): "≤ 1.1x",
}


def program(handler: str, *, on_client: bool = False) -> str:
    """Return the Python program that loads *handler*, as Lambda would, and calls it once."""
    trigger = TRIGGERS[handler.partition("_")[0]]
    event = {
        "version": "1",
        "triggerSource": f"{trigger}AuthChallenge_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "4f8k2m9q1r7s3t5v6w0x2y4z8a"},
        "request": REQUESTS[trigger],
        "response": {},
    }
    return "\n".join(
        [
            "import awslambdaric.bootstrap" if on_client else "",
            f"import sys; sys.path.insert(0, {str(HANDLERS)!r})",
            f"from {handler} import handler",
            f"assert handler({event!r}, None)['response'][{ASKED[trigger]!r}]",
        ]
    )


def spent(source: str, environment: Mapping[str, str]) -> Sample:
    """Run *source* in an interpreter of its own; return the processor time that it took and its peak memory."""
    command = [sys.executable, "-I", "-S", "-c", STARTER, source]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    status, seconds, peak = run.stdout.splitlines()[-1].split()
    if status != "0":
        raise SystemExit(f"a variant ended with status {status}; its own words stand above:\n{source}")
    return {CPU: float(seconds) * 1000, PEAK: float(peak) / (1024 if sys.platform != "darwin" else 1024**2)}


def variants(environment: Mapping[str, str]) -> dict[str, Callable[[], Sample]]:
    """Return a run for each variant that can run here."""
    runs = {BARE: partial(spent, "pass", environment)}
    peers = {HAND: "by_hand", POWERTOOLS: "powertools", WATCHWORD: "watchword"}
    if find_spec("aws_lambda_powertools") is None:
        left_out("Powertools", "aws-lambda-powertools")
        del peers[POWERTOOLS]
    on_client = find_spec("awslambdaric") is not None
    if on_client:
        runs[CLIENT] = partial(spent, "import awslambdaric.bootstrap", environment)
    else:
        left_out("Lambda's runtime client", "awslambdaric")
    for job, trigger in TRIGGERS.items():
        # Watchword learns by the handler's name which trigger it is set up for.
        own = {**environment, "_HANDLER": f"app.{trigger.lower()}"}
        for peer, name in peers.items():
            if (HANDLERS / f"{job}_{name}.py").exists():
                runs[f"{job}: {peer}"] = partial(spent, program(f"{job}_{name}"), own)
                if job == "define" and on_client:
                    runs[f"define on the runtime client: {peer}"] = partial(
                        spent, program(f"define_{name}", on_client=True), own
                    )
    return runs


class Ses(BaseHTTPRequestHandler):
    """Takes every mail, as the API of SES version 2 does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"MessageId": "0100000000000000-example"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def lambda_environment(*, compiled: bool) -> Iterator[dict[str, str]]:
    """Give the environment of a Lambda function whose SES is on the loopback; with *compiled*, bytecode is kept."""
    with (
        TemporaryDirectory(prefix="watchword-bytecode-") as folder,
        ThreadingHTTPServer(("127.0.0.1", 0), Ses) as server,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "WATCHWORD_"))}
        if compiled:
            # A function is deployed with its bytecode, whatever this machine does.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            environment["PYTHONPYCACHEPREFIX"] = folder
        yield {
            **environment,
            "AWS_LAMBDA_FUNCTION_NAME": "acme",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "example",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL_SESV2": f"http://127.0.0.1:{server.server_port}",
        }
        server.shutdown()


def rows(measured: Measured) -> list[Row]:
    """Return the figures: each yardstick against its floor, Watchword against its floor and every yardstick."""
    table = [_row(measured, "", BARE, "", quantity) for quantity in (CPU, PEAK)]
    if CLIENT in measured.samples:
        table += [_row(measured, "", CLIENT, BARE, quantity) for quantity in (CPU, PEAK)]
    for job in dict.fromkeys(variant.partition(": ")[0] for variant in measured.samples if ": " in variant):
        floor = CLIENT if job.endswith(CLIENT) else BARE
        yardsticks = [peer for peer in (HAND, POWERTOOLS) if f"{job}: {peer}" in measured.samples]
        for quantity in (CPU, PEAK):
            table += [_row(measured, job, peer, floor, quantity) for peer in yardsticks]
            table += [_row(measured, job, WATCHWORD, peer, quantity) for peer in (floor, *yardsticks)]
        if (job, HAND, ADDED) in TARGETS:
            table.append(_row(_over(floor, measured), job, WATCHWORD, HAND, ADDED))
    return table


def _row(measured: Measured, job: str, peer: str, against: str, quantity: str) -> Row:
    variant = f"{job}: {peer}" if job else peer
    yardstick = f"{job}: {against}" if against in {HAND, POWERTOOLS} else against
    return Row(
        f"{variant}, {quantity}",
        measured.median(variant, quantity),
        UNITS[quantity],
        measured.ratio(variant, yardstick, quantity) if against else None,
        against,
        TARGETS.get((job, against, quantity), "") if peer == WATCHWORD else "",
    )


def _over(floor: str, measured: Measured) -> Measured:
    """Return what each round's processor time adds to that of *floor*."""
    return Measured(
        {
            variant: [
                {ADDED: sample[CPU] - least[CPU]}
                for sample, least in zip(samples, measured.samples[floor], strict=True)
            ]
            for variant, samples in measured.samples.items()
            if variant != floor
        }
    )


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    with lambda_environment(compiled=not asked.quick) as environment:
        measured = alternate(variants(environment), asked.rounds, warm_up=not asked.quick)
    show("cold_start", rows(measured), as_json=asked.json)


if __name__ == "__main__":
    main()
