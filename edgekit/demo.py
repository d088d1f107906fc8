"""The main job from end to end, as the commands a user would type: ``python -m edgekit.demo [FOLDER]``."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from runtime.device.child import module_command, module_environment
from runtime.errors import WebError
from runtime.web.browser.chromium import find_browser

STEPS = (
    "train mobilenet_v2 --data digits --recipe digits-demo --epochs 4 -o {folder}/trained",
    "prune {folder}/trained --method psfp --rate 0.3 -o {folder}/pruned",
    "export {folder}/pruned --engine executorch --engine litert -o {folder}/digits.edgekit",
    "inspect {folder}/digits.edgekit",
    "bench {folder}/digits.edgekit --target local",
    "bench {folder}/digits.edgekit --target virtual:gs101 --every 2",
    "fit {folder}/digits.edgekit --target virtual:gs101",
    "tune {folder}/digits.edgekit --target virtual:gs101 --fps 30",
    "run {folder}/digits.edgekit --target virtual:gs101 --input {folder}/digit.png --fps 30 --frames 60",
    "report {folder}/digits.edgekit -o {folder}/report.html",
)
# Gestures on a page in a real browser, where there is one.
WEB_STEPS = (
    "web stress {folder}/pages --kind script --strength 1",
    "web bench {folder}/pages/script-1.html --clocks 1 --runs 2 --most-runs 2 --duration-s 1 --no-details "
    "-o {folder}/web-records",
)


def main(folder: Path = Path("runs/demo")) -> int:
    """Run every step in a fresh ``folder``; return the exit status of the first one that fails, else 0."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_sample_digit(folder / "digit.png")
    begin = time.monotonic()
    steps, missing = list(STEPS), ""
    try:
        find_browser()
        steps += WEB_STEPS
    except WebError as err:
        missing = f"Gestures on web pages are not shown: {err}"
    for step in steps:
        words = shlex.split(step.format(folder=folder))
        print(f"\n\033[1m$ edgekit {shlex.join(words)}\033[0m", flush=True)
        status = subprocess.run(
            module_command("edgekit", *words), env=module_environment(), check=False
        ).returncode
        if status:
            print(f"stopped: edgekit {words[0]} exited with {status}", file=sys.stderr)
            return status
    if missing:
        print(f"\n{missing}", file=sys.stderr)
    print(f"\nThe whole job took {time.monotonic() - begin:.0f} s. Open {folder / 'report.html'} to see it.")
    return 0


def write_sample_digit(path: Path) -> None:
    """Save the last image of scikit-learn's digits, an 8, as a PNG such as a user would bring."""
    from PIL import Image
    from sklearn.datasets import load_digits

    pixels = load_digits().images[-1] * (255 / 16)
    Image.fromarray(pixels.astype("uint8")).save(path)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
