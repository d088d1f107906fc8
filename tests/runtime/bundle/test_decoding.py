"""Whatever is wrong with a document is one error of ours, with the file's name, wherever it is read."""

import os

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.search.placement.cost_table import load_costs
from edgekit.training.checkpoint import load_checkpoint
from runtime.bundle import Bundle
from runtime.bundle.decoding import decode_json, decode_toml, read_regular
from runtime.bundle.manifest import MANIFEST
from runtime.device.soc import load_profile
from runtime.errors import BundleError, CheckpointError, DataError, EdgekitError
from runtime.govern.governor.messages import decode_request
from runtime.measure.lab.state import read_states
from tests.runtime.phone import make_bundle

DEEP = b"[" * 100_000
BROKEN = {
    "deep": DEEP,
    "deep inside": b'{"x": ' + DEEP,
    "bad text": b'{"name": "\xff\xfe"}',
    "cut": b'{"name": ',
    "long number": b'{"schema_version": ' + b"9" * 6000 + b"}",
    "empty": b"",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_document_is_one_error_of_ours(data, tmp_path):
    with pytest.raises(DataError, match=r"^a\.json is broken \(.+\); make it again$"):
        decode_json(data, dict[str, str], where="a.json is broken", advice="make it again")
    for name in (MANIFEST, "checkpoint.json", "costs.json", "soc.toml", "state.json"):
        (tmp_path / name).write_bytes(data)
    for read in (
        lambda: Bundle.open(tmp_path),
        lambda: load_checkpoint(tmp_path),
        lambda: load_costs(tmp_path / "costs.json"),
        lambda: load_profile(str(tmp_path / "soc.toml")),
        lambda: read_states(tmp_path),
    ):
        with pytest.raises(EdgekitError) as error:
            read()
        assert str(error.value).count("\n") == 0
    with pytest.raises(ValueError, match="not a request"):
        decode_request(data)


@pytest.mark.parametrize(
    "text", [b"a = " + DEEP, b"a = \xff", b"a = " + b"9" * 6000, b"a = 2026-13-01", b"a ="]
)
def test_broken_toml_is_one_error_of_ours(text):
    with pytest.raises(DataError, match=r"^soc\.toml is broken \(.+\); mend it"):
        decode_toml(text, where="soc.toml is broken", advice="mend it")


def test_long_documents_are_refused_unread(tmp_path):
    with pytest.raises(DataError, match="has 9 bytes; at most 8 are read"):
        decode_json(b"123456789", where="a.json", advice="cut it", most_bytes=8)
    (tmp_path / "a").write_bytes(b"123456789")
    with pytest.raises(DataError, match="has 9 bytes; at most 8 are read"):
        read_regular(tmp_path / "a", advice="cut it", error=DataError, most_bytes=8)


def test_a_pipe_in_a_files_place_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "checkpoint.json")
    with pytest.raises(CheckpointError, match=r"is not a checkpoint|no regular file"):
        load_checkpoint(tmp_path)
    with pytest.raises(DataError, match="is no regular file"):
        read_regular(tmp_path / "checkpoint.json", advice="remove it", error=DataError)


def test_bad_text_in_a_bundle_is_a_damaged_file_and_not_a_usage_error(tmp_path):
    path = make_bundle(tmp_path).path / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"name"', b'"na\xffe"', 1))
    done = CliRunner().invoke(cli, ["inspect", str(path.parent)])
    assert done.exit_code == 1
    assert f"{path.parent.name}/{MANIFEST} is not valid JSON (it is not UTF-8 text" in done.stderr
    with pytest.raises(BundleError):
        Bundle.open(path.parent)
