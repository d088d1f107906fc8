"""A devlib connection over ssh, made as ``ssh`` would make it.

devlib logs in with default keys and known_hosts only. People who work with boards keep addresses, ports,
users, keys and jump hosts in ``~/.ssh/config``; it is read by paramiko, which devlib stands on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError, MissingExtra
from runtime.extras import install_line, require
from runtime.targets.ssh.address import Address

_CONNECT_S = 20.0  # to reach it, to be greeted and to log in, each
_KEEPALIVE_S = 15  # three of them unanswered, 45 s, and the link is dead: see ``_keep_alive``


def connect(address: Address) -> Any:
    """Return a devlib ``SshConnection`` to ``address``.

    ``~/.ssh/config`` (or the file that ``EDGEKIT_SSH_CONFIG`` names) gives what the address leaves
    out. A host whose key is not in known_hosts is refused, as ``ssh`` does with nobody to ask.

    Raises:
        MissingExtra: devlib is not installed.
        DeviceStableError: unknown or changed host key, or no key that the host accepts.
        DeviceTransientError: the host cannot be reached.
    """
    try:
        devlib = require("devlib.utils.ssh", "lab")
    except ModuleNotFoundError as err:  # it imports modules that Python 3.13 no longer has
        raise MissingExtra(
            f"devlib does not import here ({err}); use edgekit on Python 3.11 or 3.12, and run there: "
            f"{install_line('lab')}"
        ) from err
    paramiko = require("paramiko", "lab")
    config = _read_config(paramiko, address)
    where = f"{config['user']}@{config['hostname']}:{config['port']}"

    class Connection(devlib.SshConnection):  # type: ignore[name-defined]
        """devlib's, with the login above."""

        def _make_client(self) -> Any:
            return _log_in(paramiko, address, config)

    try:
        return Connection(host=config["hostname"], username=config["user"], port=int(config["port"]))
    except DeviceError:
        raise
    except paramiko.BadHostKeyException as err:
        raise DeviceStableError(
            f"the host key of {where} has changed ({_fingerprint(err.key)}): it was set up anew, or another "
            f"machine answers; if you know why, forget the old one: ssh-keygen -R '{_known_name(config)}'"
        ) from err
    except paramiko.AuthenticationException as err:
        raise DeviceStableError(
            f"{where} does not let us in ({err}); put your key there with ssh-copy-id, or name it as "
            "IdentityFile in ~/.ssh/config"
        ) from err
    except (OSError, EOFError, paramiko.SSHException) as err:
        cause = getattr(err, "strerror", None) or err  # paramiko's own has no number, and would print that
        raise DeviceTransientError(
            f"{where} cannot be reached ({cause}); is it on, and does `ssh` reach it?"
        ) from err


def _read_config(paramiko: Any, address: Address) -> dict[str, Any]:
    path = Path(os.environ.get("EDGEKIT_SSH_CONFIG") or Path.home() / ".ssh/config")
    config = paramiko.SSHConfig.from_path(str(path)) if path.is_file() else paramiko.SSHConfig()
    found: dict[str, Any] = dict(config.lookup(address.host))
    found["user"] = address.user or found.get("user") or os.environ.get("USER") or "root"
    found["port"] = str(address.port or found.get("port") or 22)
    return found


def _log_in(paramiko: Any, address: Address, config: Mapping[str, Any]) -> Any:
    client = paramiko.SSHClient()
    known = str(config.get("userknownhostsfile", "~/.ssh/known_hosts")).split()
    for name in ("/etc/ssh/ssh_known_hosts", *known):
        path = Path(name).expanduser()
        if path.is_file():
            client.load_system_host_keys(str(path))
    strictness = str(config.get("stricthostkeychecking", "yes")).lower()

    class Policy(paramiko.MissingHostKeyPolicy):
        """Refuse an unknown host, or note it where the user's config says so."""

        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            if strictness not in ("no", "off", "accept-new"):
                raise DeviceStableError(
                    f"the host key of {hostname} ({_fingerprint(key)}) is not in {' or '.join(known)}; "
                    f"connect once with `ssh {address.host}`, compare the key and accept it"
                )

    client.set_missing_host_key_policy(Policy())
    client.connect(
        config["hostname"],
        port=int(config["port"]),
        username=config["user"],
        key_filename=[str(Path(name).expanduser()) for name in config.get("identityfile", [])] or None,
        allow_agent=str(config.get("identitiesonly", "no")).lower() != "yes",
        timeout=_CONNECT_S,
        banner_timeout=_CONNECT_S,
        auth_timeout=_CONNECT_S,
        sock=_proxy(paramiko, config),
    )
    _keep_alive(client.get_transport())
    return client


def _proxy(paramiko: Any, config: Mapping[str, Any]) -> Any:
    command = config.get("proxycommand")
    if command is None and str(config.get("proxyjump", "none")).lower() != "none":
        command = f"ssh -W [{config['hostname']}]:{config['port']} {config['proxyjump']}"
    return None if command is None else paramiko.ProxyCommand(command)


def _keep_alive(transport: Any) -> None:
    """Have a link that died without a word end within a minute, instead of never."""
    transport.set_keepalive(_KEEPALIVE_S)
    if isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3 * _KEEPALIVE_S * 1000)


def _fingerprint(key: Any) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def _known_name(config: Mapping[str, Any]) -> str:
    return config["hostname"] if config["port"] == "22" else f"[{config['hostname']}]:{config['port']}"
