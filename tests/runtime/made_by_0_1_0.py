"""Where the files lie that edgekit 0.1.0 wrote."""

import shutil
from pathlib import Path

from runtime.bundle import Bundle

OLD = Path(__file__).parent / "data" / "made_by_0_1_0"


def open_old_bundle(folder):
    """Return a copy of the old bundle in ``folder``, which may be written."""
    return Bundle.open(shutil.copytree(OLD / "nano.edgekit", folder / "nano.edgekit"))
