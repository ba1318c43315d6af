# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that take a cluster file, called by a user of it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from ansible_collections.sky.clusters.tests.support.site import Site

CLUSTER = {"cluster": "{{ sky_cluster }}", "clouds": "{{ sky_clouds }}", "pools": "{{ sky_pools }}", "settings": "{{ sky_settings }}"}


def call(site: Site, module: str, *options: str, **args: Any) -> dict[str, Any]:
    """What a module returns."""
    words = ["-i", str(site.file), "localhost", "-m", f"sky.clusters.{module}", "-a", json.dumps(CLUSTER | args), *options]
    done = subprocess.run(
        site.command("ansible", *words), cwd=site.folder, env=os.environ | site.variables, capture_output=True, text=True, check=False, timeout=300
    )
    said = done.stdout.partition(" => ")[2]
    assert said, done.stdout + done.stderr
    found: dict[str, Any] = json.JSONDecoder().raw_decode(said)[0]
    return found
