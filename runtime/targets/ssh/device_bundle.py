"""A bundle's own folder on a device reached over ssh, as ``edgekit push`` lays it out."""

from __future__ import annotations

from runtime.bundle import SUFFIX, Bundle, Manifest
from runtime.bundle.digest import file_sha256
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.names import slug
from runtime.bundle.staging import staging_folder
from runtime.targets.ssh.device_files import DeviceFiles


def folder_of(files: DeviceFiles, bundle: Bundle) -> str:
    """Return where the bundle lies on the device, or would."""
    return f"{files.home}/bundles/{slug(bundle.manifest.name)}{SUFFIX}"


def send_manifest(files: DeviceFiles, manifest: Manifest) -> str:
    """Return where a manifest lies on the device, after sending it."""
    with staging_folder() as temporary:
        file = temporary / MANIFEST
        file.write_bytes(manifest.to_json())
        return files.send(file, file_sha256(file))
