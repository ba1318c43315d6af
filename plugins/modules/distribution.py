#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the versions of a software distribution in /opt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution
short_description: Unpack, select and remove the versions of a software distribution
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Keeps each version of a distribution in C(/opt/<name>-<version>). The link C(/opt/<name>) points to the current one.
  - An archive is unpacked to a temporary folder, which is then renamed. A run that is killed leaves no version that looks complete.
  - The role P(sky.clusters.distribution#role) brings the archive to the node and calls this module.
options:
  name:
    description: Name of the distribution, such as V(spark).
    type: str
    required: true
  version:
    description: The version. Required unless O(state=absent).
    type: str
  sha256:
    description: SHA-256 of its archive, which the role P(sky.clusters.artifact#role) has verified. It identifies what was unpacked.
    type: str
  state:
    description:
      - V(unpacked) unpacks C(/var/cache/sky-<name>-<version>.tgz).
      - V(current) makes the version the current one, and removes the versions that are not used any more. The one that was current until now
        is kept until a later call.
      - V(absent) removes all versions, their archives and the link.
    type: str
    choices: [absent, current, unpacked]
    default: unpacked
  keep:
    description: Further versions that V(current) does not remove.
    type: list
    elements: str
    default: []
  keep_archive:
    description: Whether the archive is kept after it was unpacked, so that the node can serve it to others.
    type: bool
    default: false
  transform:
    description: Expressions for C(--transform) of tar, which change the names in the archive.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of names in the archive that are not unpacked.
    type: list
    elements: str
    default: []
  contains:
    description: A file that the distribution must contain, such as V(bin/spark-class).
    type: str
    default: ""
  links:
    description: Symbolic links in the distribution, such as a settings folder; a missing target is created as a folder.
    type: dict
    default: {}
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Make the version the current one
  sky.clusters.distribution:
    name: spark
    version: 4.3.0
    state: current
"""

RETURN = r"""
switched:
  description: Whether another version, or none, was current until now.
  returned: with O(state=current)
  type: bool
  sample: true
removed:
  description: The versions that were removed; in check mode those that would be.
  returned: with O(state=current)
  type: list
  elements: str
  sample: [4.2.1]
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._distributions import Distribution, DistributionError, Recipe, Version


def unpack(found: Distribution, given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    wanted = Version(given["version"], given["sha256"])
    if check:
        return {"changed": not found.marker(wanted).exists()}
    recipe = Recipe(tuple(given["transform"]), tuple(given["exclude"]), given["contains"], dict(given["links"]))
    changed = found.unpack(wanted, recipe)
    if not given["keep_archive"]:
        found.archive(wanted.version).unlink(missing_ok=True)
    return {"changed": changed}


def use(found: Distribution, given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    before = found.current()
    keep = [*given["keep"], given["version"], *([before.version] if before else [])]
    switched = found.use(given["version"], check)
    removed = found.unused(keep)
    for version in removed if not check else []:
        found.remove(version)
    return {"changed": switched or bool(removed), "switched": switched, "removed": removed}


def remove(found: Distribution, _given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    return {"changed": found.remove_all(check)}


STATES = {"absent": remove, "current": use, "unpacked": unpack}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "version": {"type": "str"},
            "sha256": {"type": "str"},
            "state": {"type": "str", "choices": sorted(STATES), "default": "unpacked"},
            "keep": {"type": "list", "elements": "str", "default": []},
            "keep_archive": {"type": "bool", "default": False},
            "transform": {"type": "list", "elements": "str", "default": []},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "contains": {"type": "str", "default": ""},
            "links": {"type": "dict", "default": {}},
        },
        required_if=[("state", "unpacked", ["version", "sha256"]), ("state", "current", ["version"])],
        supports_check_mode=True,
    )
    given = module.params
    try:
        answer = STATES[given["state"]](Distribution(given["name"]), given, module.check_mode)
    except (DistributionError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
