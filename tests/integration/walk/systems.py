# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systems that take part in the walk. A new one is a class here, named in `SYSTEMS`."""

from __future__ import annotations

import abc
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.sky.clusters.tests.support.site import Played, Site
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.spark_jobs import ANSWER, job


class System(abc.ABC):
    """What the walk asks of a system at its stations."""

    @abc.abstractmethod
    def pools(self, zone: str) -> dict[str, Any]:
        """Its part of the cluster file, with one node in the pool ``worker`` that grows and shrinks."""

    @abc.abstractmethod
    def is_proved(self, played: Played) -> None:
        """The run that built it has used it as its users will, and says how they do."""

    @abc.abstractmethod
    def work(self, site: Site, name: str) -> Any:
        """A context in which it works; at its end the work must have come to the right result."""

    @abc.abstractmethod
    def data(self, site: Site) -> str:
        """What of its kept volumes must be the same once the cluster was destroyed and built again."""


class Spark(System):
    def pools(self, zone: str) -> dict[str, Any]:
        return dict(spark(zone, 1, master={"volumes": {"spark": 1}})["pools"])

    def is_proved(self, played: Played) -> None:
        assert "Spark is ready: 1 worker(s), master " in played.output
        assert "tasks on 1 worker(s)" in played.output
        login = next(line.strip() for line in played.output.splitlines() if re.match(r" +ssh (?!.* -N )", line))
        answer = subprocess.run(f"{login} whoami", shell=True, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert answer.stdout.strip() == "sky", answer.stderr

    @contextmanager
    def work(self, site: Site, name: str) -> Iterator[None]:
        with job(site, name) as held:
            yield
            said = held.end()
        assert ANSWER in said, said[-3000:]

    def data(self, site: Site) -> str:
        """The secret and the events of jobs that ended, by content."""
        (master,) = site.hosts("spark_master")
        return site.ssh(master, "cd /data/spark && sha256sum .sky/spark && find events -type f ! -name '*.inprogress' -exec sha256sum {} + | sort")


SYSTEMS: tuple[System, ...] = (Spark(),)
