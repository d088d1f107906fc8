"""A real sshd on loopback, with keys and a configuration of its own: a device to log in to."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.places import ROOT
from tests.runtime.fake_device import Device, environment, make_device

SSHD = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")


def skip_without_sshd():
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("sshd is not installed (Debian: apt install openssh-server)")
    pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it separates its privileges


@dataclass(frozen=True)
class Phone(Device):
    """A device behind an sshd."""

    target: str
    home: Path  # of edgekit, on the device
    config: Path  # of ssh, on the host
    folder: Path
    process: subprocess.Popen

    def kill_sessions(self):
        """Kill the processes of sshd that serve logins; the one that listens stays."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if "sshd" in child.name():
                    child.kill()


def start_sshd(
    folder, wrapper=(), with_runtime=True, root=None, variables=None, sftp="Subsystem sftp internal-sftp"
):
    """Start sshd for the device in ``folder``; ``wrapper`` runs it inside something.

    ``variables`` are in the environment of whoever logs in; ``sftp`` is a line of its configuration.
    """
    skip_without_sshd()
    device = make_device(folder)
    home = folder / "home"
    if with_runtime:
        python = home / "runtime/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    for name in ("host_key", "user_key"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(keygen, check=True)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = {key: environment(device)[key] for key in ("XDG_STATE_HOME", "PYTHONPATH", "EDGEKIT_ROOT")}
    if root is not None:
        ours["EDGEKIT_ROOT"] = str(root)
    if not with_runtime:
        del ours["PYTHONPATH"]
    ours = ours | {"EDGEKIT_HOME": str(home)} | (variables or {})
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        f"PasswordAuthentication no\n{sftp}\n"
        f"SetEnv {' '.join(f'{key}={value}' for key, value in ours.items())}\n"
    )
    public = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    config = folder / "ssh_config"
    config.write_text(
        f"Host phone\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"Host phone 127.0.0.1\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n"
    )
    with (folder / "sshd.log").open("wb") as log:
        command = [*wrapper, SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        if process.poll() is not None:
            break
        time.sleep(0.02)
    else:
        process.kill()
    if process.poll() is not None:
        pytest.skip(f"sshd does not run here: {(folder / 'sshd.log').read_text()[-300:]}")
    return Phone(device.root, device.state, "ssh:phone", home, config, folder, process)


def stop(phone):
    phone.kill_sessions()
    phone.process.terminate()
    phone.process.wait(10)
