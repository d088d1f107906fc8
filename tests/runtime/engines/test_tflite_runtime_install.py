"""A wheel of edgekit on a board that has only tflite_runtime: its commands, and pools that take turns."""

import json
import sys
import textwrap

import numpy as np
import pytest

from tests.fresh_install import NoPackages, build_wheel, install_fresh
from tests.runtime.tflite_builder import (
    schema,
    write_doubling_conv,
    write_int8_doubling_conv,
    write_tflite,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="tflite-runtime 2.14 has wheels up to 3.11"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    try:
        return install_fresh(folder / "venv", f"{build_wheel(folder)}[tflite-runtime]")
    except NoPackages as err:
        pytest.skip(f"pip cannot make the board's environment: {err}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "float": write_doubling_conv(folder / "float.tflite"),
        "int8": write_int8_doubling_conv(folder / "int8.tflite"),
        "mixed": write_mixed_net(folder / "mixed.tflite"),
    }


def write_mixed_net(path):
    """Write an int8 convolution, which XNNPACK leaves to ruy's pool here, and a float one."""
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    shape, weight = (1, 32, 32, 16), (16, 1, 1, 16)
    tensors = [
        ("x", shape, None),
        ("w8", weight, np.eye(16, dtype=np.int8)),
        ("b8", (16,), np.zeros(16, np.int32)),
        ("y8", shape, None),
        ("y", shape, None),
        ("w", weight, np.eye(16)),
        ("b", (16,), np.zeros(16)),
        ("z", shape, None),
    ]
    operators = [
        ("CONV_2D", [0, 1, 2], [3], options),
        ("DEQUANTIZE", [3], [4], schema.DequantizeOptionsT()),
        ("CONV_2D", [4, 5, 6], [7], options),
    ]
    scales = {"x": 0.5, "w8": 1.0, "b8": 0.5, "y8": 0.5}
    return write_tflite(path, tensors, operators, [0], [7], op_version=2, scales=scales)


def seen(board, code, *arguments):
    """Run ``code`` there and return the JSON it prints."""
    done = board.run("-c", textwrap.dedent(code), *map(str, arguments))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_board_has_the_old_packages_only(board):
    code = """
        import importlib.metadata as m, json
        print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in m.distributions()}))
    """
    packages = seen(board, code)
    assert packages["tflite-runtime"] == "2.14.0"
    assert packages["numpy"].startswith("1.26.")
    assert not {"ai-edge-litert", "torch", "scikit-learn", "pillow"} & set(packages)


@pytest.mark.parametrize("name", ["float", "int8", "mixed"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_files_run_with_the_threads_they_are_given(board, files, name, threads):
    code = """
        import json, sys
        import numpy as np
        from runtime.engines import EngineProcess, random_inputs
        with EngineProcess("litert", sys.argv[1], threads=int(sys.argv[2])) as model:
            (x,) = (array.numpy() for array in random_inputs(model.inputs))
            (y,) = model.run([x]).outputs
            sampled = model.sample([x], warmup=1, runs=3)
            print(json.dumps({"ratio": float(np.abs(y.astype(float)).sum() / np.abs(x.astype(float)).sum()),
                              "threads": sampled.threads, "version": model.version}))
    """
    expected = {"float": 2.0, "int8": 1.0, "mixed": 0.5}[name]  # int8 doubles its scale, not its bytes
    shown = seen(board, code, files[name], threads)
    assert shown == {
        "ratio": pytest.approx(expected, rel=1e-5),
        "threads": threads,
        "version": "tflite-runtime 2.14.0",
    }


@pytest.mark.parametrize(("name", "precision"), [("float", "fp32"), ("int8", "static_wi8_ai8")])
def test_bench_takes_a_bare_file_there(board, files, name, precision, tmp_path):
    out = tmp_path / "records.jsonl"
    words = ("--runs", "5", "--blocks", "1", "--threads", "2", "--out", str(out), "--json")
    done = board.run("-m", "edgekit", "bench", str(files[name]), *words)
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert record["precision"] == precision
    assert len(record["samples_ms"]) == 5
    assert "threads ran" not in done.stderr


def test_doctor_finds_the_old_interpreter(board):
    done = board.run("-m", "edgekit", "doctor")
    assert "loads, as the older tflite_runtime" in done.stdout


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: write_doubling_conv(path, op_version=99), "CONV_2D version 99"),
        (
            lambda path: write_tflite(
                path,
                [("x", (1, 4), None), ("y", (1, 4), None)],
                [("STABLEHLO_ADD", [0, 0], [1], None)],
                [0],
                [1],
            ),
            "the op STABLEHLO_ADD (163)",
        ),
    ],
    ids=["version", "op"],
)
def test_a_file_too_new_is_refused_with_op_and_way_out(board, tmp_path, write, reason):
    done = board.run("-m", "edgekit", "bench", str(write(tmp_path / "new.tflite")))
    assert done.returncode == 1
    assert f"tflite-runtime 2.14.0 is too old: it needs {reason}, which this LiteRT has not" in done.stderr


def test_profile_says_that_it_needs_litert(board, files):
    done = board.run("-m", "edgekit", "profile", str(files["float"]))
    assert done.returncode == 1
    line = "pip install ai-edge-litert==2.3.0 'numpy>=1.26'"  # a wheel does not know where its sources are
    assert f"ai_edge_litert is not installed; run: {line}" in done.stderr
