# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""spark_version: which version a cluster uses, depending on the page of its master."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.modules import spark_version
from ansible_collections.sky.clusters.plugins.modules.spark_version import Archive, Choice, VersionError, choose, in_use

OLD, NEW = Archive("4.3.0", "a" * 64), Archive("4.3.1", "b" * 64)
ETL = {"id": "app-1", "name": "etl", "state": "RUNNING"}
OTHER = {"id": "app-2", "name": "other", "state": "WAITING"}
PAGE = "http://10.0.0.4:8080"


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what the master's page shows; None: it does not answer."""

    def setter(*apps: dict[str, str] | None) -> None:
        monkeypatch.setattr(spark_version, "read", lambda _page: None if apps == (None,) else {"activeapps": list(apps)})

    return setter


@pytest.mark.parametrize("used", [None, NEW])
@pytest.mark.parametrize("disruption", ["drain", "refuse", "force"])
def test_the_same_version_does_not_wait(show: Any, used: Archive | None, disruption: str) -> None:
    show(ETL)
    assert choose(NEW, used, PAGE, disruption) == Choice(NEW)


@pytest.mark.parametrize("disruption", ["drain", "refuse", "force"])
def test_a_cluster_without_jobs_switches(show: Any, disruption: str) -> None:
    show()
    assert choose(NEW, OLD, PAGE, disruption) == Choice(NEW, switches=True)


def test_jobs_keep_the_version_and_are_named(show: Any) -> None:
    show(ETL)
    assert choose(NEW, OLD, PAGE, "drain") == Choice(
        OLD, postponed="Spark 4.3.1 waits for etl (app-1): run again when it has ended, or with -e sky_disruption=force"
    )
    show(ETL, OTHER)
    assert "waits for etl (app-1), other (app-2): run again when they have ended" in choose(NEW, OLD, PAGE, "drain").postponed


def test_refuse_fails_and_names_them(show: Any) -> None:
    show(ETL)
    with pytest.raises(VersionError, match=r"Spark 4\.3\.1 waits for etl \(app-1\): run again when it has ended, or set sky_disruption"):
        choose(NEW, OLD, PAGE, "refuse")


def test_force_switches_without_a_query(show: Any) -> None:
    show(None)
    assert choose(NEW, OLD, PAGE, "force") == Choice(NEW, switches=True)


def test_another_archive_of_the_same_version_waits_too(show: Any) -> None:
    show(ETL)
    assert choose(Archive("4.3.0", "c" * 64), OLD, PAGE, "drain").archive == OLD


def test_a_silent_master_does_not_count_as_idle(show: Any) -> None:
    show(None)
    with pytest.raises(VersionError, match=r"master, http://10\.0\.0\.4:8080, does not answer"):
        choose(NEW, OLD, PAGE, "drain", patience=0)


def test_the_version_in_use_is_that_of_the_link(tmp_path: Path) -> None:
    assert in_use(tmp_path / "spark") is None
    home = tmp_path / "spark-4.3.0"
    home.mkdir()
    (tmp_path / "spark").symlink_to(home)
    assert in_use(tmp_path / "spark") is None, "half unpacked"
    (home / f".sha256-{OLD.sha256}").touch()
    assert in_use(tmp_path / "spark") == OLD
