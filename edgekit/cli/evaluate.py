"""``edgekit evaluate``: what a bundle's files score on a dataset."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import bundle_argument, output_options, target_option, variants_option
from edgekit.cli._output import print_json, print_table, say
from edgekit.cli._progress import Steps


@click.command()
@bundle_argument
@click.option("--data", help="Dataset whose test examples they are; default: what it was trained on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@variants_option
@click.option("--limit", type=click.IntRange(min=1), help="Score on so many examples, taken evenly.")
@target_option
@output_options
def evaluate(
    bundle: Path, data: str | None, data_root: Path | None, variants: tuple[str, ...], limit: int | None,
    target: str, as_json: bool,
) -> None:  # fmt: skip
    """Score the exported files of BUNDLE by their task's own metric; more is better.

    Files of several graphs, or of steps, are scored together, as flow:ENGINE-PRECISION: steps are
    given what they should draw.

    \b
    Example:
      edgekit evaluate digits.edgekit
      edgekit evaluate faces.edgekit --data faces --variant litert-static_wi8_ai8
      edgekit evaluate tunes.edgekit --limit 50
    """
    from runtime.bundle import Bundle
    from runtime.targets import open_target

    opened, machine = Bundle.open(bundle), open_target(target)
    with Steps() as steps:
        steps.wait_for("loading PyTorch and the data")
        from edgekit.export.scores import score_bundle

        scores = score_bundle(
            opened, data, machine, root=data_root, variants=variants, limit=limit or 0, progress=steps
        )
    if as_json:
        print_json(scores)
        return
    drops = ["" if one.drop is None else f"{one.drop:+.4f}" for one in scores]
    cells = [(one.variant, f"{one.score:.4f}", drop) for one, drop in zip(scores, drops, strict=True)]
    print_table(("variant", scores[0].metric, "lost to fp32"), cells)
    say(f"{scores[0].n_examples} test examples of {scores[0].dataset} on {target}")
