"""Ten megabytes, or a hundred thousand levels, at every entrance: an ordinary refusal and little work."""

import gc
import json
import logging
import subprocess
import sys
import time
import tracemalloc

import pytest

from kit.entrances import MEGABYTES, TEXTS, THINGS, entrances
from kit.paths import TESTS
from watchword.runtime.wire import read_carry
from watchword_adapters.aws_lambda import TriggerError

pytestmark = pytest.mark.exhaustive

PROCESSOR = 0.5
"""Seconds of processor time that a call may take: ten times the bound that tests/benchmarks/bounds.py measures."""

MEMORY = 20
"""Megabytes more that it may take."""

ENTRANCES = entrances()


@pytest.fixture(scope="module")
def huge():
    """Give what is too large for any entrance, by name: texts, and everything else."""
    logging.disable(logging.CRITICAL)
    texts = {name: make(MEGABYTES * 1024 * 1024) for name, make in TEXTS.items()}
    things = {name: make() for name, make in THINGS.items()}
    yield texts, {**texts, **things}
    logging.disable(logging.NOTSET)
    texts.clear()
    things.clear()
    gc.collect()


def seconds(call, value):
    """Return the least processor time, of up to three tries, that *call* takes."""
    least = PROCESSOR
    for _ in range(3):
        began = time.process_time()
        call(value)
        least = min(least, time.process_time() - began)
        if least < PROCESSOR:
            break
    return least


def megabytes(call, value):
    """Return how much more memory *call* takes at most."""
    tracemalloc.start(1)
    try:
        call(value)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("entrance", ENTRANCES, ids=lambda each: each.name)
def test_what_is_too_large_is_refused_with_little_work(entrance, huge):
    """At every place of every event, in plain functions, readers, settings, URLs and files; the entrance checks the answer."""
    for name, value in huge[entrance.anything].items():
        given = entrance.given(value)
        assert seconds(entrance.enter, given) < PROCESSOR, name
        assert megabytes(entrance.enter, given) < MEMORY, name


def test_no_entrance_is_left_out():
    """Each trigger's fields, sessions, both sorts of parameters, metadata, handles, settings, URLs and files are tried."""
    names = {each.name for each in ENTRANCES}
    assert len(ENTRANCES) == len(names)
    assert len(names) >= 120
    wanted = {
        *("define request.session.0.challengeMetadata", "create request.session.0.challengeResult", "verify event"),
        *("verify request.challengeAnswer", "verify request.privateChallengeParameters.seal", "create userName"),
        *("define request.clientMetadata.watchword_choice", "verify request.userAttributes.sub", "begin srp_a"),
        *("respond token", "flow file", "requirement", "session words", "courier URL", "SRP number", "metadata"),
    }
    assert set() == wanted - names


def test_the_measures_can_fail():
    """Something that copies ten megabytes three times, or reads them letter by letter, shows."""
    text = "a" * 10_000_000
    assert megabytes(lambda value: [value + "b", value + "c", value + "d"], text) > 20
    assert seconds(lambda value: sum(letter == "b" for letter in value), text) >= PROCESSOR / 5
    sloppy = next(each for each in ENTRANCES if each.name == "define event")
    with pytest.raises(TriggerError):
        raise TriggerError("an entrance lets nothing but the fixed texts through")
    assert "refused" == sloppy.enter("x")


def test_a_carry_as_deep_as_metadata_allows_is_no_carry():
    """JSON that nests deeper than the interpreter reads is nothing, not an error."""
    import base64

    for deep in ("[" * 3000, '{"a":' * 600, "[" * 1500 + "]" * 1500):
        assert {} == read_carry({"carry": base64.urlsafe_b64encode(deep.encode()).decode()})


def test_the_benchmark_prints_what_every_bound_comes_to():
    """Time, memory and cases for each sort of entrance and for the regular expressions, beside their bounds."""
    script = TESTS / "benchmarks" / "bounds.py"
    command = [sys.executable, str(script), "--quick", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == ended.returncode, ended.stderr
    rows = json.loads(ended.stdout)["rows"]
    assert {"50 ms", "20 MB", "10 ms"} == {row["against"] for row in rows if row["target"]}
    assert all(row["value"] > 0 for row in rows)
