"""Files that hold files or tensors, damaged inside: zip archives, numpy arrays, safetensors."""

from __future__ import annotations

import io
import random
import zipfile

from tests.benchmarks.fuzz.damage import damage_bytes
from tests.benchmarks.fuzz.documents import damage_json

_SHAPES = (b"(99999999999,)", b"(-1,)", b"(((((", b"(3,)", b"(0,)", b"()", b"[1]", b"(1 << 40,)")
_DTYPES = (b"|O8", b"<f8", b"<U9", b"|V9", b"<Zq", b"<M8[s]", b"|b1", b"<c16")
_BOMB = bytes(4 << 20)


def damage_npy(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return an array whose header lies, or whose bytes are damaged."""
    way = rng.randrange(3)
    if way == 0:
        begin = data.find(b"'shape': ") + len(b"'shape': ")
        end = data.find(b")", begin) + 1
        return data[:begin] + rng.choice(_SHAPES) + data[end:]
    if way == 1:
        begin = data.find(b"'descr': '") + len(b"'descr': '")
        end = data.find(b"'", begin)
        return data[:begin] + rng.choice(_DTYPES) + data[end:]
    return damage_bytes(data, rng)


def damage_zip(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return an archive with a member damaged, lost, doubled, renamed or grown without end."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = rng.randrange(len(members))
    name, inner = members[at]
    way = rng.random()
    if way < 0.7:
        members[at] = (name, _damage_member(name, inner, rng, paths))
    elif way < 0.8:
        members[at] = (rng.choice([*paths, "../x.npy", "x" * 300, "\x1b[2J", name.upper()]), inner)
    elif way < 0.85:
        members[at] = (name, inner + _BOMB)
    elif way < 0.95:
        del members[at]
    else:
        members.append((name, _damage_member(name, inner, rng, paths)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as archive:
        for written, content in members:
            archive.writestr(zipfile.ZipInfo(written.replace("\0", "")), content)
    return out.getvalue()


def damage_safetensors(data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    """Return tensors whose header was damaged and is as long as it says, or not."""
    size = int.from_bytes(data[:8], "little")
    header, rest = data[8 : 8 + size], data[8 + size :]
    if rng.random() < 0.2:
        return rng.choice([0, 2**63, 2**64 - 1, size + 1, len(data)]).to_bytes(8, "little") + data[8:]
    header = damage_json(header, rng, paths)
    return len(header).to_bytes(8, "little") + header + rest


def _damage_member(name: str, data: bytes, rng: random.Random, paths: tuple[str, ...]) -> bytes:
    if name.endswith(".json"):
        return damage_json(data, rng, paths)
    if name.endswith(".npy"):
        return damage_npy(data, rng, paths)
    return damage_bytes(data, rng)
