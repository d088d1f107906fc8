"""A file that says which share of its channels each layer loses."""

from __future__ import annotations

from pathlib import Path

from runtime.bundle.decoding import decode_json, read_regular, why
from runtime.errors import PruneError

_ADVICE = 'write it as {"stages.2.*": 0.5, "*": 0.3}'


def load_rates(path: Path) -> dict[str, float]:
    """Return the rates in the JSON file at ``path``: shell patterns of layers -> share to remove.

    Raises:
        PruneError: there is no such file, or it says something else.
    """
    try:
        data = read_regular(path, advice=_ADVICE, error=PruneError)
    except OSError as err:
        raise PruneError(f"cannot read {path} ({why(err)}); name a JSON file of rates") from err
    return decode_json(data, dict[str, float], where=str(path), advice=_ADVICE, error=PruneError)
