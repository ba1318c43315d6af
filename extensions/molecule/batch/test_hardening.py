# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lynis says of a server and a node of a batch cluster, with the systems on them and C(node_hardening) strict."""

from __future__ import annotations

from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.hardening import EVERY_TEST, WITHOUT_EXCEPTIONS, lynis

testinfra_hosts = ["ansible://mol-batch-server-0", "ansible://mol-batch-node-0"]


def test_lynis_has_the_figures_of_the_guide(host: Host) -> None:
    every, rest = lynis(host)
    assert every >= EVERY_TEST
    assert rest >= WITHOUT_EXCEPTIONS
