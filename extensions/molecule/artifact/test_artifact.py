# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role artifact: the file on every node, and the way that it took. Two copies were spoilt on the way, and replaced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://pool_near", "ansible://pool_far"]
FETCHED = {
    "mol-artifact-near-0": 3,  # by two nodes at first, and by one whose copy was spoilt
    "mol-artifact-far-0": 1,
}


@pytest.fixture(scope="module")
def sha256() -> str:
    payload = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "payload"
    return hashlib.sha256(payload.read_bytes()).hexdigest()


def test_the_node_has_the_very_file(host: Host, sha256: str) -> None:
    copy = host.file("/var/cache/payload")
    assert copy.sha256sum == sha256
    assert (copy.user, copy.mode) == ("root", 0o644)


def test_what_has_another_checksum_was_not_taken(host: Host) -> None:
    assert not host.file("/var/cache/other").exists


def test_one_node_of_each_cloud_handed_it_on(host: Host, variables: dict[str, Any], sha256: str) -> None:
    journal = host.check_output("journalctl --unit sky-artifact --output cat --no-pager")
    assert journal.count(f'"GET /{sha256} HTTP/1.1" 200') == FETCHED.get(variables["inventory_hostname"], 0)


def test_nobody_hands_it_on_any_more(host: Host, variables: dict[str, Any]) -> None:
    assert not host.service("sky-artifact").is_running
    assert not host.socket(f"tcp://{variables['sky_address']}:7070").is_listening
    assert not host.socket("tcp://7070").is_listening
