# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of one bare node with the ansible-core and the Python that run this. tests/tools/cores.sh runs it with the oldest and with the newest."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator

import pytest
from ansible.release import __version__ as core

from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, is_whole
from ansible_collections.sky.clusters.tests.support.site import Site, lasting

pytestmark = [pytest.mark.real, pytest.mark.chained]

NAME = "tcore" + "".join(core.split(".")[:2])  # two cores run at once


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    later = {"ANSIBLE_INJECT_FACT_VARS": "false"}  # the default of core 2.24
    with lasting(tmp_path_factory.mktemp("core"), NAME, bare(NAME, NAME, 1), later) as made:
        yield made


def test_check_mode_shows_what_a_run_makes(site: Site, figure: Callable[[str], None]) -> None:
    foretold = site.must("cluster", "--check", "--diff").output
    assert re.search(rf"^  \+ {NAME}-box-0 +create in here", foretold, re.MULTILINE), foretold
    assert site.hosts("pool_box") == []
    site.must("cluster")
    is_whole(site, NAME, boxes(NAME, 0))
    assert "a run would: change nothing" in site.must("status").output
    figure(f"one bare node made, kept and destroyed with ansible-core {core} on Python {platform.python_version()}")


def test_a_bad_count_is_refused_in_one_sentence(site: Site) -> None:
    refused = site.play("cluster", "-e", '{"sky_counts": {"bax": 1}}')
    assert refused.code == 2
    assert "counts.bax: no such pool" in refused.output
    assert not re.search("Traceback|An exception occurred", refused.output), refused.output
