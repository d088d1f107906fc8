"""A profile is kept in its bundle, and never shown for another file than the one it is of."""

from dataclasses import replace

import pytest

from runtime.bundle import Bundle
from runtime.errors import BundleError, DataError
from runtime.measure.profiling.kept import keep_profile, load_profiles
from runtime.measure.profiling.profile import OpTime, Profile
from tests.runtime.phone import make_bundle

CONV = OpTime("Convolution", "conv2d", "stem", 0, 1.5, 1.5, 0.75, "XNNPACK profiler", 9, 9, 0.0, 1.5)
PROFILE = Profile("litert-fp32", "litert", "ai-edge-litert 2.3.0", 1, 4, 1.9, 2.0, (CONV,), 2.0)


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path)


def test_the_newest_profile_of_each_target_comes_back(bundle):
    keep_profile(bundle, PROFILE)
    keep_profile(bundle, replace(PROFILE, threads=2))
    keep_profile(bundle, replace(PROFILE, target="ssh:pi@board"))
    (kept,) = load_profiles(Bundle.open(bundle.path), "local")
    assert kept.profile == replace(PROFILE, threads=2)
    assert load_profiles(bundle, "ssh:pi@board")[0].profile.target == "ssh:pi@board"
    assert load_profiles(bundle, "virtual:gs101") == []


def test_a_profile_of_an_earlier_export_is_left_out(bundle):
    keep_profile(bundle, PROFILE)
    (file,) = (entry for entry in bundle.manifest.files if entry.kind == "model")
    again = replace(bundle.manifest, files=(replace(file, sha256="0" * 64),))
    assert load_profiles(replace(bundle, manifest=again), "local") == []


def test_a_damaged_profile_is_named(bundle):
    keep_profile(bundle, PROFILE).write_text("{}")
    with pytest.raises(BundleError, match=r"local\.litert-fp32\.json does not fit its schema"):
        load_profiles(bundle, "local")


def test_a_bundle_that_cannot_be_written_says_what_to_do(bundle):
    (bundle.path / "profiles").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written .*; copy the bundle to where you may write"):
        keep_profile(bundle, PROFILE)
