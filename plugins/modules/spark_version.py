#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the version of Spark that a cluster goes on with. Runs on its master."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_version
short_description: Choose the version of Spark that a cluster goes on with
version_added: 0.2.0
description:
  - A job of one version cannot use workers of another, so that a new version waits while an application runs at the master.
  - Looks at the master and chooses. Changes nothing.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  version:
    description: The version that is wanted.
    type: str
    required: true
  sha256:
    description: SHA-256 of its archive.
    type: str
    required: true
  page:
    description: The master's web page, such as V(http://10.0.0.4:8080).
    type: str
    required: true
  disruption:
    description:
      - What to do where another version is in use and applications run.
      - V(drain) stays with the one in use, and says so; V(refuse) fails; V(force) takes the wanted one.
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
  description: The version to go on with.
  returned: always
  type: str
  sample: 4.3.0
sha256:
  description: SHA-256 of its archive.
  returned: always
  type: str
  sample: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
switches:
  description: Whether another one is in use until now.
  returned: always
  type: bool
  sample: false
postponed:
  description: Why the wanted version is not taken now; empty if it is.
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
PATIENCE = 60  # seconds that a master may take to serve its page, as after a restart


class VersionError(Exception):
    """The version cannot be chosen; the message is one sentence."""


@dataclass(frozen=True)
class Archive:
    """A version of Spark, by the archive that it came from."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Choice:
    """What to go on with."""

    archive: Archive
    switches: bool = False
    postponed: str = ""


def in_use(home: Path) -> Archive | None:
    """What the link of this node points to; None where there is no Spark yet."""
    markers = [path.name.removeprefix(MARKER) for path in home.glob(f"{MARKER}*")]
    return Archive(home.resolve().name.removeprefix(f"{home.name}-"), markers[0]) if markers else None


def applications(page: str, patience: float) -> list[str]:
    """Those that run or wait at the master, with their ids."""
    end = time.monotonic() + patience
    while (found := read(page)) is None:
        if time.monotonic() > end:
            raise VersionError(
                f"the master's page {page} does not answer, so that it is not known whether jobs run: mend it, or take the new version "
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
