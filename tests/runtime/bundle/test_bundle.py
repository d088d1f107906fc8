"""Bundles: whole or not at all, and nothing of a damaged or hostile one is used."""

import json
import math
import os
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.bundle import (
    Bundle,
    BundleWriter,
    Delegation,
    FallbackOp,
    FileEntry,
    Graph,
    ImageSpec,
    Manifest,
    Parity,
    TensorSpec,
    Variant,
    new_bundle,
    write_atomic,
)
from runtime.bundle import bundle as bundle_module
from runtime.bundle.workload import Op, Workload
from runtime.errors import BundleError, VersionConflict

GRAPH = Graph((TensorSpec("x", "float32", (1, 3, 8, 8)),), (TensorSpec("y", "float32", (1, 2)),))
MODEL = b"the model's bytes"


def manifest(**changes):
    fields = {
        "name": "toy",
        "created_utc": "2026-01-01T00:00:00Z",
        "graphs": {"forward": GRAPH},
        "variants": (Variant("litert-fp32", "litert", "fp32", "toy.tflite"),),
    }
    return Manifest(**(fields | changes))


@pytest.fixture
def folder(tmp_path):
    """Return the path of a small valid bundle."""
    path = tmp_path / "toy.edgekit"
    with new_bundle(path) as writer:
        writer.add("toy.tflite", MODEL, "model")
        writer.add("labels.txt", b"cat\ndog\n", "labels")
        writer.finish(manifest(labels="labels.txt"))
    return path


def edit(folder, change):
    """Apply ``change`` to the manifest's JSON object on disk."""
    raw = json.loads((folder / "manifest.json").read_text())
    change(raw)
    (folder / "manifest.json").write_text(json.dumps(raw))


def names(folder):
    return sorted(os.listdir(folder))


# --- a good bundle ---------------------------------------------------------------------------


def test_open_returns_what_was_written(folder):
    bundle = Bundle.open(folder)
    assert bundle.manifest.variant().name == "litert-fp32"
    assert bundle.file("toy.tflite").read_bytes() == MODEL
    assert bundle.labels() == ["cat", "dog"]
    assert bundle.find("model") == ["toy.tflite"]
    assert bundle.workload(bundle.manifest.variant()) is None


def test_labels_keep_unusual_characters_in_one_line(tmp_path):
    text = "a\x0bb\nc\u2028d\n\ne"
    with new_bundle(tmp_path / "b.edgekit") as writer:
        writer.add("toy.tflite", MODEL, "model")
        writer.add("labels.txt", text.encode(), "labels")
        writer.finish(manifest(labels="labels.txt"))
    assert Bundle.open(tmp_path / "b.edgekit").labels() == ["a\x0bb", "c\u2028d", "", "e"]


def test_labels_that_are_not_text_are_refused(tmp_path):
    with new_bundle(tmp_path / "b.edgekit") as writer:
        writer.add("toy.tflite", MODEL, "model")
        writer.add("labels.txt", b"\xff\xfe", "labels")
        writer.finish(manifest(labels="labels.txt"))
    with pytest.raises(BundleError, match="not UTF-8"):
        Bundle.open(tmp_path / "b.edgekit").labels()


def bundle_with_workload(path, data):
    variant = Variant("litert-fp32", "litert", "fp32", "toy.tflite", workload="workload.json")
    with new_bundle(path) as writer:
        writer.add("toy.tflite", MODEL, "model")
        writer.add("workload.json", data, "workload")
        writer.finish(manifest(variants=(variant,)))
    return Bundle.open(path), variant


def test_workload_is_read(tmp_path):
    workload = Workload((Op("conv", "conv2d", 10, 20, 30),))
    bundle, variant = bundle_with_workload(tmp_path / "b.edgekit", msgspec.json.encode(workload))
    assert bundle.workload(variant) == workload


@pytest.mark.parametrize("data", [b'{"ops": [{"name": 3}]}', b"{", b"[" * 100_000])
def test_workload_that_does_not_fit_is_refused(tmp_path, data):
    bundle, variant = bundle_with_workload(tmp_path / "b.edgekit", data)
    with pytest.raises(BundleError, match=r"workload\.json does not fit its schema"):
        bundle.workload(variant)


def test_unknown_variant_names_the_known_ones(folder):
    with pytest.raises(ValueError, match="unknown variant 'x'; this bundle has: litert-fp32"):
        Bundle.open(folder).manifest.variant("x")


# --- damaged and hostile bundles ---------------------------------------------------------------


def test_changed_byte_is_refused(folder):
    (folder / "toy.tflite").write_bytes(b"The model's bytes")
    with pytest.raises(BundleError, match=r"'toy\.tflite' in toy\.edgekit does not match its sha256"):
        Bundle.open(folder)


def test_truncated_file_is_refused(folder):
    (folder / "toy.tflite").write_bytes(MODEL[:-1])
    with pytest.raises(BundleError, match="has 16 bytes, the manifest says 17"):
        Bundle.open(folder)


def test_missing_file_is_refused(folder):
    (folder / "toy.tflite").unlink()
    with pytest.raises(BundleError, match=r"lacks 'toy\.tflite'"):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["toy.tflite", "manifest.json", "records"])
def test_link_out_of_the_bundle_is_refused(folder, tmp_path, name):
    outside = tmp_path / "outside"
    if name == "records":  # a linked folder would let us write elsewhere
        outside.mkdir()
    else:
        (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    with pytest.raises(BundleError, match=f"{name} in toy.edgekit is a link"):
        Bundle.open(folder)


def test_link_loop_is_refused(folder):
    (folder / "toy.tflite").unlink()
    (folder / "toy.tflite").symlink_to("toy.tflite")
    with pytest.raises(BundleError, match="is a link"):
        Bundle.open(folder)


def test_add_does_not_write_through_a_link(folder, tmp_path):
    bundle = Bundle.open(folder)
    (tmp_path / "outside").mkdir()
    (folder / "policies").symlink_to(tmp_path / "outside")
    with pytest.raises(BundleError, match="is a link"):
        bundle.add("policies/local.json", b"{}", "policy")
    assert names(tmp_path / "outside") == []


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "", ".", "a\\..\\x", "./toy", "a//b", "a/", "x\0", "manifest.json"],
)
def test_path_that_leaves_the_bundle_is_refused(folder, path):
    def change(raw):
        raw["files"][0]["path"] = raw["variants"][0]["path"] = path

    edit(folder, change)
    with pytest.raises(BundleError, match="does not fit its schema") as caught:
        Bundle.open(folder)
    assert repr(path) in str(caught.value)
    with pytest.raises(ValueError, match="path"):
        Bundle(folder, manifest()).add(path, b"", "report")


def test_newer_schema_asks_to_upgrade(folder):
    edit(folder, lambda raw: raw.update(schema_version=3, variants="a new shape"))
    with pytest.raises(VersionConflict, match="version 3; this edgekit reads up to 2; upgrade edgekit"):
        Bundle.open(folder)


@pytest.mark.parametrize("version", [None, "1", 0, -1, True, 1.0])
def test_odd_schema_version_is_refused(folder, version):
    edit(folder, lambda raw: raw.update(schema_version=version))
    with pytest.raises(BundleError, match="schema version"):
        Bundle.open(folder)


def test_missing_schema_version_is_refused(folder):
    edit(folder, lambda raw: raw.pop("schema_version"))
    with pytest.raises(BundleError, match="schema version None"):
        Bundle.open(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.update(name=3), r"Expected `str`, got `int` - at `\$\.name`"),
        (lambda raw: raw.update(variants=[]), "no variant"),
        (lambda raw: raw.update(graphs={}), "names graph 'forward', which is not there"),
        (lambda raw: raw.update(labels="other.txt"), "'other.txt' but does not list it"),
        (lambda raw: raw["files"].append(raw["files"][0]), "lists a file twice"),
        (lambda raw: raw["variants"].append(raw["variants"][0]), "two variants of one name"),
        (lambda raw: raw["variants"][0].update(engine="tvm"), "engine is 'tvm'; allowed: executorch, litert"),
        (lambda raw: raw["variants"][0].update(precision="fp8"), "precision is 'fp8'"),
        (lambda raw: raw["variants"][0].update(path="gone.tflite"), "'gone.tflite' but does not list it"),
        (lambda raw: raw["files"][0].update(sha256="abc"), "64 lower-case hex digits"),
        (lambda raw: raw["files"][0].update(size_bytes="17"), "Expected `int`, got `str`"),
        (lambda raw: raw["files"][0].update(kind="virus"), "kind of 'toy.tflite' is 'virus'"),
        (lambda raw: raw["graphs"]["forward"]["inputs"][0].update(shape=[1, 0]), "at least 1"),
    ],
)
def test_manifest_that_does_not_hold_together_is_refused(folder, change, message):
    edit(folder, change)
    with pytest.raises(BundleError, match=message):
        Bundle.open(folder)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b"null"])
def test_manifest_that_is_not_an_object_is_refused(folder, data):
    (folder / "manifest.json").write_bytes(data)
    with pytest.raises(BundleError, match=r"toy\.edgekit/manifest\.json"):
        Bundle.open(folder)


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.write_bytes(b"x")])
def test_what_is_not_a_bundle_says_how_to_make_one(tmp_path, make):
    make(tmp_path / "b")
    with pytest.raises(BundleError, match=r"is not a bundle .* make one with: edgekit export"):
        Bundle.open(tmp_path / "b")


# --- whole or not at all -----------------------------------------------------------------------


def write_and_fail(path, error, *, overwrite=False):
    with new_bundle(path, overwrite=overwrite) as writer:
        writer.add("toy.tflite", b"new", "model")
        raise error


def test_exception_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(tmp_path / "b.edgekit", KeyboardInterrupt)
    assert names(tmp_path) == []


def test_bundle_without_manifest_is_never_made(tmp_path):
    with pytest.raises(BundleError, match="was not finished"), new_bundle(tmp_path / "b.edgekit") as writer:
        writer.add("toy.tflite", MODEL, "model")
    assert names(tmp_path) == []


def test_bundle_that_could_not_be_opened_is_never_made(tmp_path):
    with pytest.raises(BundleError, match="does not list it"), new_bundle(tmp_path / "b.edgekit") as writer:
        writer.finish(manifest())
    assert names(tmp_path) == []


def test_existing_bundle_needs_overwrite(folder):
    with pytest.raises(BundleError, match="already there"), new_bundle(folder):
        raise AssertionError("must not be reached")


def test_overwrite_replaces_the_whole_bundle(folder, tmp_path):
    (folder / "stray").write_bytes(b"")
    with new_bundle(folder, overwrite=True) as writer:
        writer.add("toy.tflite", b"new", "model")
        writer.finish(manifest())
    assert Bundle.open(folder).file("toy.tflite").read_bytes() == b"new"
    assert names(folder) == ["manifest.json", "toy.tflite"]
    assert names(tmp_path) == ["toy.edgekit"]


def test_failed_overwrite_keeps_the_old_bundle(folder, tmp_path):
    with pytest.raises(RuntimeError):
        write_and_fail(folder, RuntimeError, overwrite=True)
    assert Bundle.open(folder).file("toy.tflite").read_bytes() == MODEL
    assert names(tmp_path) == ["toy.edgekit"]


def test_overwrite_of_a_damaged_or_newer_bundle_is_allowed(folder):
    edit(folder, lambda raw: raw.update(schema_version=99))
    with new_bundle(folder, overwrite=True) as writer:
        writer.add("toy.tflite", MODEL, "model")
        writer.finish(manifest())
    assert Bundle.open(folder).manifest.name == "toy"


@pytest.mark.parametrize("content", [None, b"not json", b'{"manifest_version": 3, "name": "an extension"}'])
def test_overwrite_never_replaces_another_folder(tmp_path, content):
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").write_bytes(b"")
    if content is not None:
        (other / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match="bundles only"), new_bundle(other, overwrite=True):
        raise AssertionError("must not be reached")
    assert (other / "precious").exists()


def test_missing_parent_is_refused(tmp_path):
    with pytest.raises(BundleError, match="make it first"), new_bundle(tmp_path / "no" / "b.edgekit"):
        raise AssertionError("must not be reached")


def test_writer_refuses_one_name_for_two_files(tmp_path):
    writer = BundleWriter(tmp_path)
    writer.add("a", b"1", "model")
    with pytest.raises(ValueError, match="'a' is in the bundle already"):
        writer.add("a", b"2", "model")


def test_add_and_replace(folder):
    bundle = Bundle.open(folder).add("policies/local.json", b"old", "policy")
    bundle = bundle.add("policies/local.json", b"new", "policy")
    assert bundle == Bundle.open(folder)
    assert bundle.file("policies/local.json").read_bytes() == b"new"
    assert bundle.find("policy") == ["policies/local.json"]
    assert names(folder / "policies") == ["local.json"]


def test_add_keeps_what_others_added_meanwhile(folder):
    one, other = Bundle.open(folder), Bundle.open(folder)
    one.add("a.json", b"a", "policy")
    both = other.add("b.json", b"b", "policy")
    assert both.find("policy") == Bundle.open(folder).find("policy") == ["a.json", "b.json"]


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_crash_during_replace_leaves_a_bundle_that_opens(folder, monkeypatch, survived):
    bundle = Bundle.open(folder).add("policies/local.json", b"old", "policy")
    done = 0
    replace_file = os.replace

    def crash(*args):
        nonlocal done
        if done == survived:
            raise KeyboardInterrupt
        done += 1
        replace_file(*args)

    monkeypatch.setattr(bundle_module.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        bundle.add("policies/local.json", b"new", "policy")
    monkeypatch.undo()
    after = Bundle.open(folder).file("policies/local.json").read_bytes()
    assert after == (b"new" if survived == 2 else b"old")


def test_write_atomic_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_atomic(path, b"old")

    def full(_fd):
        raise OSError("no space left on device")

    monkeypatch.setattr(bundle_module.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


# --- the manifest as JSON ----------------------------------------------------------------------

word = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 2**40)
plain_path = st.lists(st.text(string.ascii_letters + "-_", min_size=1), min_size=1, max_size=3).map("/".join)
sha256 = st.text("0123456789abcdef", min_size=64, max_size=64)
kind = st.sampled_from(["model", "labels", "policy"])
image = st.builds(
    ImageSpec,
    size=st.integers(1, 64),
    resize=st.integers(64, 99),
    mean=st.tuples(finite, finite, finite),
    std=st.tuples(*[st.floats(1e-3, 1e3)] * 3),
)
shape = st.lists(st.integers(1, 512), max_size=4).map(tuple)
tensors = st.lists(st.builds(TensorSpec, word, word, shape, st.none() | image), max_size=2).map(tuple)
fallback = st.lists(st.builds(FallbackOp, word, word, word, st.booleans()), max_size=2).map(tuple)
delegation = st.builds(Delegation, count, count, count, fallback)
parity = st.builds(Parity, finite, st.none() | finite, finite, count, word, st.none() | finite)


@st.composite
def manifests(draw):
    paths = draw(st.lists(plain_path, min_size=1, max_size=4, unique=True))
    files = tuple(FileEntry(path, draw(sha256), draw(count), draw(kind)) for path in paths)
    variant_names = draw(st.lists(word, min_size=1, max_size=3, unique=True))
    workload, report = st.none() | st.just(paths[-1]), st.none() | delegation
    variants = tuple(
        Variant(name, "litert", "fp32", paths[0], "g", draw(workload), draw(report), draw(st.none() | parity))
        for name in variant_names
    )
    return Manifest(
        name=draw(word),
        created_utc=draw(word),
        graphs={"g": Graph(draw(tensors), draw(tensors))},
        variants=variants,
        files=files,
        labels=draw(st.none() | st.just(paths[0])),
        source=draw(st.dictionaries(word, st.none() | word | finite | st.lists(count), max_size=3)),
        toolchain=draw(st.dictionaries(word, word, max_size=3)),
    )


@given(manifests())
def test_manifest_round_trips_through_json(made):
    assert Manifest.from_json(made.to_json(), "m") == made


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_otherwise(data):
    with pytest.raises(BundleError):
        Manifest.from_json(data, "m")


@pytest.mark.parametrize("figures", [{"max_abs": math.nan}, {"sqnr_db": math.inf}, {"tolerance": math.inf}])
def test_parity_figures_that_json_cannot_hold_are_refused(figures):
    good = {"max_abs": 0.0, "sqnr_db": None, "tolerance": 1e-4, "n_inputs": 1, "inputs": "noise"}
    with pytest.raises(ValueError, match="must be finite"):
        Parity(**(good | figures))


@pytest.mark.parametrize(
    "fields",
    [
        {"channels": 2},
        {"mean": (0.5,)},
        {"interpolation": "nearest"},
        {"std": (0.0, 1.0, 1.0)},
        {"size": 0},
        {"size": 300},
    ],
)
def test_impossible_image_spec_is_refused(fields):
    good = {"size": 224, "resize": 256, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    with pytest.raises(ValueError, match=r"channels|mean and std|interpolation|need std"):
        ImageSpec(**(good | fields))
