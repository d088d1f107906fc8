"""Which worker runs ExecuTorch, where the runner is found, and what is said where there is none."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile

import pytest

from runtime.engines.native import Libraries, build_runner, find_runner, installed_libraries
from runtime.engines.native.build import find_compiler
from runtime.engines.native.libraries import NAMES, unpack_wheel
from runtime.engines.native.runner import open_runner, this_arch
from runtime.engines.worker_program import choose_worker
from runtime.errors import DeviceStableError, MissingExtra


@pytest.fixture
def only(monkeypatch, tmp_path):
    """A machine that has these packages only, and nothing in its cache."""
    find_spec = importlib.util.find_spec

    def limit(*packages):
        hidden = {"torch", "executorch", "edgekit_runner"} - set(packages)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in hidden else find_spec(name)
        )
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.delenv("EDGEKIT_EXECUTORCH", raising=False)
        monkeypatch.delenv("EDGEKIT_NATIVE_RUNNER", raising=False)

    return limit


def test_litert_is_always_in_python(monkeypatch):
    monkeypatch.setenv("EDGEKIT_EXECUTORCH", "native")
    assert choose_worker("litert").kind == "python"


def test_torch_decides_unless_somebody_asks(runner, only, monkeypatch):
    monkeypatch.setenv("EDGEKIT_NATIVE_RUNNER", str(runner.folder))
    only()
    monkeypatch.setenv("EDGEKIT_NATIVE_RUNNER", str(runner.folder))
    chosen = choose_worker("executorch")
    assert (chosen.kind, chosen.command) == ("native", (str(runner.program),))
    assert "torch and executorch not installed" in chosen.reason
    assert choose_worker("executorch", "python").kind == "python"
    monkeypatch.setenv("EDGEKIT_EXECUTORCH", "python")
    assert choose_worker("executorch").kind == "python"
    assert choose_worker("executorch", "native").kind == "native"


def test_torch_there_means_python(only):
    pytest.importorskip("torch")
    only("torch", "executorch")
    chosen = choose_worker("executorch")
    assert (chosen.kind, chosen.reason) == ("python", "torch is installed")


def test_neither_gives_the_pip_line(only):
    only()
    with pytest.raises(MissingExtra, match=r"torch or the native runner.*pip install -e '.*\[executorch\]'"):
        choose_worker("executorch")
    with pytest.raises(
        DeviceStableError, match="there is no native ExecuTorch runner: executorch is not inst"
    ):
        choose_worker("executorch", "native")


def test_another_word_is_refused(monkeypatch):
    monkeypatch.setenv("EDGEKIT_EXECUTORCH", "c++")
    with pytest.raises(ValueError, match="EDGEKIT_EXECUTORCH is native or python"):
        choose_worker("executorch")


def test_without_a_compiler_it_says_what_to_install(only, monkeypatch, tmp_path):
    pytest.importorskip("executorch")
    only("executorch")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    found = find_runner()
    assert found.runner is None
    assert "no g++ and no cmake; run: apt install g++ cmake" in found.reason
    with pytest.raises(DeviceStableError, match=r"no g\+\+-riscv64-linux-gnu"):
        find_compiler("riscv64")


def test_an_executorch_without_libraries_is_named(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "include").mkdir()
    with pytest.raises(
        DeviceStableError, match=r"executorch 1\.4\.1 in .* lacks libexecutorch\.so.*since 1\.5"
    ):
        Libraries(tmp_path, "1.4.1", "x86_64")
    wheel = tmp_path / "executorch-1.4.1-cp311-cp311-manylinux_2_28_aarch64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("executorch/include/x.h", "")
    with pytest.raises(DeviceStableError, match=r"lacks libexecutorch\.so"):
        unpack_wheel(wheel, tmp_path / "unpacked")
    wheel.write_bytes(b"no zip")
    with pytest.raises(DeviceStableError, match="download it again"):
        unpack_wheel(wheel, tmp_path / "unpacked")
    with pytest.raises(DeviceStableError, match="is not a wheel of executorch for Linux"):
        unpack_wheel(tmp_path / "torch-2.13.0-cp311-cp311-win_amd64.whl", tmp_path)


def test_a_runner_works_wherever_it_is_copied(runner, tmp_path, monkeypatch):
    copy = shutil.copytree(runner.folder, tmp_path / "there")
    done = subprocess.run([copy / "edgekit-runner", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"edgekit-runner, executorch {runner.executorch}\n"
    monkeypatch.setenv("EDGEKIT_NATIVE_RUNNER", str(copy))
    assert find_runner().runner.folder == copy
    assert {file.name for file in copy.iterdir()} == {*NAMES, "edgekit-runner", "runner.json"}
    assert runner.size_bytes < 20e6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'"{this_arch()}"', '"riscv64"', "is for riscv64, this machine is"),
        ('"sources":"', '"sources":"0', "built by another version of edgekit"),
        ('"executorch"', '"x"', "is not a native runner"),
    ],
)
def test_a_runner_that_does_not_fit_is_refused(runner, tmp_path, old, new, message):
    copy = shutil.copytree(runner.folder, tmp_path / "there")
    facts = copy / "runner.json"
    facts.write_text(facts.read_text().replace(old, new))
    with pytest.raises(DeviceStableError, match=message):
        open_runner(copy)


def test_a_folder_that_holds_none_is_refused(only, monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEKIT_NATIVE_RUNNER", str(tmp_path))
    with pytest.raises(DeviceStableError, match="is not a native runner"):
        find_runner()


def test_a_build_that_fails_shows_the_compilers_words(runner, monkeypatch, tmp_path):
    pytest.importorskip("executorch")
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(DeviceStableError, match=r"building the native runner failed: .*not able to compile"):
        build_runner(installed_libraries(), tmp_path)
    assert not list(tmp_path.glob("*/runner.json"))
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.slow
def test_two_builders_at_once_build_it_once(runner, tmp_path):
    pytest.importorskip("executorch")
    code = "from runtime.engines.native import *\n"
    code += "print(build_runner(installed_libraries()).program.stat().st_ino)"
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    workers = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    inodes = {worker.communicate()[0] for worker in workers}
    assert len(inodes) == 1
    assert inodes != {""}
