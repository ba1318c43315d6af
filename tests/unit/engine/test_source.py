# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are fetched, or read where they are: as their checksum says, or not at all."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError
from ansible_collections.sky.clusters.plugins.module_utils._engine._source import check, opened

CONTENT = b"an image" * 400_000  # more than one part
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """``/whole`` is the file, ``/cut`` ends early, anything else is not there."""

    def do_GET(self) -> None:
        if self.path not in ("/whole", "/cut"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[:100_000])

    def log_message(self, format: str, *args: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://ada:secret@127.0.0.1:{served.server_port}"
        served.shutdown()


def read(source: str, folder: Path, checksum: str = CHECKSUM) -> bytes:
    with opened(source, checksum, str(folder)) as file:
        assert os.listdir(folder) == []  # it has no name: a kill leaves nothing
        assert Path(f"/proc/{os.getpid()}/fd/{file.fileno()}").read_bytes() == CONTENT  # as another process finds it
        return file.read()


def test_a_file_is_fetched(server: str, tmp_path: Path) -> None:
    assert read(f"{server}/whole", tmp_path) == CONTENT
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing", "cannot be fetched: 404 Not Found"),
        ("/cut", f"ended after 100000 of {len(CONTENT)} bytes: run again"),
    ],
)
def test_why_a_file_cannot_be_fetched_is_one_sentence_without_the_password(server: str, tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(CloudError) as error:
        read(server + path, tmp_path)
    assert str(error.value) == f"source: {server.replace('ada:secret@', '')}{path} {said}"


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match=r"^source: http://127.0.0.1:1/x cannot be fetched: .*refused"):
        read("http://127.0.0.1:1/x", tmp_path)


def test_a_file_with_another_checksum_is_refused(server: str, tmp_path: Path) -> None:
    wrong = f"sha256:{'0' * 64}"
    (tmp_path / "image").write_bytes(CONTENT)
    for source in (f"{server}/whole", str(tmp_path / "image")):
        with pytest.raises(CloudError, match=f"{CHECKSUM}, not {wrong}"), opened(source, wrong, str(tmp_path)):
            pass
    assert os.listdir(tmp_path) == ["image"]


def test_files_of_this_machine_are_read_where_they_are(tmp_path: Path) -> None:
    place = tmp_path / "an image.raw"
    place.write_bytes(CONTENT)
    (tmp_path / "empty").mkdir()
    for source in (str(place), f"file://{tmp_path}/an%20image.raw"):
        assert read(source, tmp_path / "empty") == CONTENT


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/no/such/file", "source: there is no file /no/such/file on this machine"),
        ("file:///no/such/file", "source: there is no file /no/such/file on this machine"),
        ("ftp://there/x", "source: ftp://there/x is neither a path nor an http, https or file URL"),
        ("/tmp", "source: there is no file /tmp on this machine"),
    ],
)
def test_what_can_be_no_source_is_known_before(source: str, said: str) -> None:
    with pytest.raises(CloudError) as error:
        check(source)
    assert str(error.value) == said
