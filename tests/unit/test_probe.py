# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does ssh answer?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.sky.clusters.plugins.module_utils import _probe
from ansible_collections.sky.clusters.plugins.module_utils._cloud import Address, Mark, Node, State


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
    [(b"SSH-2.0-OpenSSH_9.2\r\n", ""), (b"HTTP/1.1 400 Bad Request\r\n", "what answers is not ssh"), (b"", "what answers is not ssh")],
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
