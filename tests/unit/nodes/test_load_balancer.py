# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer on its node. Its answers are those of HAProxy 2.6."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _load_balancer
from ansible_collections.sky.clusters.plugins.module_utils._nodes._load_balancer import (
    ask,
    carried_over,
    config,
    listens,
    members,
    servers,
    taken,
    wanted_servers,
)
from ansible_collections.sky.clusters.plugins.modules import load_balancer, load_balancer_info

HTTP = {"port": 80, "nodes": "demo-web-", "target": 8080, "mode": "leastconn", "protocol": "http", "check": "/health"}
TCP = {"port": 5432, "nodes": "demo-db-", "target": 5432, "mode": "source", "protocol": "tcp", "check": ""}
ADDRESSES = {"demo-web-10": "10.0.0.9", "demo-web-2": "10.0.0.4", "demo-web-x-0": "10.0.0.6", "demo-db-0": "fd00::5", "demo-front-0": "10.0.0.2"}
STATISTICS = """\
# pxname,svname,qcur,scur,status,check_status,addr,type,last_chk,
port80,FRONTEND,,3,OPEN,,,0,,
port80,demo-web-2,0,2,UP,L7OK,10.0.0.4:8080,2,Layer7 check passed,
port80,demo-web-10,0,,DOWN,L4CON,10.0.0.9:8080,2,Layer4 connection problem,
port80,BACKEND,0,2,UP,,,1,,

"""
STATES = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_fqdn srv_port
2 port80 1 demo-web-2 10.0.0.4 0 0 - 8080
2 port80 2 demo-web-10 10.0.0.9 2 0 - 8080
2 port80 3 demo-web-3 10.0.0.7 0 0 - 8080
2 port80 4 demo-web-4 10.0.0.8 0 8 - 8080
2 port80 5 demo-web-5 10.0.0.8 0 0 - 8081
3 port5432 1 demo-db-0 fd00::5 0 0 - 5432

"""


def part(text: str, name: str) -> list[str]:
    """The lines of one part of a configuration."""
    return [line.strip() for line in text.split(f"listen {name}\n")[1].split("\nlisten", maxsplit=1)[0].splitlines() if line]


def test_the_nodes_of_a_pool_are_found_by_their_whole_names() -> None:
    assert list(members("demo-web-", ADDRESSES)) == ["demo-web-2", "demo-web-10"]


def test_the_configuration() -> None:
    text = config([HTTP, TCP], ADDRESSES, timeout=30, idle=600, ipv6=True)
    web, database = part(text, "port80"), part(text, "port5432")
    assert web[:3] == ["bind :::80 v4v6", "mode http", "balance leastconn"]
    assert web[-4:] == [
        "option httpchk GET /health", "http-check expect status 200-399", "server demo-web-2 10.0.0.4:8080", "server demo-web-10 10.0.0.9:8080",
    ]  # fmt: skip
    assert {"timeout server 30s", "timeout tunnel 600s", "option idle-close-on-response"} <= {*web}
    assert database == [
        "bind :::5432 v4v6", "mode tcp", "balance source", "hash-type consistent", "timeout client 600s", "timeout server 600s",
        "server demo-db-0 [fd00::5]:5432",
    ]  # fmt: skip
    assert part(config([TCP], {}, timeout=30, idle=600, ipv6=False), "port5432")[0] == "bind :5432"


def test_a_reload_cuts_no_connection_that_is_in_use() -> None:
    """A process that was replaced ends with its last connection, and an idle one is closed in every mode."""
    text = config([HTTP, TCP], ADDRESSES, timeout=30, idle=600, ipv6=True)
    assert "hard-stop-after" not in text
    assert {"timeout client 600s", "timeout server 600s"} <= {*part(text, "port5432")}
    assert {"timeout http-keep-alive 10s", "timeout client 30s", "timeout tunnel 600s"} <= {*part(text, "port80")}


def test_a_request_that_changes_something_is_not_repeated_once_a_node_has_it() -> None:
    text = config([HTTP], ADDRESSES, timeout=30, idle=600, ipv6=True)
    assert "http-request disable-l7-retry unless { method GET HEAD OPTIONS }" in part(text, "port80")


def test_what_haproxy_says() -> None:
    found = servers(STATISTICS)
    assert [(server.name, server.address, server.up, server.connections) for server in found] == [
        ("demo-web-2", "10.0.0.4:8080", True, 2),
        ("demo-web-10", "10.0.0.9:8080", False, 0),
    ]
    assert listens(STATISTICS) == {"port80"}
    assert load_balancer_info.facts(found) == {"port 80": "1 of 2 nodes (demo-web-10: DOWN, Layer4 connection problem)"}
    assert (servers(""), listens("")) == ([], set())


def test_a_new_process_begins_without_the_nodes_that_do_not_answer() -> None:
    wanted = {("port80", "demo-web-2"): "10.0.0.4:8080", ("port80", "demo-web-10"): "10.0.0.9:8080", ("port80", "demo-web-4"): "10.0.0.8:8080"}
    more = {("port80", "demo-web-5"): "10.0.0.8:8080", ("port5432", "demo-db-0"): "[fd00::5]:5432"}
    kept = carried_over(STATES, wanted | more).splitlines()
    assert kept[:2] == STATES.splitlines()[:2]
    assert [line.split()[3] for line in kept[2:]] == ["demo-web-2", "demo-db-0"]  # not one that is up, has left, was drained, or has another port
    assert carried_over("", wanted) == "1\n#\n"


def test_a_port_that_something_else_uses() -> None:
    sockets = (
        'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6),("nginx",pid=8,fd=6))\n'
        'LISTEN 0 511 [::]:80 [::]:* users:(("nginx",pid=7,fd=7))\nLISTEN 0 128 10.0.0.2:8080 0.0.0.0:*\n'
    )
    assert taken(sockets, [80, 443, 8080]) == ["port 80 is in use by nginx", "port 8080 is in use by another program"]


class Proxy:
    """A runtime API with two servers, of which one has a connection that ends after some questions."""

    def __init__(self, path: Path) -> None:
        self.said: list[str] = []
        self.left = 3
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(str(path))
        self.sock.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.sock.accept()
            except OSError:  # the test has ended
                return
            with connection:
                command = connection.recv(4096).decode().strip()
                self.said.append(command)
                self.left -= command == "show stat"
                connection.sendall(STATISTICS.replace(",0,2,UP", f",0,{max(0, self.left)},UP").encode() if command == "show stat" else b"\n")


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    path = tmp_path / "admin.sock"
    made = Proxy(path)
    monkeypatch.setattr(load_balancer, "ask", lambda command: ask(command, path))
    yield made
    made.sock.shutdown(socket.SHUT_RDWR)
    made.sock.close()


def test_a_node_is_drained_before_it_leaves(proxy: Proxy) -> None:
    leaving = [server for server in servers(STATISTICS) if server.name == "demo-web-2"]
    assert load_balancer.drain(leaving, 10) == []
    assert proxy.said[0] == "set server port80/demo-web-2 state drain"
    assert proxy.said.count("show stat") >= 3


def test_a_node_that_keeps_its_connections_is_named(proxy: Proxy) -> None:
    proxy.left = 10**6
    assert load_balancer.drain(servers(STATISTICS), 0.3) == ["demo-web-2"]
    assert load_balancer.drain([], 10) == []


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node on which a unit can be started, though nothing listens after that."""
    for name in ("CONFIG", "UNIT_FILE", "NEW", "STATES"):
        monkeypatch.setattr(load_balancer, name, tmp_path / name.lower())
    monkeypatch.setattr(load_balancer, "PROGRAM", "/bin/true")
    monkeypatch.setattr(load_balancer, "RELOAD", 0.2)
    monkeypatch.setattr(load_balancer, "ask", lambda _command: "")
    monkeypatch.setattr(load_balancer, "query", lambda verb, _unit: {"is-active": "active\n", "is-enabled": "enabled\n"}[verb])
    monkeypatch.setattr(load_balancer, "systemctl", lambda *_words: "")
    monkeypatch.setattr(load_balancer, "taken", lambda _sockets, _ports: [])
    return tmp_path


def balancer(check_mode: bool = False) -> load_balancer.Balancer:
    params = {"balances": [HTTP], "addresses": ADDRESSES, "timeout": 60, "idle": 3600, "wait": 1}
    module: Any = SimpleNamespace(params=params, check_mode=check_mode)
    return load_balancer.Balancer(module)


def test_a_configuration_that_is_not_taken_over_is_tried_again(files: Path) -> None:
    (files / "config").write_text("old")
    for _time in range(2):
        with pytest.raises(load_balancer.Failed, match="has not applied its configuration"):
            balancer().configure()
        assert (files / "config").read_text() == "old"


def test_files_that_are_right_do_not_count_if_the_process_has_others(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = balancer(check_mode=True)
    (files / "config").write_text(made.text)
    (files / "unit_file").write_text(_load_balancer.UNIT)
    assert made.configure() == (True, [])
    monkeypatch.setattr(load_balancer, "ask", lambda command: STATISTICS if command == "show stat" else "Name: HAProxy\n")
    assert made.configure() == (False, [])


def test_nobody_answers(tmp_path: Path) -> None:
    assert ask("show stat", tmp_path / "admin.sock") == ""


def test_servers_by_backend() -> None:
    found: Mapping[tuple[str, str], str] = wanted_servers([HTTP, TCP], ADDRESSES)
    assert found == {
        ("port80", "demo-web-2"): "10.0.0.4:8080",
        ("port80", "demo-web-10"): "10.0.0.9:8080",
        ("port5432", "demo-db-0"): "[fd00::5]:5432",
    }


def test_its_files_are_its_own() -> None:
    """The package's service and configuration stay as they are."""
    names: Any = (_load_balancer.NAME, _load_balancer.CONFIG.name)
    assert names == ("sky-load-balancer", "sky.cfg")
