# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images copied between clouds, with their checksum."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import random
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, ImageSpec, Invalid, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._download import fetched
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._options import Policy
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


def test_an_image_that_is_compressed_by_bzip2_is_read(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    content = b"compressed by another program " * 1000
    served = bz2.compress(content[:4000]) + bz2.compress(content[4000:])
    identifier = site.publish(content, served=served, known={"dcterms:compression": "bz2"}).identifier
    done = copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_file_that_is_compressed_by_bzip2_is_added_as_what_is_in_it(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    lal, file, content = opened(), tmp_path / "file.bz2", b"added compressed by bzip2 " * 1000
    file.write_bytes(bz2.compress(content))
    packed = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    present(lal, ImageSpec("bzipped", packed), lambda: file.open("rb"), False, False)  # noqa: FBT003
    done = copied(lal, memory, ("bzipped", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip, cut": (lambda content: gzip.compress(content)[:-20], "the compressed content ends too early"),
    "gzip, damaged": (lambda content: gzip.compress(content)[:40] + b"x" * 40, r"the compressed content is damaged \(Error -3 .*\)"),
    "gzip, and something after it": (lambda content: gzip.compress(content) + b"x" * 40, r"the compressed content is damaged \(Error -3 .*\)"),
    "bzip2, cut": (lambda content: bz2.compress(content)[:-20], "the compressed content ends too early"),
    "bzip2, damaged": (lambda content: bz2.compress(content)[:20] + b"x" * 40, r"the compressed content is damaged \(Invalid data stream\)"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_compressed_content_that_is_damaged_is_reported(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path, name: str) -> None:
    change, reason = DAMAGED[name]
    content = bytes(random.Random(name).choices(b"abcd", k=5000))
    identifier = site.publish(content, served=change(content)).identifier
    with pytest.raises(CloudError, match=rf"^cloud lal: image {identifier}: its content cannot be read: {reason}$"):
        copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    file = tmp_path / "damaged"
    file.write_bytes(change(content))
    spec = ImageSpec("damaged", f"sha256:{hashlib.sha256(change(content)).hexdigest()}")
    with pytest.raises(Invalid, match=rf"^cloud lal: image damaged: the file cannot be read: {reason}$"):
        present(opened(), spec, lambda: file.open("rb"), False, False)  # noqa: FBT003


def test_an_image_that_two_people_endorse_is_one(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    content = b"endorsed twice"
    identifier = site.publish(content, known={"dcterms:title": "of jane"}).identifier
    time.sleep(1.1)  # dates are whole seconds
    eve = site.authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve@example.org")
    site.publish(content, signer=eve, known={"dcterms:title": "of eve"})
    (found,) = [image for image in opened().images() if image.name == identifier]
    assert (found.properties["endorser"], found.properties["title"]) == ("eve@example.org", "of eve")
    done = copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    mine = opened(policy=Policy(deny_endorsers=("eve@example.org",)))
    (found,) = [image for image in mine.images() if image.name == identifier]
    assert found.properties["title"] == "of jane"


def test_an_added_image_is_read_by_its_identifier_too(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    lal, file, content = opened(), tmp_path / "file", b"named twice"
    file.write_bytes(content)
    made = present(lal, ImageSpec("mine", f"sha256:{hashlib.sha256(content).hexdigest()}"), lambda: file.open("rb"), False, False)  # noqa: FBT003
    identifier, _slash, _rest = made.after["id"].partition("/")
    for name in (identifier, made.after["id"]):
        done = copied(lal, memory, (name, f"copy{len(name)}"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
        assert done.after["checksum"] == made.after["checksum"]
    site.publish(content, signer=site.authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve@example.org"))
    assert copied(lal, memory, (identifier, "more"), PLAIN_SPEC, str(tmp_path), False, False).changed  # noqa: FBT003


def test_a_location_that_does_not_answer_is_passed_over(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    content = b"at several places " * 100
    dead = ("http://127.0.0.1:9/dead", "ftp://127.0.0.1/dead", f"{site.base}/pdisk/disks/{uuid.uuid4()}")
    identifier = site.publish(content, before=dead).identifier
    done = copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    del site.contents[f"{identifier}.img"]
    with pytest.raises(CloudError, match=r"Connection refused.*; images at ftp.* cannot be read: .*; pdisk GET .* does not exist.*; .*404"):
        copied(opened(), memory, (identifier, "other"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003


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
            found = b"".join(fetched(location, str(site.authority.file)))
            with pytest.raises(CloudError, match=r"cannot be fetched: .*certificate verify failed"):
                list(fetched(location, ""))
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
