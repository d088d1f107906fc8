"""Load damaged and crafted predictors; print how each ended. A program of its own: one of them may end it."""

import collections
import copy
import io
import json
import random
import sys
import zipfile

import numpy as np

from predictors import LatencyPredictor, load_predictor, save_predictor
from tests.benchmarks.fuzz.documents import containers

X = np.linspace(0, 2, 30)[:, None]
Y = np.exp(3 - X[:, 0])


def small(name):
    """Return the members of a saved predictor of few trees."""
    predictor = LatencyPredictor(candidates=(name,), normalized=False).fit(X, Y)
    last = predictor.estimator_[-1]
    if hasattr(last, "estimators_"):
        last.estimators_ = last.estimators_[:2]
    with zipfile.ZipFile(io.BytesIO(save_predictor(predictor))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members):
    """Return an archive of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def mutated_schema(schema, rng):
    """Return a schema with one part replaced, removed, or taken from elsewhere."""
    schema = copy.deepcopy(schema)
    parts = [part for part in containers(schema) if part]
    part, other = rng.choice(parts), rng.choice(parts)
    key = rng.choice(list(part) if isinstance(part, dict) else range(len(part)))
    odd = rng.choice([None, -1, 2**63, "", "9" * 400, "[" * 5000, "NaN", 1e308, [], {}, True, "numpy", other])
    if rng.random() < 0.2:
        del part[key]
    else:
        part[key] = copy.deepcopy(odd)
    return schema


def mutated_array(data, rng):
    """Return an array's file with other values, another shape or type, or damaged bytes."""
    array = np.load(io.BytesIO(data)).copy()
    kind = rng.choice(["bytes", "cut", "shape", "dtype", "values"])
    if kind == "bytes":
        at = rng.randrange(len(data))
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if kind == "cut":
        return data[: rng.randrange(len(data))]
    if kind == "shape":
        return data.replace(b"'shape': (", b"'shape': (99999999999, ", 1)
    if kind == "dtype":
        array = np.zeros(array.shape, rng.choice([np.int8, np.float32, np.complex128, "U3"]))
    elif array.dtype.names:
        name = rng.choice(["left_child", "right_child", "feature"])
        array[name][rng.randrange(len(array))] = rng.choice([-2, -1, 0, 1, 5, 10**6, 2**62])
    elif array.size:
        array.flat[rng.randrange(array.size)] = rng.choice([-1, 0, 2**31 - 1])
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def crafted(members, rng):
    """Return one file that nobody saved."""
    kind = rng.choice(["raw", "schema", "schema", "array", "array"])
    if kind == "raw":
        data = bytearray(packed(members))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    members = dict(members)
    if kind == "schema":
        schema = mutated_schema(json.loads(members["schema.json"]), rng)
        members["schema.json"] = json.dumps(schema).encode()
    else:
        name = rng.choice([name for name in members if name.endswith(".npy")])
        members[name] = mutated_array(members[name], rng)
    return packed(members)


def main(seed, tries):
    """Print how many files were taken, refused in our words, or ended in something else."""
    rng = random.Random(seed)
    ends = collections.Counter()
    originals = [small(name) for name in ("random_forest", "gradient_boosting", "svr", "mlp", "linear")]
    for _ in range(tries):
        data = crafted(rng.choice(originals), rng)
        try:
            predictor = load_predictor(data)
        except ValueError as err:
            ends["refused" if "fit it again" in str(err) else f"raw: {err!r}"] += 1
            continue
        except Exception as err:  # noqa: BLE001 (which it is, is what is asked)
            ends[f"raw: {err!r}"] += 1
            continue
        ends["taken"] += 1
        try:
            with np.errstate(all="ignore"):
                predictor.predict(X)
        except ValueError:
            ends["no prediction"] += 1
    print(json.dumps(ends, default=str))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
