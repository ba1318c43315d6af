# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file from another node: whole and verified, or not there."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.modules.artifact_fetch import FetchError, fetch, is_whole

CONTENT = bytes(range(256)) * 20_000  # some blocks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2 if self.path == "/cut" else None])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_is_fetched_and_verified(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody listens there
    dest = tmp_path / "file"
    dest.write_text("an old copy")
    assert not is_whole(dest, SHA256)
    fetch(f"{url}/file", dest, SHA256, 5)
    assert is_whole(dest, SHA256)
    assert dest.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [dest]


@pytest.mark.parametrize(
    ("path", "sha256", "why"),
    [
        ("/file", "0" * 64, f"has SHA-256 {SHA256} instead of {'0' * 64}"),
        ("/cut", SHA256, "cannot be fetched|instead of"),
        ("/missing", SHA256, "cannot be fetched: HTTP Error 404"),
    ],
)
def test_one_that_is_not_right_is_refused_and_leaves_nothing(tmp_path: Path, url: str, path: str, sha256: str, why: str) -> None:
    with pytest.raises(FetchError, match=why):
        fetch(f"{url}{path}", tmp_path / "file", sha256, 5)
    assert list(tmp_path.iterdir()) == []
