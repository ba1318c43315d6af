# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""spark_info with the page of a master of Spark 4."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page
from ansible_collections.sky.clusters.plugins.modules.spark_info import url, view

PAGE = b"""
{"url": "spark://10.0.0.4:7077", "aliveworkers": 1, "cores": 1, "coresused": 1, "memory": 512, "memoryused": 512, "completedapps": [],
 "workers": [
  {"id": "worker-1", "host": "10.0.0.5", "port": 7078, "webuiaddress": "http://10.0.0.5:8081", "cores": 1, "coresused": 1, "coresfree": 0,
   "memory": 512, "memoryused": 512, "memoryfree": 0, "resources": {}, "state": "ALIVE", "lastheartbeat": 1},
  {"id": "worker-0", "host": "10.0.0.6", "port": 7078, "webuiaddress": "http://10.0.0.6:8081", "cores": 1, "coresused": 0, "coresfree": 1,
   "memory": 512, "memoryused": 0, "memoryfree": 512, "resources": {}, "state": "DEAD", "lastheartbeat": 1}],
 "activeapps": [{"id": "app-1", "starttime": 1795233600000, "name": "etl", "cores": 1, "user": "sky", "memoryperexecutor": 512,
   "submitdate": "Sat", "state": "RUNNING", "duration": 5}],
 "status": "ALIVE"}
"""


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that gives this answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("served", [PAGE], indirect=True)
def test_the_page_in_the_form_that_all_systems_share(served: str) -> None:
    page = _spark_page.read(served)
    assert page is not None
    assert list(_spark_page.alive(page)) == ["10.0.0.5"]
    assert view(page) == {
        "answers": True,
        "members": [
            {"address": "10.0.0.5", "state": "ALIVE", "at_work": True, "busy": True, "detail": "1 of 1 cores"},
            {"address": "10.0.0.6", "state": "DEAD", "at_work": False, "busy": False, "detail": "0 of 1 cores"},
        ],
        "work": [{"id": "app-1", "name": "etl", "user": "sky", "state": "RUNNING", "size": "1 core(s)", "since": "2026-11-21T04:00:00+00:00"}],
        "facts": {"master": "ALIVE", "cores": 1, "cores in use": 1, "memory MiB": 512, "memory MiB in use": 512},
    }


def test_a_master_that_is_recovering_does_not_answer_yet() -> None:
    found = view(json.loads(PAGE) | {"status": "RECOVERING"})
    assert (found["answers"], found["facts"]["master"], len(found["members"])) == (False, "RECOVERING", 2)


@pytest.mark.parametrize("served", [b"<html>", b"[]", b""], indirect=True)
def test_a_page_without_json_is_no_answer(served: str) -> None:
    assert _spark_page.read(served) is None


def test_a_server_without_http_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert _spark_page.read(f"http://127.0.0.1:{server.getsockname()[1]}") is None


def test_a_closed_port_is_no_answer() -> None:
    assert _spark_page.read("http://127.0.0.1:1") is None


@pytest.mark.parametrize(
    "page", [{}, {"status": "ok"}, {"status": "ALIVE", "workers": [{"name": "x"}], "activeapps": []}, {"status": 1, "workers": 2}]
)
def test_the_page_of_another_program_is_no_answer(page: dict[str, Any]) -> None:
    assert view(page) == {"answers": False, "members": [], "work": [], "facts": {}}


@pytest.mark.parametrize("served", [PAGE], indirect=True)
def test_a_proxy_of_the_environment_is_not_used(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert _spark_page.read(served) is not None


def test_addresses_of_both_families() -> None:
    assert (url("10.0.0.4", 8080), url("fd00::4", 8080)) == ("http://10.0.0.4:8080", "http://[fd00::4]:8080")
