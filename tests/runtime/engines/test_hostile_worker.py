"""A model file that breaks its engine's process, or is swapped for another, does not mislead its owner."""

import hashlib
import shlex

import pytest

from runtime.engines import Array, EngineProcess, process
from runtime.engines.ceilings import most_bytes
from runtime.engines.checked_file import checked_file
from runtime.engines.json_wire import read_json, write_json
from runtime.engines.messages import Load, Run, Sample
from runtime.engines.worker_program import WorkerProgram
from runtime.errors import BundleError, DeviceStableError, DeviceTransientError
from runtime.targets import open_target
from tests.runtime.phone import make_bundle

LOADED = b'{"type":"Loaded","inputs":[["x","int8",[2]]],"outputs":[],"cpus":null,"version":"1"}\n'
X = (Array("int8", (2,), b"ab"),)


def worker(answers, monkeypatch, tmp_path):
    """Let every model run in a process that says this, whatever it is asked."""
    (tmp_path / "answers").write_bytes(answers)
    monkeypatch.setattr(process, "_CLOSE_S", 0.1)
    command = ("sh", "-c", f"cat {shlex.quote(str(tmp_path / 'answers'))}; exec >&-; exec cat >/dev/null")
    program = WorkerProgram("native", "", command, write_json, read_json)
    monkeypatch.setattr(process, "choose_worker", lambda *words: program)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            b'{"type":"Ran","latency_ns":1,"outputs":[{"dtype":"int8","shape":[9],"size_bytes":2}]}\nab',
            "shape",
        ),
        (b'{"type":"Ran","latency_ns":1,"outputs":[{"dtype":"int8","shape":[9],"size_bytes":-1}]}\n', "due"),
        (
            b'{"type":"Ran","latency_ns":1,"outputs":[{"dtype":"int8","shape":[9],"size_bytes":1e18}]}\n',
            "due",
        ),
        (b'{"type":"Sampled","first_ns":1,"latencies_ns":[1],"threads":1}\n', "it says Sampled"),
        (b"\xff\xfe\n", "answer to Run is none"),
        (b"[" * 100_000 + b"\n", "answer to Run is none"),
    ],
)
def test_an_answer_that_is_none_is_told_as_that(answer, problem, monkeypatch, tmp_path):
    worker(LOADED + answer, monkeypatch, tmp_path)
    model = EngineProcess("executorch", "a.pte")
    with model, pytest.raises(DeviceTransientError, match=problem):
        model.run(X)


def test_samples_that_nobody_took_are_refused(monkeypatch, tmp_path):
    worker(
        LOADED + b'{"type":"Sampled","first_ns":1,"latencies_ns":[5,0],"threads":1}\n', monkeypatch, tmp_path
    )
    model = EngineProcess("executorch", "a.pte")
    with model, pytest.raises(DeviceTransientError, match="latencies for 2 frames"):
        model.sample(X, warmup=0, runs=2)


@pytest.mark.parametrize("shape", ["[4611686018427387904]", "[65536,65536]"])
def test_inputs_that_fit_no_memory_are_refused(shape, monkeypatch, tmp_path):
    worker(LOADED.replace(b"[2]", shape.encode()), monkeypatch, tmp_path)
    with pytest.raises(DeviceStableError, match="at most 1073741824 bytes are sent"):
        EngineProcess("executorch", "a.pte")


def test_small_answers_have_small_ceilings():
    assert most_bytes(Load("litert", "a", "forward", 1, None)) == most_bytes(Sample((), 0, 0)) == 4 << 20
    assert most_bytes(Sample((), 0, 10**12)) == most_bytes(Run((), True)) == 1 << 30


def test_a_file_that_was_put_in_the_checked_ones_place_is_not_loaded(tmp_path):
    path, sha256 = tmp_path / "model", hashlib.sha256(b"checked").hexdigest()
    path.write_bytes(b"checked")
    with checked_file(path, sha256) as (place, _):
        (tmp_path / "other").write_bytes(b"swapped")
        (tmp_path / "other").replace(path)
        assert open(place, "rb").read() == b"checked"  # noqa: SIM115
    with pytest.raises(BundleError, match="was changed since it was checked"), checked_file(path, sha256):
        pass


def test_a_bundle_that_changes_while_it_is_open_is_not_run(tmp_path):
    bundle = make_bundle(tmp_path)
    bundle.file("litert-fp32.bin").write_bytes(b"swapped")
    target, variant = open_target("local"), bundle.manifest.variants[0]
    session = target.session(bundle, variant, target.settings()[0])
    with pytest.raises(BundleError, match="was changed since it was checked"), session:
        pass
