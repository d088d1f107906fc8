"""Why LiteRT refuses a file, and what to do, from the words of its interpreter."""

from __future__ import annotations

import re

from runtime.extras import install_line, require

_OP_VERSION = re.compile(r"builtin opcode '(\w+)' version '(\d+)'")
_OP_CODE = re.compile(r"builtin_code out of range: (\d+)")
_FIRST_NEW_CODE = 159
# BuiltinOperator of the schema from that code on: an older interpreter knows them by number only.
# https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
_NEW_OPS = (
    "BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY "
    "STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM "
    "STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS "
    "STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM "
    "STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT "
    "STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT "
    "STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA "
    "STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER "
    "STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE "
    "STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE"
)
# What stands in the interpreter's words, and what is to do then; the first that fits.
_HINTS = (
    ("custom op", "LiteRT alone does not know this op, only the application the file was made for does"),
    ("not a valid Flatbuffer", "the file is damaged: copy or convert it again"),
    ("Could not open", "the file is gone or may not be read"),
    ("failed to prepare", "an op does not take these types or shapes: convert it again, for fixed shapes"),
    ("delegate", "the delegate does not take this file: convert it again, for fixed shapes"),
)
_ANY_HINT = "this LiteRT does not take it: try a newer one, or convert the file again"


def explain(message: str, interpreter: str) -> str:
    """Return one line for people.

    Args:
        message: what the interpreter said.
        interpreter: its distribution and version, such as ``tflite-runtime 2.14.0``.
    """
    lacks = None
    if match := _OP_VERSION.search(message):
        lacks = f"{match[1]} version {match[2]}"
    elif match := _OP_CODE.search(message):
        lacks = f"the op {_op_name(int(match[1]))}"
    if lacks is not None:
        return f"{interpreter} is too old: it needs {lacks}, which this LiteRT has not: {newer()}"
    numpy_version = require("numpy", extra="litert").__version__
    if interpreter.startswith("tflite-runtime") and int(numpy_version.partition(".")[0]) >= 2:
        return (
            f"{interpreter} does not work with numpy {numpy_version}, it is built against numpy 1; "
            f"run: {install_line('tflite-runtime')}"
        )
    message = " ".join(message.split())
    hint = next((hint for word, hint in _HINTS if word in message), _ANY_HINT)
    return f"LiteRT cannot load it ({message}); {hint}"


def newer() -> str:
    """Return what to do about a LiteRT that is too old."""
    return f"install a newer one ({install_line('litert')}, Python 3.11 or newer)"


def _op_name(code: int) -> str:
    names = dict(enumerate(_NEW_OPS.split(), _FIRST_NEW_CODE))
    return f"{names[code]} ({code})" if code in names else f"number {code}"
