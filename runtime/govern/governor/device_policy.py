"""A policy of a bundle, brought to the device that has the bundle before the device is governed by it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from runtime.bundle import Bundle, Manifest
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.names import policy_path
from runtime.choose.policy.policy import Policy
from runtime.errors import DeviceStableError
from runtime.flow.frames import sha256_of
from runtime.targets.ssh.device_bundle import folder_of, send_manifest
from runtime.targets.ssh.device_files import DeviceFiles


def bring_policy(files: DeviceFiles, bundle: Bundle, policy: Policy) -> str:
    """Return the bundle's folder on the device, after a policy of the bundle was brought there.

    A policy is made on the host, from what the device measured; the device has the bundle as it was pushed.

    Raises:
        DeviceStableError: the bundle, or this export of it, was not pushed to the device.
    """
    folder, name = folder_of(files, bundle), bundle.manifest.name
    push = f"put it there: edgekit push {bundle.path} --target {files.where}"
    text = files.shell(f"cat {shlex.quote(f'{folder}/{MANIFEST}')} 2>/dev/null || true")
    if not text.strip():
        raise DeviceStableError(f"{files.where} has no bundle {name!r} in {files.home}/bundles; {push}")
    remote = Manifest.from_json(text.encode(), f"{MANIFEST} of {name} on {files.where}")
    if sha256_of(Bundle(Path(folder), remote), policy.variant) != policy.model_sha256:
        raise DeviceStableError(f"{files.where} has another export of {name!r}; {push}")
    path = policy_path(policy.target)
    [entry] = (entry for entry in bundle.manifest.files if entry.path == path)
    if entry in remote.files:
        return folder
    files.verify([entry.sha256])
    remote_policy = files.send(bundle.file(path), entry.sha256)
    kept = tuple(known for known in remote.files if known.path != path)
    remote_manifest = send_manifest(files, replace(remote, files=(*kept, entry)))
    _install(files, folder, {path: remote_policy, MANIFEST: remote_manifest})
    return folder


def _install(files: DeviceFiles, folder: str, places: dict[str, str]) -> None:
    """Put objects into a bundle's folder, each whole or not at all; the last one comes last."""
    lines = ["set -e", f"cd {shlex.quote(folder)}"]
    for path, place in places.items():
        lines.append(f"mkdir -p $(dirname {shlex.quote(path)})")
        lines.append(f"cp {shlex.quote(place)} {shlex.quote(f'{path}.new')}")
    lines += [f"mv {shlex.quote(f'{path}.new')} {shlex.quote(path)}" for path in places]
    files.shell("\n".join(lines))
