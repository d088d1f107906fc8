"""Options of ``edgekit run`` for bundles whose result is more than a list of classes, and what it prints."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._policy import energy_source
from edgekit.cli._progress import Steps
from runtime.visible import one_line

if TYPE_CHECKING:
    from runtime.bundle import Bundle, TaskSpec
    from runtime.choose.policy.policy import Policy
    from runtime.flow.work import TimedFrame
    from runtime.govern.run.flow_run import FlowResult
    from runtime.targets import Target

_MOST_SEED = 2**63 - 1


class BoxSides(click.ParamType):
    """Four numbers joined by commas, as in 40,30,200,220."""

    name = "box"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        try:
            sides = tuple(float(side) for side in str(value).split(","))
        except ValueError:
            sides = ()
        if len(sides) != 4:
            self.fail(f"{value!r} is no box; write left,top,right,bottom: 40,30,200,220", param, ctx)
        return sides


@dataclass(frozen=True)
class FlowOptions:
    """What the options of ``flow_options`` say."""

    box: tuple[float, ...] | None
    references: tuple[Path, ...]
    seed: int | None
    count: int | None
    outs: tuple[Path, ...]
    raw: Path | None

    @property
    def is_given(self) -> bool:
        """Whether any of them is used."""
        return self != FlowOptions(None, (), None, None, (), None)


def flow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what a flow may need: --box, --reference, --seed, --bars and where its result goes; as ``flow``."""

    @functools.wraps(command)
    def gathered(**options: Any) -> None:
        names = [one.name for one in fields(FlowOptions)]
        command(flow=FlowOptions(**{name: options.pop(name) for name in names}), **options)

    for option in (
        click.option("--raw", type=click.Path(path_type=Path), metavar="OUT.npz",
                     help="Save the outputs of the graphs, for a post-step of your own."),
        click.option("-o", "--out", "outs", multiple=True, type=click.Path(path_type=Path),
                     help="Save the result: .png over the input, .json, .txt, .mask.png, .mid; repeatable."),
        click.option("--bars", "--count", "count", type=int, metavar="N",
                     help="How many bars, or whatever the bundle counts, to make."),
        click.option("--seed", type=click.IntRange(0, _MOST_SEED), help="Of what is drawn. Default: 0."),
        click.option("--reference", "references", multiple=True, type=click.Path(path_type=Path),
                     help="Picture or array to compare with; repeatable."),
        click.option("--box", type=BoxSides(), metavar="L,T,R,B",
                     help="Where to look: left,top,right,bottom in pixels of the upright picture."),
    ):  # fmt: skip
        gathered = option(gathered)
    return gathered


def show_flow(
    bundle: Bundle, target: Target, policy: Policy | None, inputs: tuple[Path, ...], options: FlowOptions,
    as_json: bool, *, variant: str | None, fps: float | None, latency_ms: float | None, frames: int | None,
) -> bool:  # fmt: skip
    """Run the bundle's flow, save what is asked for, and print what came of it.

    Returns:
        ``False``, and nothing is done, for a classifier that is only to name classes.
    """
    from runtime.flow.frames import is_classifier
    from runtime.govern.run.flow_run import FlowRequest, run_flow
    from runtime.processing.results.saving import check_ending, save_result

    task = bundle.manifest.task_or_implied
    if options.raw is not None and _is_raw(task, inputs, options):
        save_graph(bundle, target, policy, inputs, variant, options.raw)
        return True
    if task is None and options.is_given:
        raise click.UsageError(
            "nothing says what this bundle's outputs mean, which -o, --raw, --box and their like need; "
            "export it with a task"
        )
    if task is None or (is_classifier(task) and not options.is_given):
        return False
    if len(inputs) > 1 and (options.outs or options.raw):
        raise click.UsageError("-o and --raw hold one result; give one --input with them")
    for path in options.outs:
        check_ending(task.result, path)
    request = FlowRequest(
        inputs, options.box, options.references, options.seed or 0, options.count, variant, fps, latency_ms,
        frames,
    )  # fmt: skip
    with Steps() as steps:
        steps.wait_for(f"running {task.name} on {target.name}")
        result, shown = run_flow(bundle, task, target, request, policy)
    for path in options.outs:
        save_result(shown[0].decoded, path, shown[0].picture)
        note(f"written: {path}")
    if options.raw is not None:
        save_raw(shown[0], options.raw)
        note(f"written: {options.raw}")
    if as_json:
        print_json(result)
    else:
        print_flow(result, shown)
    return True


def _is_raw(task: TaskSpec | None, inputs: tuple[Path, ...], options: FlowOptions) -> bool:
    """Return whether one graph's outputs are all that is asked for, so that no step needs NumPy."""
    is_alone = options == FlowOptions(None, (), None, None, (), options.raw)
    are_arrays = all(path.suffix in (".npy", ".npz") for path in inputs) and len(inputs) <= 1
    return is_alone and are_arrays and (task is None or (len(task.flow.graphs) == 1 and bool(inputs)))


def save_graph(
    bundle: Bundle, target: Target, policy: Policy | None, inputs: tuple[Path, ...], variant: str | None,
    out: Path,
) -> None:  # fmt: skip
    """Run one graph on an array and save what it gives."""
    from runtime.flow.raw import run_raw
    from runtime.govern.run.run import kernel_setting

    setting = policy.setting if policy else kernel_setting(target)
    latency_ms = run_raw(bundle, target, setting, next(iter(inputs), None), out, variant)
    note(f"written: {out}")
    say(f"Latency: {latency_ms:.3g} ms ({target.provenance})")


def save_raw(shown: TimedFrame, path: Path) -> None:
    """Write a frame's tensors, and each token's draws as ``token:NAME``."""
    import numpy as np

    from runtime.engines import Array
    from runtime.flow.npz import write_npz

    draws = {f"token:{name}": np.asarray(drawn) for name, drawn in shown.frame.draws.items()}
    write_npz(path, {name: Array.of(array) for name, array in {**shown.frame.outputs, **draws}.items()})


def print_flow(result: FlowResult, shown: tuple[TimedFrame, ...]) -> None:
    """Print what the inputs show, then what the parts of a frame took."""
    for one, plain in zip(shown, result.results, strict=True):
        headers, rows = one.decoded.table()
        name = f"{one_line(Path(plain['input']).name)}: " if plain["input"] else ""
        say(f"{name}{one_line(result.task)}")
        print_table(headers, [[one_line(cell) for cell in row] for row in rows] or [["-"] * len(headers)])
        say()
    parts = [(part.name, part.runs, part.latency_ms, part.provenance) for part in result.parts]
    print_table(("part of a frame", "runs", "ms", ""), parts)
    say()
    files = ", ".join(result.variants.values())
    steps = f", {result.steps} steps each" if result.steps else ""
    pace = "back to back" if result.fps_target is None else f"at {result.fps_target:g} FPS"
    late = f", {result.late_frames} late (deadline {result.deadline_ms:.3g} ms)" if result.deadline_ms else ""
    say(f"Frames:  {result.frames} of {files} {pace}{steps}{late}")
    reference = f"; references once: {result.reference_ms:.3g} ms" if result.reference_ms else ""
    latency = f"{result.latency_ms:.3g} ms median, {result.p90_ms:.3g} ms p90"
    say(f"Latency: {latency} ({result.provenance}){reference}")
    energy = "not known" if result.energy_mj is None else f"{result.energy_mj:.3g} mJ a frame"
    say(f"Energy:  {energy} ({energy_source(result, result.energy_mj)})")
    say(f"Setting: {result.setting}")
    for remark in result.notes:
        say(f"Note:    {one_line(remark)}.")
