"""What LiteRT says when it refuses a file becomes one line with a way out; the messages are real ones."""

import numpy as np
import pytest

from runtime.engines.litert_errors import explain

OLD = "tflite-runtime 2.14.0"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "Didn't find op for builtin opcode 'CONV_2D' version '99'. An older version of this builtin "
            "might be supported. Are you using an old TFLite binary with a newer model?\n"
            "Registration failed.\n",
            "is too old: it needs CONV_2D version 99, which this LiteRT has not: install a newer one",
        ),
        (
            "Op builtin_code out of range: 207. Are you using old TFLite binary with newer model?",
            "it needs the op STABLEHLO_SHIFT_LEFT (207), which",
        ),
        ("Op builtin_code out of range: 999. Are you", "it needs the op number 999, which"),
    ],
)
def test_a_file_too_new_names_op_and_version(message, line):
    assert explain(message, OLD).startswith(f"{OLD} ")
    assert line in explain(message, OLD)
    assert "\n" not in explain(message, OLD)


@pytest.mark.skipif(np.__version__.startswith("1."), reason="numpy 1 is the one that it works with")
def test_a_numpy_it_was_not_built_for_is_named():
    message = "<built-in method CreateWrapperFromFile> returned a result with an exception set"
    assert explain(message, OLD).startswith(f"{OLD} does not work with numpy {np.__version__}, ")
    assert "numpy" not in explain(message, "ai-edge-litert 2.3.0")


def test_the_names_stand_where_the_schema_has_them():
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    for code in range(159, max(codes) + 1):
        message = explain(f"Op builtin_code out of range: {code}.", OLD)
        assert f"the op {codes[code]} ({code})" in message
