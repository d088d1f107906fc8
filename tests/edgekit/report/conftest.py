"""Bundles for the report's tests."""

import shutil

import pytest

from runtime.bundle import Bundle
from tests.edgekit.report.tuned_bundle import add_fit, bench, tune, write_bundle


@pytest.fixture
def make_bundle(tmp_path):
    """Return a function that writes an untuned bundle."""
    return lambda **parts: write_bundle(tmp_path / "digits.edgekit", **parts)


@pytest.fixture(scope="session")
def tuned_once(tmp_path_factory):
    """Return a bundle after bench, fit and tune; for reading and copying only."""
    bundle = add_fit(write_bundle(tmp_path_factory.mktemp("report") / "digits.edgekit"))
    return tune(bundle, bench(bundle))


@pytest.fixture
def tuned(tuned_once, tmp_path):
    """Return a bundle after bench, fit and tune."""
    return Bundle.open(shutil.copytree(tuned_once.path, tmp_path / "digits.edgekit"))
