"""``edgekit web record``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from edgekit.cli._options import quiet_option
from edgekit.cli._output import note, say
from edgekit.cli._progress import Steps


@click.command()
@click.argument("url", required=False)
@click.option("--cdp", metavar="URL", help="A browser that runs already; without a URL the page it shows.")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=900), default=10, show_default=True)
@click.option("--browser", type=click.Path(path_type=Path), help="Chromium or Chrome to use.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="File, such as read.json.")
@quiet_option
def record(url: str | None, cdp: str | None, seconds: float, browser: Path | None, out: Path) -> None:
    """Record what a user does on a live page, so that it can be done again on others.

    Wheel and one finger: `--gesture FILE.json` of bench and profile does it again at its own times. The
    browser opens a window, or give one that runs with --cdp.

    \b
    Example:
      edgekit web record --cdp http://127.0.0.1:9222 --seconds 20 -o reading.json
      edgekit web bench index.html --gesture reading.json --target emulated:sdm845
    """
    from runtime.web.browser.chromium import Launch
    from runtime.web.browser.live import live_page
    from runtime.web.gestures.inputs import Input, Recording, watch_inputs
    from runtime.web.gestures.recording import recorded_gesture, write_recording

    if url is None and cdp is None:
        raise click.UsageError("there is nothing to record; give a page's URL, or a browser with --cdp")
    if out.suffix != ".json":
        raise click.UsageError(f"{out} is to be a .json file: --gesture knows recordings by that")
    inputs: list[Input] = []
    with live_page(url, cdp, Launch(browser, is_headless=False)) as page, Steps() as steps:
        end = watch_inputs(page, inputs.append)
        steps.wait_for(f"recording for {seconds:g} s")
        time.sleep(seconds)
        end()
    gesture = recorded_gesture(Recording(out.stem, tuple(inputs)))
    assert gesture.recorded is not None
    write_recording(out, gesture.recorded.inputs)
    note(f"{len(gesture.recorded.inputs)} inputs by {gesture.source}, {gesture.speed:.0f} px/s in the median")
    say(out)
