"""Where things lie in the checkout, whichever test asks."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests/runtime/data"
SMALL_NET = f"{ROOT}/tests/edgekit/small_net.py:make"  # its model, as a command takes it
