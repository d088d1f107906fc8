"""A lab plan: a YAML file that says what to measure where. Strict: an unknown key is an error."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from runtime.bundle.decoding import read_regular, refuse_aliases, why
from runtime.engines.programs import RUNNERS
from runtime.engines.programs.runner import ON_PHONE
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.bench.plan import MOST_BLOCKS, MOST_FRAMES
from runtime.targets import TargetName

_MOST_BYTES = 1 << 20  # a plan of a thousand targets has some 50 kB
_Name = Annotated[str, Meta(min_length=1)]
_Count = Annotated[int, Meta(ge=1)]


class SettingsSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Which settings of a target to visit; empty: all it offers. See ``choose_settings``."""

    threads: tuple[_Count, ...] = (1,)
    clusters: tuple[_Name, ...] = ()
    freqs_khz: tuple[_Count, ...] = ()
    every: _Count = 1


class TargetSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A target: its name, settings and meter of its own, benchmark programs by engine (``adb:`` only)."""

    name: _Name
    settings: SettingsSpec | None = None
    meter: str | None = None
    runners: dict[str, str] = {}


class BundleSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle or model file; ``input_shapes`` of a ``.tflite`` that leaves them open, by input."""

    path: _Name
    input_shapes: dict[str, tuple[_Count, ...]] = {}


class BenchSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How each setting is measured; see ``runtime.measure.bench.Plan``."""

    runs: Annotated[int, Meta(ge=1, le=MOST_FRAMES)] = 30
    warmup: Annotated[int, Meta(ge=0, le=MOST_FRAMES)] = 5
    blocks: Annotated[int, Meta(ge=1, le=MOST_BLOCKS)] = 3
    seed: int = 0
    fps: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    max_temp_c: float | None = None
    cool_down_s: Annotated[float, Meta(ge=0)] = 120.0
    retries: Annotated[int, Meta(ge=0, le=MOST_BLOCKS)] = 0


class RetrySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens when a target vanishes: tries in a row, and the wait between them, which doubles."""

    attempts: _Count = 3
    backoff_s: Annotated[float, Meta(ge=0)] = 10.0
    max_backoff_s: Annotated[float, Meta(ge=0)] = 300.0


class LabPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What to measure where.

    Attributes:
        targets: names as ``open_target`` takes them, or tables with ``name`` and more.
        bundles: bundles or model files, relative to the plan, or tables with ``path`` and more.
        engines, variants: only these of each bundle; empty: all.
        settings: for every target that has none of its own.
        goal_fps: frame rate that the best setting has to reach; ``None``: any.
        out: folder of the results, relative to the plan; default: the plan's name.
        ray_address: of a running Ray cluster; ``None`` starts one on this machine.
    """

    targets: Annotated[tuple[str | TargetSpec, ...], Meta(min_length=1)]
    bundles: Annotated[tuple[_Name | BundleSpec, ...], Meta(min_length=1)]
    engines: tuple[_Name, ...] = ()
    variants: tuple[_Name, ...] = ()
    settings: SettingsSpec = SettingsSpec()
    bench: BenchSpec = BenchSpec()
    retry: RetrySpec = RetrySpec()
    goal_fps: Annotated[float, Meta(gt=0)] | None = None
    out: str = ""
    ray_address: str | None = None

    @property
    def target_specs(self) -> tuple[TargetSpec, ...]:
        """Every target as a table."""
        return tuple(TargetSpec(one) if isinstance(one, str) else one for one in self.targets)

    @property
    def bundle_specs(self) -> tuple[BundleSpec, ...]:
        """Every bundle as a table."""
        return tuple(BundleSpec(one) if isinstance(one, str) else one for one in self.bundles)


def load_plan(path: str | Path) -> LabPlan:
    """Read a plan; paths in it come back absolute.

    Raises:
        DataError: it cannot be read or is no plan; the message names the key.
        MissingExtra: PyYAML is not installed.

    Example:
        >>> load_plan("plan.yaml").target_specs[0].name                 # doctest: +SKIP
        'adb:R5CT1234'
    """
    path = Path(path)
    try:
        data = read_regular(path, advice="give a YAML file", error=DataError, most_bytes=_MOST_BYTES)
        plan = msgspec.convert(_load_yaml(data, path.name), LabPlan, strict=True)
    except OSError as err:
        raise DataError(f"cannot read the plan {path} ({err.strerror}); give a YAML file") from err
    except msgspec.ValidationError as err:
        allowed = ", ".join(LabPlan.__struct_fields__)
        raise DataError(f"{path.name} is not a lab plan: {err}; top level keys are: {allowed}") from err
    names = [spec.name for spec in plan.target_specs]
    for name in names:
        try:
            TargetName.parse(name)
        except ValueError as err:
            raise DataError(f"{path.name}: {err}") from err
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path.name} has target {double[0]!r} twice; give each one once")
    home = path.resolve().parent
    bundles = tuple(
        msgspec.structs.replace(spec, path=str((home / spec.path).resolve())) for spec in plan.bundle_specs
    )
    paths = [spec.path for spec in bundles]
    if double := sorted({path for path in paths if paths.count(path) > 1}):
        raise DataError(f"{path.name} has bundle {double[0]!r} twice; give each one once")
    out = str((home / (plan.out or f"{path.stem}-results")).resolve())
    targets = tuple(_resolve_runners(spec, home, path.name) for spec in plan.target_specs)
    return msgspec.structs.replace(plan, targets=targets, bundles=bundles, out=out)


def _resolve_runners(spec: TargetSpec, home: Path, name: str) -> TargetSpec:
    try:
        for engine in spec.runners:
            RUNNERS.get(engine)
    except ValueError as err:
        raise DataError(f"{name}, runners of {spec.name}: {err}") from err
    found = {
        engine: file if file.startswith(ON_PHONE) else str((home / file).resolve())
        for engine, file in spec.runners.items()
    }
    return msgspec.structs.replace(spec, runners=found)


def _load_yaml(data: bytes, name: str) -> Any:
    yaml = require("yaml", "lab")

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined]
        """Refuses a key that occurs twice, of which YAML would silently keep the last."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            table = dict(super().construct_mapping(node, deep=deep))
            if len(table) < len(node.value):
                keys = [key.value for key, _ in node.value]
                double = next(key for key, count in Counter(map(str, keys)).items() if count > 1)
                raise DataError(f"{name} has the key {double!r} twice in one table; remove one")
            return table

    try:
        refuse_aliases(yaml, data, name)
        return yaml.load(data, Loader)
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError) as err:
        # AttributeError, TypeError: values that do not fit their own tag, as `!!int x` and `!!timestamp 1`
        raise DataError(f"{name} is not valid YAML ({why(err)}); see edgekit lab run --help") from err
