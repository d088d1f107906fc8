"""Run a function of a Python file of the user; its errors become one line with file and line number."""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from runtime.errors import ExportError

_NAMED = re.compile(r"(?P<path>.+\.py):(?P<function>[A-Za-z_]\w*)")


def is_user_model(model: str) -> bool:
    """Return whether ``model`` names a Python file, with or without a function."""
    return model.endswith(".py") or ".py:" in model


def call_user_function(model: str) -> tuple[Path, Any]:
    """Import the file of ``path/to/file.py:function``; return its path and what the function returns.

    The file's folder leads ``sys.path`` from here on, as if Python had been started with it.

    Raises:
        ValueError: ``model`` is spelt otherwise, or there is no such file or function.
        ExportError: the user's code fails.
    """
    match = _NAMED.fullmatch(model)
    if match is None:
        raise ValueError(f"{model} names no function; give path/to/file.py:function, which returns the model")
    path, name = Path(match["path"]), match["function"]
    if not path.is_file():
        raise ValueError(f"there is no file at {path}; give path/to/file.py:function")
    module = _load(path)
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        near = difflib.get_close_matches(name, known, n=3) or known[:8]
        raise ValueError(f"{path} has no function {name!r}; there is: {', '.join(near) or 'none'}")
    return path, run_user_code(model, function)


def run_user_code(model: str, function: Callable[[], Any]) -> Any:
    """Return what ``function`` of the file that ``model`` names returns; raises as above."""
    path, name = Path(model.rpartition(":")[0]), getattr(function, "__name__", "it")
    try:
        return function()
    except (Exception, SystemExit) as err:
        raise ExportError(f"{where_in_file(err, path)}: {name}() failed: {_describe(err)}") from err


def where_in_file(err: BaseException, path: Path) -> str:
    """Return ``file.py:line`` of the last frame of ``err`` inside ``path``, or the file's name."""
    if isinstance(err, SyntaxError) and err.filename and Path(err.filename) == path.resolve():
        return f"{path.name}:{err.lineno}"
    frames = traceback.extract_tb(err.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return f"{path.name}:{lines[-1]}" if lines else path.name


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be imported; give a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    replaced = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # dataclasses and the like look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as err:
        raise ExportError(f"{where_in_file(err, path)}: cannot be imported: {_describe(err)}") from err
    finally:
        if replaced is not None:
            sys.modules[path.stem] = replaced
    return module


def _describe(err: BaseException) -> str:
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return f"{type(err).__name__}: {lines[0]}" if lines else type(err).__name__
