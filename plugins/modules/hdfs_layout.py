#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of an HDFS that its users expect, and how many copies of its files are kept."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_layout
short_description: Create the folders of an HDFS, and set how many copies of its files are kept
version_added: 0.5.0
description:
  - Waits until the NameNode takes changes, and creates folders that are missing. An existing folder is left as it is. A new one gets its name when
    it has its owner and its mode.
  - Sets the number of copies of all files if it differs from the one in force.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The NameNode's web page, such as V(http://10.0.0.4:9870).
    type: str
    required: true
  folders:
    description: Folders that should exist.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Its path in HDFS.
        type: str
        required: true
      owner:
        description: User and group that own it, if it is created.
        type: str
        default: hdfs
      mode:
        description: Its permission in octal digits, if it is created.
        type: str
        default: "755"
  copies:
    description: How many copies of a file are wanted.
    type: int
    required: true
  in_force:
    description: How many copies existing files have; V(0) if there are no files yet.
    type: int
    required: true
  seconds:
    description: Seconds that the NameNode may take to leave safe mode.
    type: int
    default: 300
  user:
    description: The superuser of HDFS.
    type: str
    default: hdfs
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Create a folder
  sky.clusters.hdfs_layout:
    page: http://10.0.0.4:9870
    folders: [{path: /user/sky, owner: sky, mode: "700"}]
    copies: 2
    in_force: 2
"""

RETURN = r"""
actions:
  description: What was done.
  returned: always
  type: list
  elements: str
  sample: [create /user/sky, keep 2 copies]
"""

import subprocess
import time
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import RemoteError, Web

HDFS = "/usr/local/bin/hdfs"  # of the role hdfs_client


def wait(page: str, seconds: float) -> None:
    """Until the NameNode takes changes."""
    end = time.monotonic() + seconds
    while not (seen := _hdfs_pages.state(page)).ready:
        if time.monotonic() > end:
            raise RemoteError(f"the NameNode at {page} takes no changes after {seconds:.0f} seconds: {seen.safe_mode or 'it does not answer'}")
        time.sleep(0.5)


def create(web: Web, folder: Mapping[str, str]) -> None:
    """Under another name first: a folder that exists is left as it is, so one that its owner does not have yet must not be there."""
    path = PurePosixPath(folder["path"])
    new = str(path.with_name(f".{path.name}.new"))
    web.call(new, "MKDIRS", "PUT", permission=folder["mode"])
    web.call(new, "SETOWNER", "PUT", owner=folder["owner"], group=folder["owner"])
    web.call(new, "RENAME", "PUT", destination=str(path), renameoptions="NONE")  # an option, so that it never goes into a folder that exists


def set_copies(copies: int) -> None:
    done = subprocess.run([HDFS, "dfs", "-setrep", "-R", str(copies), "/"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RemoteError(f"the number of copies could not be set to {copies}: {said[-1] if said else f'exit code {done.returncode}'}")


def run(given: Mapping[str, Any], check: bool) -> list[str]:
    """What was done."""
    if check:
        return []  # a NameNode that is not there yet cannot be asked
    wait(given["page"], given["seconds"])
    web = Web(given["page"], given["user"])
    actions = []
    for folder in given["folders"]:
        if web.status(folder["path"]) is None:
            create(web, folder)
            actions.append(f"create {folder['path']}")
    if given["in_force"] not in (0, given["copies"]):
        set_copies(given["copies"])
        actions.append(f"keep {given['copies']} copies")
    return actions


def main() -> None:
    folder = {"path": {"type": "str", "required": True}, "owner": {"type": "str", "default": "hdfs"}, "mode": {"type": "str", "default": "755"}}
    module = AnsibleModule(
        argument_spec={
            "page": {"type": "str", "required": True},
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folder},
            "copies": {"type": "int", "required": True},
            "in_force": {"type": "int", "required": True},
            "seconds": {"type": "int", "default": 300},
            "user": {"type": "str", "default": "hdfs"},
        },
        supports_check_mode=True,
    )
    try:
        actions = run(module.params, module.check_mode)
    except RemoteError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(actions), actions=actions)


if __name__ == "__main__":
    main()
