#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the version of Spark that a cluster uses. Runs on its master."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_version
short_description: Choose the version of Spark that a cluster uses
version_added: 0.2.0
description:
  - A job of one version cannot use workers of another version. So a new version is postponed while an application runs on the cluster.
  - Queries the master and chooses the version. Changes nothing.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  version:
    description: The requested version.
    type: str
    required: true
  sha256:
    description: SHA-256 of the archive of this version.
    type: str
    required: true
  page:
    description: URL of the web page of the master, such as V(http://10.0.0.4:8080).
    type: str
    required: true
  disruption:
    description:
      - What to do if another version is in use and applications run.
      - V(drain) keeps the version in use and returns RV(postponed). V(refuse) fails. V(force) chooses the requested version.
    type: str
    choices: [drain, force, refuse]
    default: drain
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Choose the version
  sky.clusters.spark_version:
    version: 4.3.0
    sha256: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
    page: http://10.0.0.4:8080
"""

RETURN = r"""
version:
  description: The chosen version.
  returned: always
  type: str
  sample: 4.3.0
sha256:
  description: SHA-256 of the archive of the chosen version.
  returned: always
  type: str
  sample: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
switches:
  description: Whether the chosen version differs from the version in use.
  returned: always
  type: bool
  sample: false
postponed:
  description: Why the requested version was not chosen; empty if it was.
  returned: always
  type: str
  sample: "Spark 4.3.1 waits for etl (app-20261121040000-0003): run again when it has ended, or with -e sky_disruption=force"
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_page import read

HOME = Path("/opt/spark")
MARKER = ".sha256-"
PATIENCE = 60  # seconds that a master may take to serve its page, for example after a restart


class VersionError(Exception):
    """The version cannot be chosen; the message is one sentence."""


@dataclass(frozen=True)
class Archive:
    """A version of Spark and its archive."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Choice:
    """The chosen version."""

    archive: Archive
    switches: bool = False
    postponed: str = ""


def in_use(home: Path) -> Archive | None:
    """The version that the link on this node points to; None if Spark is not installed."""
    markers = [path.name.removeprefix(MARKER) for path in home.glob(f"{MARKER}*")]
    return Archive(home.resolve().name.removeprefix(f"{home.name}-"), markers[0]) if markers else None


def applications(page: str, patience: float) -> list[str]:
    """Applications that run or wait, with their ids."""
    end = time.monotonic() + patience
    while (found := read(page)) is None:
        if time.monotonic() > end:
            raise VersionError(
                f"the web page of the master, {page}, does not answer, so it is unknown whether jobs run: repair the master, or switch anyway "
                "with -e sky_disruption=force"
            )
        time.sleep(1)
    return [_name(app) for app in found.get("activeapps", [])]


def _name(app: Mapping[str, Any]) -> str:
    return f"{app.get('name', '?')} ({app.get('id', '?')})"


def choose(wanted: Archive, used: Archive | None, page: str, disruption: str, patience: float = PATIENCE) -> Choice:
    if used is None or used == wanted:
        return Choice(wanted)
    running = [] if disruption == "force" else applications(page, patience)
    if not running:
        return Choice(wanted, switches=True)
    waits = f"Spark {wanted.version} waits for {', '.join(running)}"
    end = "it has ended" if len(running) == 1 else "they have ended"
    if disruption == "refuse":
        raise VersionError(f"{waits}: run again when {end}, or set sky_disruption to drain or force")
    return Choice(used, postponed=f"{waits}: run again when {end}, or with -e sky_disruption=force")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
            "page": {"type": "str", "required": True},
            "disruption": {"type": "str", "choices": ["drain", "force", "refuse"], "default": "drain"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        choice = choose(Archive(given["version"], given["sha256"]), in_use(HOME), given["page"], given["disruption"])
    except VersionError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, switches=choice.switches, postponed=choice.postponed, **asdict(choice.archive))


if __name__ == "__main__":
    main()
