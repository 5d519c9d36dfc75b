"""Zip sizes, cold start and warm calls of the built functions, under Lambda's own runtime client."""

import base64
import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from rounds import Measured, Sample, alternate
from scoreboard import Row, left_out, options, show

sys.path.insert(0, str(Path(__file__).parents[1]))

from cold_start import lambda_environment

from kit.artefact import wheel_of
from kit.lambda_runtime import function
from watchword_adapters.deploy.archive import Archive
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.bytecode import compiled
from watchword_adapters.deploy.target import PYTHONS, Target, this_python

HANDLERS = Path(__file__).parent / "handlers"
FLOW = Path(__file__).parents[2] / "docs" / "examples" / "flows" / "email_code.toml"
ANN = {"sub": "11111111-2222-4333-8444-555555555555", "email": "ann@example.com", "email_verified": "true"}
HAND, BUILT, NOTHING = "by hand", "built", "no handler of its own"
WALL, CPU, PEAK, WARM = "wall", "cpu", "peak", "warm"
UNITS = {WALL: "ms", CPU: "ms", PEAK: "MiB", WARM: "us"}
CALLS = 200

# Nothing is compared with a plain Verify: a careful one has a ledger's client too, which is what takes the time.
YARDSTICKS = {
    "define": ("define_by_hand.py", "define_by_hand.handler"),
    "create": ("ses_by_hand.py", "ses_by_hand.handler"),
}
TARGETS = {
    ("define", CPU): "≤ 1.2x, aim 1.1x",
    ("define", WALL): "≤ 1.2x, aim 1.1x",
    ("define", WARM): "≤ 1.1x",
    ("create", CPU): "≤ 1.1x",
}


def event(trigger: str) -> dict[str, object]:
    """Return the first event of a sign-in for *trigger*."""
    names = {"define": "DefineAuthChallenge", "create": "CreateAuthChallenge", "verify": "VerifyAuthChallengeResponse"}
    request: dict[str, object] = {"userAttributes": ANN, "session": []}
    if trigger == "create":
        request["challengeName"] = "CUSTOM_CHALLENGE"
    return {
        "version": "1",
        "triggerSource": f"{names[trigger]}_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "4f8k2m9q1r7s3t5v6w0x2y4z8a"},
        "request": request,
        "response": {},
    }


def run(folder: Path, handler: str, environment: dict[str, str], trigger: str, calls: int) -> Sample:
    """Start the function in *folder*; return what it took until it asked for an event, and for a warm call."""
    with function(folder, handler, environment) as started:
        sample = {quantity: started.started[quantity] for quantity in (WALL, CPU, PEAK)}
        if calls:
            for _ in range(5):
                started(event(trigger))
            times = sorted(started.timed(event(trigger)) for _ in range(calls))
            sample[WARM] = times[len(times) // 2]
        return sample


@contextmanager
def folders(archives: dict[str, Archive]) -> Iterator[dict[str, Path]]:
    """Give each function, and each by hand, a folder of its own with its bytecode, as Lambda has them."""
    with TemporaryDirectory(prefix="watchword-functions-") as root:
        made = {}
        for trigger, archive in archives.items():
            made[f"{trigger}: {BUILT}"] = Path(root) / trigger
            with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
                opened.extractall(made[f"{trigger}: {BUILT}"])
        for trigger, (file, _) in YARDSTICKS.items():
            folder = made[f"{trigger}: {HAND}"] = Path(root) / f"{trigger}_by_hand"
            files = {name: (HANDLERS / name).read_bytes() for name in {file, "mail_by_hand.py"}}
            for name, data in {**files, **compiled(files)}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
        yield made


def variants(made: dict[str, Path], environment: dict[str, str], *, quick: bool) -> dict[str, Callable[[], Sample]]:
    """Return a run for each function and yardstick."""
    settings = {name: text for name, text in environment.items() if name.startswith("AWS_ENDPOINT")} | {
        "WATCHWORD_KEY": base64.b64encode(bytes(range(32))).decode(),
        "WATCHWORD_LEDGER": "process-only",
    }
    courier = {"WATCHWORD_COURIER": "ses://?from=noreply%40example.com"}
    runs: dict[str, Callable[[], Sample]] = {}
    for variant, folder in made.items():
        trigger, _, peer = variant.partition(": ")
        handler = YARDSTICKS[trigger][1] if peer == HAND else f"{trigger}.{trigger}"
        extra = {} if trigger == "define" else {**settings, **(courier if trigger == "create" else {})}
        calls = (2 if quick else CALLS) if trigger == "define" else 0
        runs[variant] = partial(run, folder, handler, extra, trigger, calls)
    return runs


def rows(measured: Measured, archives: dict[str, Archive]) -> list[Row]:
    """Return the figures: sizes, then each function against what is written by hand."""
    least = len(archives["define"].data)
    table = []
    for trigger, archive in archives.items():
        against = "define" if trigger != "define" else ""
        ratio = len(archive.data) / least if against else None
        table.append(Row(f"{trigger}.zip", len(archive.data) / 1024, "KiB", ratio, against))
        table.append(Row(f"{trigger}.zip, unpacked", archive.unpacked / 1024, "KiB"))
    for variant, samples in measured.samples.items():
        trigger, _, peer = variant.partition(": ")
        yardstick = f"{trigger}: {HAND}"
        compared = peer == BUILT and yardstick in measured.samples
        for quantity in samples[0]:
            ratio = measured.ratio(variant, yardstick, quantity) if compared else None
            target = TARGETS.get((trigger, quantity), "") if compared else ""
            against = HAND if compared else ""
            table.append(
                Row(
                    f"{variant}, {quantity}",
                    measured.median(variant, quantity),
                    UNITS[quantity],
                    ratio,
                    against,
                    target,
                )
            )
    return table


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=15)
    if find_spec("awslambdaric") is None:
        left_out("everything", "awslambdaric")
        raise SystemExit(1)
    if this_python() not in PYTHONS:
        raise SystemExit(f"Lambda has no Python {this_python()}")
    with ExitStack() as stack:
        # Wheels of what is installed: no index is asked.
        shelf = Path(stack.enter_context(TemporaryDirectory(prefix="watchword-wheels-")))
        for name in ("attrs", "pluggy"):
            wheel_of(name, shelf)
        built = build(BuildOrder(str(FLOW), Target("x86_64", this_python()), wheels=shelf))
        archives = {each.trigger: each.archive for each in built.functions}
        environment = stack.enter_context(lambda_environment(compiled=not asked.quick))
        made = stack.enter_context(folders(archives))
        measured = alternate(variants(made, environment, quick=asked.quick), asked.rounds, warm_up=not asked.quick)
    show("artefact", rows(measured, archives), as_json=asked.json)


if __name__ == "__main__":
    main()
