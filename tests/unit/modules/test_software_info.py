# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node offers to a distribution, by the module as Ansible runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def test_it_describes_this_machine_and_has_no_version_of_what_was_never_unpacked() -> None:
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"name": "no-such-distribution", "java_version": 17}})
    module = "ansible_collections.sky.clusters.plugins.modules.software_info"
    done = subprocess.run([sys.executable, "-m", module], input=arguments, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    assert (found["cores"], found["memory"]) == (len(os.sched_getaffinity(0)), total)
    assert (found["current"], found["unpacked"]) == ("", [])
    assert found["java_home"].startswith("/usr/lib/jvm/java-17-openjdk-")
    assert found["python"].startswith(f"Python 3.{sys.version_info[1]} ")
    assert found["archives"] == []
    assert "no-such-distribution" not in found["distributions"]
    assert found["has_java"] is os.path.exists(f"{found['java_home']}/bin/java")
