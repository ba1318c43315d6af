# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Spark that it would ignore, or that no job can use, are refused; all others are left to Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_setting_names import __doc__ as written_for
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_settings import OTHERS, TYPES, check, faults
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import faults as faults_of_variables
from ansible_collections.sky.clusters.tests.support.tree import ROOT


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("spark.executor.memmory", "2g", "no such setting; did you mean 'spark.executor.memory'?"),
        ("spark.sql.shufle.partitions", 8, "no such setting; did you mean 'spark.sql.shuffle.partitions'?"),
        ("executor.memory", "2g", "not a setting of Spark: the names of settings begin with 'spark.'"),
        ("spark.executor.memory", ["2g"], "must be a string, a number, true or false"),
        ("spark.executor.memory", "2 gigs", "must be a size such as 512m or 2g, got '2 gigs'"),
        ("spark.executor.memory", "2.5g", "must be a size such as 512m or 2g, got '2.5g'"),
        ("spark.executor.memory", "100m", "must be 450m or more, which Spark itself needs, got '100m'"),
        ("spark.executor.memory", 64, "must be 450m or more, which Spark itself needs, got '64'"),
        ("spark.executor.memory", "1048576k", ""),
        ("spark.executor.memory", "2G", ""),
        ("spark.executor.memory", 2048, ""),
        ("spark.driver.maxResultSize", "0", ""),
        ("spark.speculation", "yes", "must be true or false, got 'yes'"),
        ("spark.speculation", True, ""),
        ("spark.speculation", " TRUE ", ""),
        ("spark.cores.max", 0, "must be 1 or more, got '0'"),
        ("spark.cores.max", "2.5", "must be a whole number, got '2.5'"),
        ("spark.sql.shuffle.partitions", -1, "must be 1 or more, got '-1'"),
        ("spark.memory.fraction", "most", "must be a number, got 'most'"),
        ("spark.memory.fraction", 0.6, ""),
        ("spark.network.timeout", "2 minutes", "must be a duration such as 500ms, 30s or 5min, got '2 minutes'"),
        ("spark.network.timeout", "2min", ""),
        ("spark.network.timeout", 120, ""),
        ("spark.sql.autoBroadcastJoinThreshold", -1, ""),  # turns it off
        ("spark.executorEnv.HOME", "/x", ""),
        ("spark.hadoop.fs.s3a.endpoint", "http://s3", ""),
        ("spark.sql.catalog.lake", "org.example.Catalog", ""),
        ("spark.shuffle.io.maxRetries", 5, ""),
        ("spark.acme.tuning", "high", ""),
        ("spark.app.name", "mine", ""),
        ("spark.executor.memory", "${spark.driver.memory}", ""),
    ],
)
def test_a_setting(name: str, value: Any, sentence: str) -> None:
    assert check({name: value}) == (f"{name}: {sentence}" if sentence else "")


def test_all_faults_are_found() -> None:
    assert len(list(faults({"spark.speculation": "x", "spark.cores.max": "y", "spark.ui.port": 4040}))) == 2


@pytest.mark.parametrize("variable", ["spark_master_defaults", "spark_daemon_settings"])
def test_the_variables_of_roles_are_checked(variable: str) -> None:
    (fault,) = faults_of_variables("group all", {variable: {"spark.cores.mx": 2}})
    assert fault == f"{variable} (group all): spark.cores.mx: no such setting; did you mean 'spark.cores.max'?"
    assert not list(faults_of_variables("", {variable: {"spark.cores.max": "{{ cores }}"}}))


def test_what_the_roles_set_is_known_and_valid() -> None:
    """A setting that no release of Spark has any more would show here."""
    for role, name in (("spark_master", "__spark_master_defaults"), ("spark", "__spark_daemon_settings")):
        own = yaml.safe_load((ROOT / "roles" / role / "vars/main.yml").read_text(encoding="utf-8"))[name]
        unknown = [key for key in own if key not in (*TYPES, *OTHERS) and not key.startswith("spark.hadoop.")]
        assert not unknown
        assert not list(faults({key: value for key, value in own.items() if "{{" not in str(value)}))


def test_the_names_are_those_of_the_release_that_is_installed() -> None:
    release = yaml.safe_load(Path(ROOT / "roles/spark/defaults/main.yml").read_text(encoding="utf-8"))["spark_version"]
    assert f"The settings of Spark {release} by their types." in str(written_for), "run tests/tools/spark_settings.py"
    assert len(TYPES) > 1000
