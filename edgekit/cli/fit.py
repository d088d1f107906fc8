"""``edgekit fit``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._fit import print_fit
from edgekit.cli._kernels import with_kernels
from edgekit.cli._output import note, print_json, say
from edgekit.cli._progress import Steps
from edgekit.cli._rows import BlockSteps
from edgekit.cli._web_fit import with_web

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH, required=False)
@options.target_option
@click.option("--also", type=_PATH, multiple=True, help="Bundle or .tflite to learn from, too.")
@click.option("--from", "source", metavar="TARGET", help="Transfer the predictor of this target.")
@click.option("--samples", type=click.IntRange(min=1), help="With --from: settings to bench; else as needed.")
@click.option("--log", type=_PATH, help="Correct the predictor by this governed run.")
@options.seed_option
@click.option("--include-unstable", is_flag=True, help="Learn from records judged unstable, too.")
@options.output_options
@with_web
@with_kernels
def fit(
    bundle: Path, target: str, also: tuple[Path, ...], source: str | None, samples: int | None,
    log: Path | None, seed: int, include_unstable: bool, as_json: bool,
) -> None:  # fmt: skip
    """Learn how fast each core and clock runs a bundle, --kernels any network, --kind web pages.

    Regressors compete on what `edgekit bench` recorded; --from and --log correct one that is there.
    """
    from runtime.bundle import Bundle
    from runtime.choose.fitting import fit_bundle
    from runtime.choose.fitting.transfer import transfer_fit
    from runtime.choose.fitting.update import update_fit
    from runtime.engines.model_file import open_bundle_or_model
    from runtime.flow.frames import as_frames
    from runtime.measure.bench import default_log
    from runtime.targets import open_target

    if sum(map(bool, (also, source, log))) > 1 or (samples is not None and source is None):
        raise click.UsageError("choose one of --also, --from and --log; --samples goes with --from")
    opened, machine = as_frames(Bundle.open(bundle)), open_target(target)
    records, learning = default_log(opened, machine), {"seed": seed, "include_unstable": include_unstable}
    if log is not None:
        _, result = update_fit(opened, machine, log)
    elif source is not None:
        with BlockSteps() as steps:
            _, result = transfer_fit(
                opened, machine, source, samples=samples, log=records, progress=steps.ended, on_message=note,
                **learning,
            )  # fmt: skip
    else:
        others = [(one, default_log(one, machine)) for one in map(as_frames, map(open_bundle_or_model, also))]
        with Steps() as steps:
            steps.wait_for("fitting six kinds of regressors")
            _, result = fit_bundle(opened, machine, records, also=others, **learning)
    if as_json:
        print_json(result)
    else:
        print_fit(result)
        say(f"Saved in {bundle}. Next: edgekit tune {bundle} --target {target} --fps 30")
