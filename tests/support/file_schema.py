# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schema of the cluster file, as it is shipped for editors."""

from __future__ import annotations

import json

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import file_schema
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.tests.support import tree

FILE = tree.ROOT / "schemas/cluster_file.json"


def text() -> str:
    """What the file contains: the schema of the definitions that the parser uses, by the version of the collection."""
    version = yaml.safe_load((tree.ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    return json.dumps({"$id": f"urn:sky.clusters:cluster-file:{version}"} | file_schema(option_classes()), indent=1) + "\n"
