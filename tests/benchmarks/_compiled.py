"""Timings of compiled decisions: the native governor's, and those of generated predictors."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

from edgekit.cli._output import note
from runtime.choose.decision import DecisionTable
from runtime.device.emulation.steal import find_compiler
from runtime.device.soc.tree import SocTree
from runtime.govern.compiled.c_source import c_name, c_sources
from runtime.govern.compiled.emit import governor_sources

HERE = Path(__file__).parent
_MODEL = "bench"
_FLAGS = ("-std=c99", "-D_GNU_SOURCE", "-O2", "-ffp-contract=off")


def measure_governor(
    table: DecisionTable,
    cpus: Mapping[str, Sequence[int]],
    tree: SocTree,
    deadline_ms: float,
    frames: int,
    folder: Path,
) -> list[dict[str, Any]]:
    """Return rows for deciding, and for deciding and writing, of the governor's own code."""
    place = folder / "governor"
    place.mkdir()
    for file, text in (c_sources(_MODEL, table, cpus, deadline_ms) | governor_sources(_MODEL)).items():
        (place / file).write_text(text)
    sources = [path for path in place.glob("*.c") if path.name != "main.c"]
    program = _compile([HERE / "decision_cost.c", *sources], place)
    command = [str(program), str(tree.root), str(folder / "state"), str(frames)]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    decide_us, follow_us, is_changed = np.array([line.split() for line in shown.splitlines()], dtype=float).T
    decide_us, follow_us, changed = decide_us / 1e3, follow_us / 1e3, is_changed > 0
    applied_us = (decide_us + follow_us)[changed]
    size = _code_bytes(place / f"{c_name(_MODEL)}.o")
    return [
        _row(f"table of {len(table.rows)} rows: decide", decide_us, size),
        _row("decide, write the clock, read it back", applied_us, None, is_applied=True),
        _row("frame at the clock it had: decide, check it is held", (decide_us + follow_us)[~changed], None),
    ]


def measure_trees(
    generators: Path,
    X: np.ndarray,
    latency_ms: np.ndarray,
    unseen: Sequence[np.ndarray],
    power_mw: Sequence[float],
    deadline_ms: float,
    folder: Path,
) -> list[dict[str, Any]]:
    """Return one row per tree compiler in ``generators`` and kind of forest that it takes."""
    sys.path += [str(path) for path in (generators, *sorted(generators.iterdir())) if path.is_dir()]
    head = struct.pack("=4d", len(unseen[0]), X.shape[1], len(unseen), deadline_ms)
    questions = head + np.array(power_mw).tobytes() + b"".join(block.tobytes() for block in unseen)
    models = {
        "random_forest": RandomForestRegressor(n_estimators=50, random_state=0),
        "gradient_boosting": GradientBoostingRegressor(
            n_estimators=50, learning_rate=0.2, max_depth=3, random_state=0
        ),
    }
    rows = []
    for kind, model in models.items():
        model.fit(X, np.log(latency_ms))
        for name, generate in _GENERATORS.items():
            place = folder / f"{name}-{kind}"
            place.mkdir()
            try:
                generate(model, place)
            except (ImportError, NotImplementedError, ValueError) as err:
                note(f"{name} does not take a {kind}: {' '.join(str(err).split())[:100]}")
                continue
            program = _compile([HERE / "decide_by_trees.c"], place)
            shown = subprocess.run([program], input=questions, stdout=subprocess.PIPE, check=True).stdout
            _, took_ns, _ = np.array([line.split() for line in shown.splitlines()], dtype=float).T
            size = _code_bytes(place / "decide_by_trees.o")
            rows.append(_row(f"{kind} by {name}: {len(unseen[0])} settings asked", took_ns / 1e3, size))
    return rows


def _m2cgen(model: Any, place: Path) -> None:
    import m2cgen

    code = m2cgen.export_to_c(model, function_name="predict_log")
    (place / "adapter.h").write_text(code.replace("double predict_log(", "static double predict_log("))


def _emlearn(model: Any, place: Path) -> None:
    import emlearn

    emlearn.convert(model, dtype="float").save(
        name="forest", format="c", file=str(place / "forest.h"), inference=["inline"]
    )
    adapter = (
        '#include "forest.h"\nstatic double predict_log(double *features)\n{\n'
        f"    float narrow[{model.n_features_in_}];\n"
        f"    for (int i = 0; i < {model.n_features_in_}; i++) narrow[i] = (float)features[i];\n"
        f"    return forest_predict(narrow, {model.n_features_in_});\n}}\n"
    )
    (place / "adapter.h").write_text(adapter)


def _tl2cgen(model: Any, place: Path) -> None:
    import tl2cgen
    import treelite

    tl2cgen.generate_c_code(treelite.sklearn.import_model(model), dirpath=str(place / "trees"), params={})
    adapter = (
        '#include "trees/main.c"\nstatic double predict_log(double *features)\n{\n    double result = 0.0;\n'
        f"    union Entry given[{model.n_features_in_}];\n"
        f"    for (int i = 0; i < {model.n_features_in_}; i++) given[i].fvalue = features[i];\n"
        "    predict(given, 0, &result);\n    return result;\n}\n"
    )
    (place / "adapter.h").write_text(adapter)


_GENERATORS: dict[str, Callable[[Any, Path], None]] = {
    "m2cgen": _m2cgen,
    "emlearn": _emlearn,
    "tl2cgen": _tl2cgen,
}


def _compile(sources: Sequence[Path], place: Path) -> Path:
    """Compile and link; the objects stay beside the program."""
    compiler = find_compiler()
    if compiler is None:
        raise SystemExit("no C compiler (cc, gcc, clang); run: apt install gcc libc6-dev")
    objects = [place / f"{source.stem}.o" for source in sources]
    for source, made in zip(sources, objects, strict=True):
        subprocess.run([compiler, *_FLAGS, "-c", f"-I{place}", source, "-o", made], check=True)
    subprocess.run([compiler, *objects, "-lm", "-o", place / "program"], check=True)
    return place / "program"


def _code_bytes(made: Path) -> int:
    """Return what code and constants of an object come to, without what it is linked with."""
    shown = subprocess.run(["size", made], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(shown.splitlines()[1].split()[3])  # text, data and bss: constants with pointers are data


def _row(what: str, times_us: np.ndarray, code_bytes: int | None, is_applied: bool = False) -> dict[str, Any]:
    return {
        "what": what,
        "p50_us": float(np.median(times_us)),
        "p99_us": float(np.percentile(times_us, 99)),
        "runs": len(times_us),
        "code_bytes": code_bytes,
        "is_applied": is_applied,
    }
