"""``edgekit push`` to boards whose Python is not the host's: Ubuntu 22.04's, JetPack 5's, none."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from edgekit.push.machine import Machine
from edgekit.push.packages import missing_requirements
from edgekit.push.standalone import send_python
from runtime.errors import DataError, DeviceStableError
from runtime.measure.records import RecordLog
from runtime.targets import TargetName
from runtime.targets.ssh.target import reach
from tests.edgekit.push.board import bare, invoke, run_there, succeed, write_bundle
from tests.edgekit.push.index import skip_without_index

# What a small board has.
TOOLS = (
    *("awk", "cat", "cp", "cut", "df", "dirname", "du", "env", "find", "grep", "gzip", "head", "id", "kill"),
    *(
        "ln",
        "ls",
        "mkdir",
        "mv",
        "rm",
        "sed",
        "sh",
        "sha256sum",
        "stat",
        "sync",
        "tail",
        "tar",
        "touch",
        "tr",
    ),
    *("uname", "wc"),
)


def find_python(version):
    """Return a Python of that version on this machine, or skip."""
    kept = map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")))
    for program in filter(None, [*kept, shutil.which(f"python{version}")]):
        ask = [program, "-c", "import sys; print(sys.executable)"]
        asked = subprocess.run(ask, capture_output=True, text=True)
        if asked.returncode == 0:  # the names that pyenv leaves for what is not installed fail
            return asked.stdout.strip()
    pytest.skip(f"no Python {version} here")
    return None


@pytest.fixture
def board(tmp_path, monkeypatch):
    """Return a board that has the usual programs and one Python, called python3."""
    with open_board(tmp_path, monkeypatch, None) as phone:
        yield phone


def open_board(folder, monkeypatch, python):
    programs = folder / "programs"
    programs.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    if python is not None:
        (programs / "python3").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        (programs / "python3").chmod(0o755)
    # SHLVL keeps bash from reading the login's ~/.bashrc, which may change PATH again.
    return bare(folder, monkeypatch, {"PATH": str(programs), "SHLVL": "1"})


@pytest.fixture(scope="session")
def standalone(tmp_path_factory):
    """A folder with this machine's Python and its library, as python-build-standalone lays it out."""
    folder, version = tmp_path_factory.mktemp("standalone"), f"3.{sys.version_info[1]}"
    program = Path(sys.base_prefix) / f"bin/python{version}"
    library = Path(sys.base_prefix) / f"lib/python{version}"
    if not program.is_file() or not (library / "os.py").is_file():
        pytest.skip("this Python's files do not lie together")
    (folder / "bin").mkdir()
    shutil.copy(program, folder / "bin")
    skipped = shutil.ignore_patterns(
        "site-packages", "test", "__pycache__", "idlelib", "config-*", "dist-packages"
    )
    shutil.copytree(library, folder / "lib" / library.name, ignore=skipped, symlinks=True)
    return folder


def test_what_only_the_boards_python_needs_is_found(tmp_path):
    wheel = tmp_path / "toolkit-1-py3-none-any.whl"
    lines = [
        "tomli>=2; python_version < '3.11'",
        "numpy>=1.26; extra == 'litert'",
        "arm-only; platform_machine == 'aarch64'",
        "win-only; sys_platform == 'win32'",
        "ray; extra == 'lab'",
        "click",
    ]
    text = "Metadata-Version: 2.1\n" + "".join(f"Requires-Dist: {line}\n" for line in lines)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toolkit-1.dist-info/METADATA", f"{text}\nRequires-Dist: said in the description\n")
    wheels = [wheel, tmp_path / "click-8-py3-none-any.whl"]
    with zipfile.ZipFile(wheels[1], "w") as archive:
        archive.writestr("click-8.dist-info/METADATA", "Metadata-Version: 2.1\n\n")
    older = missing_requirements(wheels, ["litert"], Machine("python3", "3.10", "aarch64", "2.35"))
    assert older == ["tomli>=2", "numpy>=1.26", "arm-only"]
    assert missing_requirements(wheels, [], Machine("python3", "3.12", "x86_64", "2.35")) == []


def test_a_board_without_a_fitting_python_says_what_to_give_it(board, tmp_path):
    done = invoke("push", str(write_bundle(tmp_path, "litert")), "--target", "ssh:phone")
    assert done.exit_code == 1
    assert "has no Python 3.10 to 3.13 (" in done.stderr
    assert f"cpython-3.11.*-{os.uname().machine}-unknown-linux-gnu-install_only.tar.gz" in done.stderr
    assert "--python FILE" in done.stderr


def test_what_is_no_python_for_the_board_is_refused_before_it_is_sent(board, tmp_path):
    files = reach(TargetName.parse("ssh:phone"))

    def archive(name, data):
        (tmp_path / "program").write_bytes(data)
        with tarfile.open(tmp_path / "python.tar.gz", "w:gz") as tar:
            tar.add(tmp_path / "program", name)
        return tmp_path / "python.tar.gz"

    for data, message in (
        (b"\x7fELF" + bytes(14) + b"\xf3\0", "is for riscv64, ssh:phone is"),
        (b"#!/bin/sh\n", "is no program for Linux"),
    ):
        with pytest.raises((DataError, DeviceStableError), match=message):
            send_python(files, archive("python/bin/python3.11", data))
    with pytest.raises(DataError, match=r"holds no bin/python3.N; give an install_only"):
        send_python(files, archive("python/readme", b""))
    (tmp_path / "python.tar.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=r"is no .tar.gz that can be read"):
        send_python(files, tmp_path / "python.tar.gz")
    assert files.sent_bytes == 0


@pytest.mark.slow
def test_an_older_board_runs_what_is_pushed_on_its_own_python(runner, tmp_path, monkeypatch):
    skip_without_index(tmp_path)
    bundle = write_bundle(tmp_path, "litert", "executorch")
    with open_board(tmp_path, monkeypatch, find_python("3.10")) as phone:
        pushed = json.loads(
            succeed("push", str(bundle), "--target", "ssh:phone", "--offline", "--json").stdout
        )
        assert pushed["runtime"]["python"].startswith("Python 3.10 at /")
        assert "tomli" in {pin.partition("==")[0] for pin in pushed["runtime"]["packages"]}
        words = ("--target", "ssh:phone", "--runs", "3", "--blocks", "1", "--every", "8")
        succeed("bench", str(bundle), *words[:-2])
        succeed("bench", str(bundle), *words, "--variant", "executorch-fp32")
        succeed("tune", str(bundle), "--target", "ssh:phone", "--fps", "20")
        succeed("govern", str(bundle), "--target", "ssh:phone", "--frames", "5", "--meter", "none")
        done = run_there(phone, "run", phone.home / "bundles/small.edgekit", "--frames", "2")
        assert done.returncode == 0, done.stderr
        assert run_there(phone, "doctor").returncode == 0
    engines = {
        record.versions["engine"] for log in (bundle / "records").iterdir() for record in RecordLog(log)
    }
    assert len(engines) == 2


@pytest.mark.slow
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_python_is_brought_where_the_boards_own_is_too_old(standalone, tmp_path, monkeypatch, as_folder):
    skip_without_index(tmp_path)
    given = standalone
    if not as_folder:
        given = tmp_path / "cpython-install_only.tar.gz"
        with tarfile.open(given, "w:gz", compresslevel=1) as tar:
            tar.add(standalone, "python")
    bundle = write_bundle(tmp_path, "litert")
    words = ("push", str(bundle), "--target", "ssh:phone", "--offline", "--json")
    with open_board(tmp_path, monkeypatch, find_python("3.8")) as phone:
        assert "has no Python 3.10 to 3.13 (Python 3.8" in invoke(*words).stderr
        first = json.loads(succeed(*words, "--python", str(given)).stdout)
        assert f"{phone.home}/pythons/" in first["runtime"]["python"]
        again = json.loads(succeed(*words, "--python", str(given)).stdout)
        assert (again["runtime"]["was_there"], again["sent_bytes"]) == (True, 0)
        assert json.loads(succeed(*words).stdout)["runtime"][
            "was_there"
        ]  # it is found there without the option
        succeed("bench", str(bundle), "--target", "ssh:phone", "--runs", "3", "--blocks", "1", "--every", "8")
