# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""quickstart.sh installs what the machine is asked for."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.machine import FILES, PROGRAMS
from ansible_collections.sky.clusters.tests.support.first_job import page


def test_every_package_that_the_machine_needs_is_installed(root: Path) -> None:
    listed = re.search(r"^MACHINE_PACKAGES=\((.*)\)$", (root / "quickstart.sh").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed is not None
    assert {*PROGRAMS.values(), *FILES.values()} <= set(listed[1].split())


def test_the_page_from_nothing_to_a_job_can_be_followed() -> None:
    """The test of quickstart.sh runs its commands; this finds at once what does not fit together."""
    told = page()
    assert [word for word in ("spark_submit -e sky_application=job.py", "spark_jobs", "spark-submit --version") if word not in told.between] == []
    compile(told.job, "job.py", "exec")
    assert told.answer == str(sum(number * number for number in range(1, 101)))
