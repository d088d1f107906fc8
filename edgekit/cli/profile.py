"""``edgekit profile``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli._profile import keep_profiles, of_graphs, print_found, take_profiles

_COUNT = click.IntRange(min=1)


@click.command()
@options.bundle_argument
@click.option("--engine", "engines", multiple=True, help="Only variants of this engine; repeatable.")
@options.variants_option
@options.open_shape_option
@options.target_option
@click.option("--cluster", help="Cores of another target to run on. Default: the biggest.")
@click.option("--threads", type=_COUNT, default=1, show_default=True, help="Threads to use.")
@click.option("--runs", type=_COUNT, default=30, show_default=True, help="Timed frames.")
@click.option("--top", type=_COUNT, metavar="N", help="Only the N slowest ops; default: all in their order.")
@click.option(
    "--trace", type=click.Path(path_type=Path), help="Also write a Chrome trace; ui.perfetto.dev opens it."
)
@options.seed_option
@options.output_options
def profile(
    bundle: Path, engines: tuple[str, ...], variants: tuple[str, ...], target: str, top: int | None,
    trace: Path | None, input_shapes: Any, as_json: bool, **plan: Any,
) -> None:  # fmt: skip
    """Time every op of a bundle, inside its delegates too.

    BUNDLE is a .edgekit folder, or a .tflite or .pte file of any origin. The times come from the
    engines' own profilers; the latency without them is printed beside the sum. Of a flow the ops of
    all its graphs are timed, with their shares of the whole frame; the name of one graph's file as
    --variant times that graph alone. A bundle keeps the last profile of each file and target for
    its report.

    \b
    Example:
      edgekit profile model.edgekit --engine litert --top 10
      edgekit profile model.tflite --trace ops.json
    """
    from runtime.bundle import write_atomic
    from runtime.engines.model_file import open_bundle_or_model
    from runtime.measure.profiling.trace import trace_json
    from runtime.targets import open_target

    model = open_bundle_or_model(bundle, input_shapes)
    plan["target"] = None if target == "local" else open_target(target)
    found = take_profiles(model, engines, variants, plan)
    keep_profiles(model, of_graphs(found))
    if trace is not None:
        write_atomic(trace, trace_json(of_graphs(found)))
        note(f"trace: {trace}")
    if as_json:
        print_json(found)
        return
    for one in found:
        print_found(one, top)
