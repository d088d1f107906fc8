"""Models that several tests of the device side run."""

import importlib.util

import pytest

from tests.places import DATA


@pytest.fixture(scope="session")
def tflite(tmp_path_factory):
    """A .tflite file that returns twice its input of shape (1, 8, 8, 4)."""
    from tests.runtime.tflite_builder import write_doubling_conv

    return write_doubling_conv(tmp_path_factory.mktemp("tflite") / "double.tflite")


@pytest.fixture(scope="session")
def pte():
    """A .pte file: see data/make_sum_pte.py."""
    if importlib.util.find_spec("executorch") is None:
        pytest.skip("executorch is not installed")
    return DATA / "sum.pte"


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """A device behind a real sshd on loopback."""
    from tests.runtime.sshd import start_sshd, stop

    phone = start_sshd(tmp_path)
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(phone.config))
    yield phone
    stop(phone)
