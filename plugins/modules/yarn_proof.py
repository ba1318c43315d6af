#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove by a word count that YARN and MapReduce work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: yarn_proof
short_description: Prove by a word count that YARN works
version_added: 0.6.0
description:
  - Waits until all NodeManagers are at work, writes a file for each into HDFS, counts their words by MapReduce, and compares the counts.
  - It runs on the ResourceManager's node. A proof that still holds is not repeated.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The ResourceManager's web page.
    type: str
    required: true
  addresses:
    description: Addresses of the NodeManagers that must be at work.
    type: list
    elements: str
    required: true
  ids:
    description: Ids of the nodes that the proof is about; they become part of the stamp.
    type: list
    elements: str
    default: []
  user:
    description: Who counts. It needs a home in HDFS.
    type: str
    default: sky
  stamp:
    description: File that keeps how the proof ended.
    type: path
    default: /var/lib/sky/proof/yarn.json
  force:
    description: Prove it although the last proof still holds.
    type: bool
    default: false
  seconds:
    description: Seconds that it may take.
    type: int
    default: 300
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Count words
  sky.clusters.yarn_proof:
    page: http://10.0.0.4:8088
    addresses: [10.0.0.5, 10.0.0.6]
"""

RETURN = r"""
result:
  description: How many words were counted, in how many map tasks, and the seconds that it took.
  returned: when it succeeded
  type: dict
  sample: {words: 4000, maps: 2, seconds: 31.4}
"""

import os
import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _yarn_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._proof_stamp import FAILURE, SUCCESS
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn_stamp import STAMP

WORDS = ("alpha", "beta", "gamma", "delta")
ROUNDS = 500
EXAMPLES_JAR = Path("/opt/yarn/jars")


class ProofError(Exception):
    """YARN does not do its work; the message is one sentence."""


class Proof:
    """One word count, in a folder of its own in the user's home in HDFS."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.folder = f"/user/{given['user']}/.sky-proof-{os.getpid()}"
        self.end = time.monotonic() + given["seconds"]

    def run(self, *command: str, text: str = "") -> str:
        words = ["runuser", "-u", self.given["user"], "--", *command]
        try:
            done = subprocess.run(
                words, input=text, capture_output=True, text=True, check=False, cwd="/", timeout=max(1, self.end - time.monotonic())
            )
        except subprocess.TimeoutExpired as error:
            raise ProofError(f"'{' '.join(command[:3])}' has not ended within {self.given['seconds']} s") from error
        if done.returncode != 0:
            raise ProofError(f"'{' '.join(command[:3])}' failed: {telling(done.stderr or done.stdout)}")
        return done.stdout + done.stderr

    def wait(self) -> None:
        """Until all NodeManagers are at work."""
        while missing := [address for address in self.given["addresses"] if not self._at_work(address)]:
            if time.monotonic() > self.end - self.given["seconds"] / 2:
                raise ProofError(f"the ResourceManager does not count on the NodeManagers {', '.join(missing)}")
            time.sleep(0.5)

    def _at_work(self, address: str) -> bool:
        node = _yarn_pages.state(self.given["page"]).of(address)
        return node is not None and node.at_work

    def count(self) -> dict[str, Any]:
        began = time.monotonic()
        files = len(self.given["addresses"])
        (jar,) = sorted(EXAMPLES_JAR.glob("hadoop-mapreduce-examples-*.jar"))
        try:
            self.run("yarn", "fs", "-mkdir", "-p", f"{self.folder}/in")
            for number in range(files):
                self.run("yarn", "fs", "-put", "-", f"{self.folder}/in/{number}", text=(" ".join(WORDS) + "\n") * ROUNDS)
            self.run("yarn", "jar", str(jar), "wordcount", f"{self.folder}/in", f"{self.folder}/out")
            found = dict(re.findall(r"^(\w+)\t(\d+)$", self.run("yarn", "fs", "-cat", f"{self.folder}/out/part-*"), re.MULTILINE))
        finally:
            subprocess.run(
                ["runuser", "-u", self.given["user"], "--", "yarn", "fs", "-rm", "-r", "-f", "-skipTrash", self.folder],
                cwd="/",
                check=False,
                capture_output=True,
            )
        wanted = dict.fromkeys(WORDS, str(files * ROUNDS))
        if found != wanted:
            raise ProofError(f"the words were counted wrong: {found} instead of {wanted}")
        return {"words": files * ROUNDS * len(WORDS), "maps": files, "seconds": round(time.monotonic() - began, 1)}


def telling(text: str) -> str:
    """The line that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
    return next((line for line in reversed(lines) if re.search(r"Exception|Error|failed|FAILED", line)), lines[-1] if lines else "it said nothing")[
        -400:
    ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "page": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "required": True},
            "ids": {"type": "list", "elements": "str", "default": []},
            "user": {"type": "str", "default": "sky"},
            "stamp": {"type": "path", "default": str(STAMP.path)},
            "force": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    given = module.params
    stamp, ids = replace(STAMP, path=Path(given["stamp"])), given["ids"]
    if stamp.holds(ids) and not given["force"]:
        module.exit_json(changed=False, result=stamp.read()["result"])
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        proof = Proof(given)
        proof.wait()
        result = proof.count()
    except (ProofError, OSError) as error:
        stamp.write(ids, FAILURE, why=str(error))
        module.fail_json(msg=str(error))
    stamp.write(ids, SUCCESS, result=result)
    module.exit_json(changed=True, result=result)


if __name__ == "__main__":
    main()
