"""An archive of a toy site, as a registry would have it, and the index that names it."""

import hashlib
import io
import tarfile

from runtime.web.pages.corpus import Index, IndexedPage, Source

ARCHIVE = "toy-site-1.0.0.tgz"
FILES = {
    "package/package.json": b'{"name": "toy-site", "version": "1.0.0"}',
    "package/dist/a.html": b"<p>a",
    "package/dist/sub/b.html": b"<p>b",
    "package/dist/unlisted.html": b"<p>never measured",
    "package/dist/css/style.css": b"p {}",
    "package/src/a.html": b"<p>not of the site",
}


def write_archive(folder, files=FILES, extra=()):
    """Write the archive into ``folder``; ``extra``: further members of the tar file."""
    path = folder / ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in extra:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def index_of(archive, client="npm"):
    """Return an index with the toy site's two pages."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = Source("toy", client, "toy-site", "1.0.0", ARCHIVE, digest, 0.1, "package/dist")
    pages = (IndexedPage("toy", "a.html", "toy", 3.0), IndexedPage("toy", "sub/b.html", "toy", 4.0))
    return Index("Chrome/1", (source,), pages)
