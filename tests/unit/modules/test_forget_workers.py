# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""forget-workers.py, as it runs before a master: real files, real pages."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/spark_master/files/forget-workers.py"
STANDS = "worker-20261121040000-127.0.0.1-7078"
FORMER = "worker-20261120040000-127.0.0.1-7078"  # of an earlier process at the same address
GONE = "worker-20261120040000-127.0.0.9-7078"  # nothing listens there


@pytest.fixture
def port() -> Iterator[int]:
    """The port of the page of the existing worker."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"id": STANDS}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def forget(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(folder), str(port)], capture_output=True, text=True, check=True)


def test_existing_workers_and_all_applications_are_remembered(tmp_path: Path, port: int) -> None:
    for name in (f"worker_{STANDS}", f"worker_{FORMER}", f"worker_{GONE}", "app_app-20261121040000-0000", "driver_driver-1"):
        (tmp_path / name).write_text("state")
    done = forget(tmp_path, port)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app_app-20261121040000-0000", "driver_driver-1", f"worker_{STANDS}"]
    assert (FORMER in done.stdout, GONE in done.stdout, STANDS in done.stdout) == (True, True, False)


def test_the_page_is_where_the_worker_said(tmp_path: Path, port: int) -> None:
    """A pool may have a port of its own, and a new port is that of no worker that runs."""
    record = b"\xac\xed\x00\x05sr\x00%%org.apache.spark.deploy.master.WorkerInfo\x00\x08t\x00\x16http://127.0.0.1:%dt\x00\x09worker-20"
    (tmp_path / f"worker_{STANDS}").write_bytes(record % port)
    assert forget(tmp_path, 9).stdout == ""
    (tmp_path / f"worker_{FORMER}").write_bytes(record % port)
    assert forget(tmp_path, 9).stdout == f"forgot {FORMER}, which no longer exists\n"


def test_a_worker_that_is_slow_exists(tmp_path: Path) -> None:
    (tmp_path / f"worker_{STANDS}").write_text("state")
    script = SCRIPT.read_text().replace("SECONDS = 10", "SECONDS = 0.5")
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        subprocess.run([sys.executable, "-c", script, str(tmp_path), str(silent.getsockname()[1])], check=True)
    assert (tmp_path / f"worker_{STANDS}").exists()


def test_a_master_without_saved_state_starts(tmp_path: Path, port: int) -> None:
    assert forget(tmp_path, port).stdout == ""
