# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does ssh answer?"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._engine import _probe
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway


def node(name: str, *addresses: Address) -> Node:
    return Node(name, name, Mark("ada", "demo", "p", 0), State.RUNNING, addresses)


@contextmanager
def listening(banner: bytes) -> Iterator[int]:
    """A port of this machine that says this to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall(banner)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("banner", "answer"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n", ""), (b"HTTP/1.1 400 Bad Request\r\n", "not an ssh server"), (b"", "not an ssh server")],
)
def test_what_answers(monkeypatch: pytest.MonkeyPatch, banner: bytes, answer: str) -> None:
    with listening(banner) as port:
        monkeypatch.setattr(_probe, "PORT", port)
        (found,) = _probe.ssh_answers([node("a", Address("127.0.0.1"))]).values()
    assert found.endswith(answer)
    assert bool(found) == bool(answer)


def test_nobody_and_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(_probe, "PORT", server.getsockname()[1])
    found = _probe.ssh_answers([node("a", Address("127.0.0.1")), node("b")])
    assert "Connection refused" in found["a"]
    assert found["b"] == "it has no address"
    assert _probe.ssh_answers([]) == {}


def test_a_port_that_says_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_probe, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(_probe, "PORT", server.getsockname()[1])
        found = _probe.ssh_answers([node("a", Address("127.0.0.1"))])
    assert "timed out" in found["a"]


def test_the_public_address_is_tried_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(b"SSH-2.0-x\r\n") as port:
        monkeypatch.setattr(_probe, "PORT", port)
        assert _probe.ssh_answers([node("a", Address("192.0.2.1"), Address("127.0.0.1", public=True))]) == {"a": ""}


# through a gateway

FRONT = node("front", Address("10.0.0.4"), Address("198.51.100.4", public=True))
WAY = Gateway(FRONT, "debian")


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """In the place of ssh a program does what the gateway's shell would do, or this in its place; where its calls are noted."""
    noted = tmp_path / "noted"

    def made(instead: str = "") -> Path:
        file = tmp_path / "ssh"
        shell = 'while [ "$1" != debian@198.51.100.4 ]; do shift; done; shift; exec sh -c "$*"'
        file.write_text(f'#!/bin/sh\necho "$@" >>{noted}\n{instead or shell}\n', encoding="utf-8")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return noted

    return made


def test_nodes_behind_a_gateway_are_asked_from_there_by_one_login(login: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    noted = login("")
    with socket.create_server(("127.0.0.9", 0)) as silent:
        port = silent.getsockname()[1]
    monkeypatch.setattr(_probe, "PORT", port)
    with socket.create_server(("127.0.0.2", port)) as good, socket.create_server(("127.0.0.3", port)) as bad:
        threads = [threading.Thread(target=_say, args=(server, text)) for server, text in ((good, b"SSH-2.0-x\r\n"), (bad, b"HTTP/1.1\r\n"))]
        for thread in threads:
            thread.start()
        inner = [node(f"n{last}", Address(f"127.0.0.{last}")) for last in (2, 3, 4)]
        found = _probe.ssh_answers([*inner, node("bare")], WAY)
        for thread in threads:
            thread.join(5)
    assert found == {
        "n2": "",
        "n3": f"127.0.0.3 port {port}: not an ssh server",
        "n4": f"127.0.0.4 port {port}: Connection refused",
        "bare": "it has no address",
    }
    (call,) = noted.read_text(encoding="utf-8").splitlines()
    assert call.endswith(f"debian@198.51.100.4 python3 - {port} 2.0 127.0.0.2 127.0.0.3 127.0.0.4")
    assert "BatchMode=yes" in call


def _say(server: socket.socket, text: bytes) -> None:
    connection, _address = server.accept()
    with connection:
        connection.sendall(text)


def test_what_has_an_address_outside_is_asked_from_here(login: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    noted = login("")
    with listening(b"SSH-2.0-x\r\n") as port:
        monkeypatch.setattr(_probe, "PORT", port)
        assert _probe.ssh_answers([node("a", Address("10.0.0.5"), Address("127.0.0.1", public=True))], WAY) == {"a": ""}
    assert not noted.exists()


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        ("echo 'Welcome!'; echo 'debian@198.51.100.4: Permission denied (publickey).' >&2; exit 255", r"Permission denied \(publickey\)\."),
        ("exit 7", "exit status 7"),
        ("echo 'This account is disabled.'", "Expecting value"),
        ("sleep 30", "timed out"),
        ("printf '\\377'", "codec can't decode"),
    ],
)
def test_a_gateway_that_cannot_be_asked_is_named(login: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, instead: str, reason: str) -> None:
    login(f"cat >/dev/null; {instead}" if instead != "sleep 30" else "exec sleep 30")
    monkeypatch.setattr(_probe, "LOGIN", 0.2)
    monkeypatch.setattr(_probe, "SECONDS", 0.1)
    found = _probe.ssh_answers([node("a", Address("10.0.0.5")), node("b", Address("10.0.0.6"))], WAY)
    for name, address in (("a", "10.0.0.5"), ("b", "10.0.0.6")):
        assert found[name].startswith(f"{address} port 22: gateway front cannot be asked (")
        assert re.search(reason, found[name])


def test_no_ssh_here_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "No such file or directory: 'ssh'" in _probe.ssh_answers([node("a", Address("10.0.0.5"))], WAY)["a"]


def test_nodes_without_any_address_are_named(login: Callable[[str], Path]) -> None:
    login("")
    assert _probe.ssh_answers([node("a"), node("b")], WAY) == dict.fromkeys("ab", "it has no address")
