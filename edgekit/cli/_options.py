"""Options that several commands share, so that the same word means the same thing everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import WIDE
from edgekit.cli._progress import QUIET

_COUNT = click.IntRange(min=1)


class Shape(click.ParamType):
    """Sides joined by x, as in 1x3x224x224."""

    name = "shape"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        sides = str(value).split("x")
        if not all(side.isdecimal() and int(side) for side in sides):
            self.fail(f"{value!r} is no shape; join its sides by x: 1x3x224x224", param, ctx)
        return tuple(int(side) for side in sides)


class NamedShape(Shape):
    """A shape, with the input that it is of where there are several: NAME=1x96."""

    name = "named shape"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, tuple[int, ...]]:
        label, equals, sides = str(value).rpartition("=")
        return label if equals else None, super().convert(sides.replace(",", "x"), param, ctx)


class Share(click.ParamType):
    """A share of something: 5% or 0.05."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share < 100:
            self.fail(f"{text!r} is no share; write it as 5% or 0.05", param, ctx)
        return share


input_shape_option = click.option(
    "--input-shape",
    "input_shapes",
    type=Shape(),
    multiple=True,
    metavar="1x3x224x224",
    help="Shape of a float32 input of a .py file's model; repeatable.",
)
open_shape_option = click.option(
    "--input-shape",
    "input_shapes",
    type=NamedShape(),
    multiple=True,
    metavar="[NAME=]1x96x64",
    help="Shape of an input that a .tflite file leaves open (? in inspect); repeatable.",
)
tolerance_option = click.option(
    "--tolerance",
    type=float,
    default=1e-4,
    show_default=True,
    help="Largest error of fp32 files against eager, as a part of an output's largest value (of 1 where that "
    "is below 1); of its channels', where these have unlike scales.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the library's result as JSON.")


def _remember(key: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return a callback that keeps a flag in the context, for functions far from the command."""

    def keep(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        ctx.meta[key] = value

    return keep


wide_option = click.option(
    "--wide", is_flag=True, expose_value=False, callback=_remember(WIDE),
    help="Print every column of tables, however wide.",
)  # fmt: skip
quiet_option = click.option(
    "--quiet", is_flag=True, expose_value=False, callback=_remember(QUIET),
    help="Do not say what is being waited for.",
)  # fmt: skip
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of random choices.")
out_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=None, help="Where to write the result."
)
plot_option = click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw energy over frame rate into this .png or .svg file."
)
target_option = click.option(
    "--target",
    default="local",
    show_default=True,
    help="Where it runs: local, ssh:user@host, adb:SERIAL, emulated:SOC, virtual:SOC (see edgekit targets).",
)
meter_option = click.option(
    "--meter",
    default=None,
    metavar="NAME[=RAILS][:net]",
    help="Energy meter: auto, none, or one that `edgekit doctor` shows; :net subtracts the idle machine.",
)


def _set_runners(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> None:
    if not values:
        return
    from runtime.engines.programs import RUNNERS

    for value in values:
        engine, equals, path = value.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"{value!r} is no ENGINE=FILE, such as litert=./benchmark_model")
        os.environ[RUNNERS.get(engine).environment] = path


runner_option = click.option(
    "--runner",
    metavar="ENGINE=FILE",
    multiple=True,
    expose_value=False,
    callback=_set_runners,
    help="Benchmark program for adb: targets; device:PATH if it is on the phone already. Repeatable.",
)
_MIX = "of a flow also GRAPH=ENGINE-PRECISION,..."
variant_option = click.option("--variant", default=None, help="Variant of the bundle; default: its first.")
one_variant_option = click.option(
    "--variant", help=f"Variant of the bundle, {_MIX}; default: the policy's, or its first."
)
variants_option = click.option(
    "--variant", "variants", multiple=True, help=f"Only this variant, {_MIX}; repeatable."
)
threads_option = click.option(
    "--threads", type=_COUNT, multiple=True, help="Threads to use; repeatable. Default: 1."
)
bundle_argument = click.argument("bundle", type=click.Path(path_type=Path))


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --wide and --json, for commands that print a table."""
    return wide_option(json_option(command))


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --wide, --quiet and --json, for commands that take some time and then print a table."""
    return wide_option(quiet_option(json_option(command)))


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --threads, --cluster and --freq-khz: which of the target's settings are measured."""
    for option in (
        click.option(
            "--freq-khz", "freqs_khz", type=_COUNT, multiple=True, help="Only this clock; repeatable."
        ),
        click.option(
            "--cluster",
            "clusters",
            multiple=True,
            help="Only this cluster; repeatable. mid+big: both as one.",
        ),
        threads_option,
    ):
        command = option(command)
    return command


def frames_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --runs and --warmup: how many frames a block has."""
    for option in (
        click.option("--warmup", type=click.IntRange(min=0), default=5, show_default=True,
                     help="Untimed frames before them."),
        click.option("--runs", type=_COUNT, default=30, show_default=True, help="Timed frames per block."),
    ):  # fmt: skip
        command = option(command)
    return command


def pace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --fps, --max-temp-c, --cool-down-s and --retries: how blocks are paced, and kept honest."""
    for option in (
        click.option("--retries", type=click.IntRange(min=0), default=1, show_default=True,
                     help="Times an unstable block is measured again."),
        click.option("--cool-down-s", type=click.FloatRange(min=0), default=120, show_default=True,
                     help="Longest wait for it."),
        click.option("--max-temp-c", type=float, help="Start a block only when no hotter than this."),
        click.option("--fps", type=click.FloatRange(min=0, min_open=True),
                     help="Release frames at this pace, as an app does; default: back to back."),
    ):  # fmt: skip
        command = option(command)
    return command
