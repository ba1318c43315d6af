# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images copied between clouds, with their checksum."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, ImageSpec, Invalid, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._images import _fetched
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import copied, present
from ansible_collections.sky.clusters.tests.clouds.stratuslab.certificates import server_context
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions

CONTENT = b"the content of an image " * 4000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
PLAIN_SPEC = ImageSpec("", "")
Opened = Callable[..., StratusLabCloud]


@pytest.fixture
def memory(tmp_path: Path) -> MemoryCloud:
    return MemoryCloud("memory", MemoryOptions(str(tmp_path / "world")), Scope("a"))


def test_from_a_marketplace_to_another_cloud_and_back(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    identifier = site.publish(CONTENT).identifier
    lal = opened()
    done = copied(lal, memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert (done.changed, done.after["name"], done.after["checksum"], done.after["size"]) == (True, "copy", CHECKSUM, len(CONTENT))
    again = copied(lal, memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert not again.changed


def test_an_added_image_is_read_from_its_disk(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    lal, file = opened(), tmp_path / "file"
    file.write_bytes(CONTENT)
    with file.open("rb") as content:
        made = lal.add_image(ImageSpec("added", CHECKSUM), content)
    assert made.checksum == CHECKSUM
    done = copied(lal, memory, ("added", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == CHECKSUM
    lal.delete_image(made)


def test_an_image_that_was_added_as_a_compressed_file_is_copied_as_what_is_in_it(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    """On both sides the same file changes nothing a second time."""
    lal, file, content = opened(), tmp_path / "file.gz", b"added compressed " * 1000
    file.write_bytes(gzip.compress(content))
    packed = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    for changed in (True, False):
        done = present(lal, ImageSpec("packed", packed), lambda: file.open("rb"), False, False)  # noqa: FBT003
        assert (done.changed, done.after["checksum"]) == (changed, packed)
        done = copied(lal, memory, ("packed", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
        assert (done.changed, done.after["checksum"]) == (changed, f"sha256:{hashlib.sha256(content).hexdigest()}")


def test_a_compressed_image_on_the_web_is_read(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    """In two parts, as programs write it that compress side by side."""
    content = b"compressed " * 1000
    served = gzip.compress(content[:4000]) + gzip.compress(content[4000:])
    identifier = site.publish(content, served=served, known={"dcterms:compression": "gz"}).identifier
    done = copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_web_server_of_an_own_authority_is_believed(site: Site) -> None:
    """That of ca_file, as for the services."""
    content = b"behind TLS"

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is noted."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        server.socket = server_context(site._server, site.authority.file).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        location = f"https://127.0.0.1:{server.server_port}/image"
        try:
            found = b"".join(_fetched(location, str(site.authority.file)))
            with pytest.raises(CloudError, match=r"cannot be fetched: .*certificate verify failed"):
                list(_fetched(location, ""))
        finally:
            server.shutdown()
    assert found == content


def test_a_content_that_is_not_as_described_is_not_copied(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    identifier = site.publish(b"what is described", served=b"what is served!!!").identifier
    with pytest.raises(CloudError, match=rf"cloud lal: image {identifier}: its content has the SHA-1 [0-9a-f]+, not"):
        copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert [image.name for image in memory.images()] == ["debian-12", "debian-13"]


def test_an_image_that_is_not_there_is_named(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cloud lal: 0 images are called none, one is needed"):
        copied(opened(), memory, ("none", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    with pytest.raises(Invalid, match="a cloud of provider memory cannot give images back"):
        copied(memory, opened(), ("debian-12", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
