# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine is the node."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._here import elsewhere


def test_a_machine_knows_its_own_addresses() -> None:
    assert elsewhere("127.0.0.1") == ""


@pytest.mark.parametrize("address", ["192.0.2.4", "2001:db8::4", "no address"])
def test_and_says_that_others_are_not_its_own(address: str) -> None:
    assert f"a task for the node with the address {address} ran on another machine, {socket.gethostname()};" in elsewhere(address)
