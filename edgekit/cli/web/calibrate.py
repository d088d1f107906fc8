"""``edgekit web calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli.web._calibrate import ask_user, show_rate, tell
from edgekit.cli.web._gestures import one_gesture_option

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("page")
@one_gesture_option
@click.option("--duration-s", type=click.FloatRange(0.3, 30), default=3, show_default=True,
              help="Of each showing.")  # fmt: skip
@click.option("--refresh-hz", type=click.FloatRange(20, 240), default=60, show_default=True,
              help="Of the display.")  # fmt: skip
@click.option("--answers", type=_FILE, help="Replay these, y or n, one a line, without a window.")
@click.option("--browser", type=_FILE, help="Chromium or Chrome to use.")
@options.seed_option
@click.option("-o", "--out", type=_FILE, default=Path("accepted.json"), show_default=True,
              help="File to keep it in, beside other pages and gestures.")  # fmt: skip
@options.quiet_option
@options.json_option
def calibrate(page, answers, out, browser, as_json, **given) -> None:
    """Find the frame rate that is smooth enough for you on a page.

    The page moves in a window, again and again, at frame rates between 6 and what the display has, in an
    order that you cannot guess; say each time whether it was smooth enough. It takes two minutes. A page of
    text and one of pictures tell most: what is asked of others follows from their share of pictures.

    \b
    Example:
      edgekit web calibrate https://example.org -o mine.json
      edgekit web govern https://example.org --window --accept mine.json
    """
    from runtime.web.governing.accepted import AcceptedRates, read_accepted, write_accepted
    from runtime.web.governing.calibrate import Calibration, read_answers
    from runtime.web.governing.calibrate import calibrate as ask_about

    kept = read_accepted(out) if out.is_file() else AcceptedRates()
    asked = Calibration(page, browser=browser, is_headless=answers is not None, **given)
    rate = ask_about(asked, ask_user if answers is None else read_answers(answers), tell)
    write_accepted(out, kept.with_rate(rate))
    if as_json:
        print_json(rate)
    else:
        show_rate(rate)
    note(f"kept in {out}; govern by it: edgekit web govern {page} --accept {out}")
