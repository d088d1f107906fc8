"""The runner by hand: lines of JSON in, lines of JSON out, raw bytes after them."""

import json
import shlex
import subprocess

import numpy as np
import pytest

from tests.places import DATA

SUM = DATA / "sum.pte"
LOAD = {
    "type": "Load",
    "engine": "executorch",
    "path": str(SUM),
    "graph": "forward",
    "threads": 1,
    "cpus": None,
}
X = np.ones((1, 3, 8, 8), np.float32)
ARRAY = {"dtype": "float32", "shape": [1, 3, 8, 8], "size_bytes": 768}


def talk(runner, *parts):
    sent = b"".join(part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n" for part in parts)
    return subprocess.run([runner.program], input=sent, capture_output=True, timeout=30, check=False)


def test_memory_is_taken_for_bytes_that_come_not_for_announced_ones(runner):
    run = {"type": "Run", "inputs": [ARRAY | {"size_bytes": 2**32 - 1}], "want_outputs": True}
    sent = b"".join(json.dumps(part).encode() + b"\n" for part in (LOAD, run)) + X.tobytes()
    program = f"ulimit -v {2**31 // 1024}; exec {shlex.quote(str(runner.program))}"  # 2 GB of addresses
    done = subprocess.run(["sh", "-c", program], input=sent, capture_output=True, timeout=30, check=False)
    assert b"the stream ended within an input" in done.stdout + done.stderr


def test_a_frame_by_hand(runner):
    done = talk(runner, LOAD, {"type": "Run", "inputs": [ARRAY], "want_outputs": True}, X.tobytes())
    loaded, ran, rest = done.stdout.split(b"\n", 2)
    assert json.loads(loaded)["outputs"] == [["output0", "float32", [1, 4, 8, 8]]]
    (array,) = json.loads(ran)["outputs"]
    assert array == {"dtype": "float32", "shape": [1, 4, 8, 8], "size_bytes": 1024}
    np.testing.assert_array_equal(np.frombuffer(rest, np.float32), np.full(256, 3.5, np.float32))
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"type": "Run", "inputs": []}, "no model is loaded yet"),
        ({"type": "Fly"}, "Fly is not a request"),
        ({"kind": "Run"}, "the request's 'type' must be given"),
        (LOAD | {"threads": "two"}, "'threads' must be an integer"),
        (LOAD | {"threads": 1.5}, "where an integer is needed"),
        (LOAD | {"engine": "litert"}, "only the engine executorch"),
        (LOAD | {"cpus": [-1]}, "there is no CPU -1"),
        (LOAD | {"path": '/none/\u00e9 "q".pte'}, '/none/\u00e9 "q".pte'),
    ],
)
def test_a_request_that_cannot_be_done_is_answered(runner, request_, message):
    done = talk(runner, request_, LOAD)
    first, second = map(json.loads, done.stdout.decode().splitlines())
    assert first["type"] == "Failed"
    assert message in first["message"]
    assert second["type"] == "Loaded"  # and the next one is served


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (ARRAY | {"shape": [1, 3, 8]}, "it must be [1,3,8,8] float32"),
        (ARRAY | {"dtype": "int8"}, "it must be [1,3,8,8] float32"),
        (ARRAY | {"dtype": "float33"}, "it must be [1,3,8,8] float32"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(runner, array, message):
    done = talk(
        runner, LOAD, {"type": "Run", "inputs": [array], "want_outputs": True}, X.tobytes(), {"type": "X"}
    )
    _, failed, following = map(json.loads, done.stdout.decode().splitlines())
    assert message in failed["message"]
    assert "X is not a request" in following["message"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n", b"{", b"[[[[" * 100, b"\x00\xff\xfe\n", b'{"type":"\\ud800"}\n',
        b'{"type":"Run","inputs":[3]}\n',
        b'{"type":"Run","inputs":[{"dtype":"x","shape":[1],"size_bytes":-5}]}\n', b"1e999\n",
        b"a" * 2_000_000,
        b'{"type":"Run","inputs":[{"dtype":"int8","shape":[9],"size_bytes":9}]}\nabc',
    ],
)  # fmt: skip
def test_what_is_no_request_ends_it_with_a_reason(runner, garbage):
    done = talk(runner, garbage)
    assert done.returncode == 1  # not a signal
    assert json.loads(done.stdout)["type"] == "Failed"
