# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody sees who writes a cluster file in an editor that uses the shipped schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.file_schema import FILE
from ansible_collections.sky.clusters.tests.support.language_server import LanguageServer, installed

pytestmark = pytest.mark.real

FAULTY = """\
plugin: sky.clusters.clouds
cluster: Demo
admin_cidr: [192.0.2.0/24]
clouds:
  here: {provider: lcx}
  there: {provider: openstack, image: debian-12}
pools:
  master: {cloud: here, count: -1, roles: [spark_mster]}
  worker:
    cloud: here
    count: 2
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    with LanguageServer(installed(tmp_path_factory.mktemp("npm")), FILE) as opened:
        yield opened


def test_faults_are_underlined_where_they_are(server: LanguageServer) -> None:
    found = server.faults("demo.sky.yml", FAULTY)
    assert [line for line, _message in found] == [2, 3, 5, 6, 8, 8]
    said = "\n".join(message for _line, message in found)
    for words in ("must be lower-case letters", "admin_cidr is not allowed", '"lxc" | "openstack"', 'Missing property "flavor"', "minimum of 0"):
        assert words in said
    assert '"spark_master"' in said
    assert "how many nodes" in server.hover("demo.sky.yml", 11, 6)


@pytest.mark.parametrize("path", [Path("inventories/local/demo.sky.yml"), Path("inventories/openstack/demo.sky.yml")], ids=str)
def test_an_example_has_none(server: LanguageServer, path: Path) -> None:
    assert server.faults(path.as_posix(), (tree.ROOT / path).read_text(encoding="utf-8")) == []
