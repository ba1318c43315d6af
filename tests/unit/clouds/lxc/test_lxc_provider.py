# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the local cloud asks its host program for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, NodeSpec, Scope, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions, _client


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads the last request; in the host program's place a process takes it down and says that all is well."""
    file = tmp_path / "request"
    program = f"import pathlib, sys; pathlib.Path({str(file)!r}).write_text(sys.stdin.readline()); print('{{\"value\": null}}')"
    monkeypatch.setattr(_client, "_command", lambda: [sys.executable, "-c", program])
    return lambda: json.loads(file.read_text())


def test_the_mark_is_part_of_the_call_that_creates(tmp_path: Path, asked: Any) -> None:
    cloud = LxcCloud("here", LxcOptions(zone="lab", path=str(tmp_path)), Scope("a", "ada"))
    spec = NodeSpec(Mark("ada", "a", "p", 0), "debian-12", "small", volumes=(VolumeSpec("a-p-0-data", 5),), ssh_keys=("ssh-ed25519 AAAA",))
    assert list(cloud.create([spec])) == []
    assert asked()["do"] == "create"
    (order,) = asked()["nodes"]
    assert (order["name"], order["mark"]) == ("a-p-0", "sky/1 ada a p 0")
    assert (order["volumes"], order["keys"]) == ([{"name": "a-p-0-data", "size": 5, "type": ""}], ["ssh-ed25519 AAAA"])
