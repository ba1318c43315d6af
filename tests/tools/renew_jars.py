# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew the lock of a role's jars: fetch them with Ivy, and write down what came.

    python tests/tools/renew_jars.py roles/hdfs/files/jars.json [org.apache.hadoop=3.5.1 ...]

Each word sets the version of all jars of an organisation. Compare the change before it is committed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import default_folder, sha256_of
from ansible_collections.sky.clusters.plugins.module_utils._base._ivy import take
from ansible_collections.sky.clusters.plugins.modules.jar_archive import Jar, fetch


def main(lock: str, *versions: str) -> None:
    path = Path(lock)
    content = json.loads(path.read_text(encoding="utf-8"))
    wanted = dict(word.split("=", 1) for word in versions)
    for jar in content["jars"]:
        jar["version"] = wanted.get(jar["org"], jar["version"])
    jars = tuple(Jar(**jar) for jar in content["jars"])
    distribution = sorted(default_folder().glob("pyspark-*.tar.gz"))[-1]  # any run of a cluster leaves it there
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ivy = take(distribution, set(), folder)
        fetch(ivy, jars, folder, "", 1800)
        for jar, fetched in zip(content["jars"], jars, strict=True):
            jar["sha256"] = sha256_of(folder / fetched.file)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
