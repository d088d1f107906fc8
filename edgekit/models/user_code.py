"""Run a function of a Python file of the user; its errors become one line with file and line number."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from runtime.errors import ExportError

_NAMED = re.compile(r"(?P<path>.+\.py):(?P<function>[A-Za-z_]\w*)")
_MODEL, _INPUTS = "get_model", "get_args"  # as LiteRT's own command line has them: litert convert FILE.py


@dataclass(frozen=True)
class UserFile:
    """What a Python file of the user gives.

    Attributes:
        function: that was called.
        made: what it returned; of ``get_model`` and ``get_args`` the pair of both.
        preprocess: the file's variable of that name, ``None`` without one.
    """

    path: Path
    function: str
    made: Any
    preprocess: Any


def is_user_model(model: str) -> bool:
    """Return whether ``model`` names a Python file, with or without a function."""
    return model.endswith(".py") or ".py:" in model


def split_user_model(model: str) -> tuple[Path, str | None]:
    """Return the file that ``model`` names and the function in it, ``None`` without one."""
    match = _NAMED.fullmatch(model)
    return (Path(match["path"]), match["function"]) if match else (Path(model), None)


def run_user_file(model: str, offered: Mapping[str, Any] | None = None) -> UserFile:
    """Import the file of ``path/to/file.py:function`` and call the function.

    ``path/to/file.py`` alone calls its ``get_model()`` and ``get_args()``. The file's folder leads
    ``sys.path`` from here on, as if Python had been started with it.

    Args:
        offered: arguments by name; the function gets those that it takes.

    Raises:
        ValueError: ``model`` is spelt otherwise, or there is no such file or function.
        ExportError: the user's code fails.
    """
    path, name = split_user_model(model)
    if not path.is_file():
        raise ValueError(f"there is no file at {path}; give path/to/file.py:function")
    module = _load(path)
    if name is not None:
        made = run_user_code(path, _given(_function(module, path, name), offered or {}), f"{name}()")
    elif callable(getattr(module, _MODEL, None)) and callable(getattr(module, _INPUTS, None)):
        name = _MODEL
        model_made = run_user_code(path, _given(module.get_model, offered or {}), f"{name}()")
        made = _model_of(path, model_made), run_user_code(path, module.get_args)
    else:
        raise ValueError(
            f"{model} names no function; give path/to/file.py:function, which returns the model, or define "
            f"{_MODEL}() and {_INPUTS}() in the file"
        )
    return UserFile(path, name, made, getattr(module, "preprocess", None))


def _function(module: ModuleType, path: Path, name: str) -> Callable[[], Any]:
    function = getattr(module, name, None)
    if callable(function):
        return function
    known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    near = difflib.get_close_matches(name, known, n=3) or known[:8]
    raise ValueError(f"{path} has no function {name!r}; there is: {', '.join(near) or 'none'}")


def _model_of(path: Path, returned: Any) -> Any:
    """Return the model alone: LiteRT's ``get_model`` may also return how to quantise it."""
    model, config = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
    if config is not None:
        raise ValueError(
            f"{path.name}: {_MODEL}() brings a {type(config).__name__} along, which edgekit does not take; "
            "return the module alone and quantise it with --precision"
        )
    return model


def _given(function: Callable[..., Any], offered: Mapping[str, Any]) -> Callable[[], Any]:
    """Return ``function`` with those of the arguments ``offered`` that it has names for."""
    try:
        known = inspect.signature(function).parameters if offered else {}
    except (TypeError, ValueError):  # of C code
        known = {}
    return partial(function, **{name: value for name, value in offered.items() if name in known})


def run_user_code(path: Path, function: Callable[[], Any], name: str | None = None) -> Any:
    """Return what ``function`` of the file at ``path`` returns; raises as above.

    Args:
        name: what is run, for errors; default: the function's own name.
    """
    name = name or f"{getattr(function, '__name__', 'it')}()"
    try:
        return function()
    except (Exception, SystemExit) as err:
        raise ExportError(f"{where_in_file(err, path)}: {name} failed: {_describe(err)}") from err


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
