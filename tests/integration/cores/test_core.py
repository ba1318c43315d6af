# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster of one node with the ansible-core and the Python that run this. tests/tools/cores.sh runs it with the oldest and the newest."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible.release import __version__ as core

from ansible_collections.sky.clusters.plugins.plugin_utils._core import ALWAYS_NATIVE
from ansible_collections.sky.clusters.tests.support.bare import containers, folders
from ansible_collections.sky.clusters.tests.support.site import Site, lasting
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained]

NAME = "tcore" + "".join(core.split(".")[:2])  # two cores run at once
NODE = f"{NAME}-node-0"
JOB = 'from pyspark import SparkContext\nprint("sum", SparkContext().parallelize(range(100)).sum())\n'


def content() -> dict[str, Any]:
    """The example of the guide, in a zone of this core."""
    file = yaml.safe_load((ROOT / "inventories/local/single.sky.yml").read_text(encoding="utf-8"))
    return dict(file | {"cluster": NAME, "clouds": {"here": file["clouds"]["here"] | {"zone": NAME}}})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    defaults = {
        "ANSIBLE_INJECT_FACT_VARS": "false",  # of core 2.24
        "ANSIBLE_JINJA2_NATIVE": "true",  # since core 2.19; before, a number in a template becomes text
    }
    with lasting(tmp_path_factory.mktemp("core"), NAME, content(), defaults) as made:
        yield made


def test_a_core_is_refused_only_if_its_templates_make_text_of_numbers(site: Site) -> None:
    without = replace(site, environment={"ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_JINJA2_NATIVE": "false"})
    run = without.play("spark_cluster", "--check")
    sentence = f"jinja2_native: must be true in the section [defaults] of ansible.cfg with ansible-core {core}"
    is_unfit = tuple(int(word) for word in core.split(".")[:2]) < ALWAYS_NATIVE
    assert (run.code, sentence in run.output) == ((2, True) if is_unfit else (0, False)), run.output
    assert not re.search("Traceback|An exception occurred", run.output), run.output


def test_check_mode_shows_what_a_run_makes(site: Site, figure: Callable[[str], None]) -> None:
    foretold = site.must("spark_cluster", "--check", "--diff").output
    assert re.search(rf"^  \+ {NODE} +create in here", foretold, re.MULTILINE), foretold
    assert site.hosts("pool_node") == []
    begun = time.monotonic()
    built = site.must("spark_cluster").output
    figure(f"a Spark node is made and proved with ansible-core {core} on Python {platform.python_version()} in {time.monotonic() - begun:.0f} s")
    assert "Spark is ready: 1 worker(s)" in built
    assert "tasks on 1 worker(s)" in built


def test_a_second_run_changes_nothing(site: Site) -> None:
    again = site.must("spark_cluster")
    assert set(again.changed.values()) == {0}, again.output
    assert (site.hosts("pool_node"), folders(NAME), containers(NAME)) == ([NODE], [NODE], [NODE])
    assert "a run would: change nothing" in site.must("status").output


def test_a_job_is_submitted(site: Site) -> None:
    (site.folder / "sum.py").write_text(JOB, encoding="utf-8")
    assert "sum 4950" in site.must("spark_submit", "-e", "sky_application=sum.py").output


def test_a_bad_count_is_refused_in_one_sentence(site: Site) -> None:
    refused = site.play("cluster", "-e", '{"sky_counts": {"nods": 1}}')
    assert refused.code == 2
    assert "counts.nods: no such pool" in refused.output
    assert not re.search("Traceback|An exception occurred", refused.output), refused.output
