"""Templates in, HTML out: one file that holds all it shows and loads nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from pathlib import Path
from typing import Any

from edgekit.report import units
from edgekit.report.svg import symbol, trusted
from runtime._version import __version__
from runtime.bundle import write_atomic
from runtime.errors import DataError
from runtime.extras import require

_HERE = Path(__file__).parent


def render_page(template: str, **content: Any) -> str:
    """Return ``template``, a file below this folder, filled in; every text of ``content`` is escaped."""
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    page: str = (
        _environment()
        .get_template(template)
        .render(
            style=trusted((_HERE / "report.css").read_text(encoding="utf-8")),
            script=trusted(script),
            # The page may run this one script and nothing else, whatever its content smuggles in.
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            symbol=symbol,
            version=__version__,
            **content,
        )
    )
    return page


def data_address(kind: str, data: bytes) -> str:
    """Return the address under which a page holds ``data`` itself.

    Example:
        >>> data_address("image/png", b"PNG")
        'data:image/png;base64,UE5H'
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def write_page(out: str | os.PathLike[str], page: str) -> Path:
    """Write ``page`` to ``out`` and return its path.

    Raises:
        DataError: it cannot be written there.
    """
    path = Path(out)
    if not path.resolve().parent.is_dir() or path.is_dir():
        raise DataError(f"{path} cannot be written; {path.parent} must be a folder, {path.name} a file in it")
    write_atomic(path, page.encode())
    return path


@functools.cache
def _environment() -> Any:
    jinja2 = require("jinja2", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(units, name) for name in units.__all__})
    return environment
