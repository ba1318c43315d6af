#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the credential store of an object store's keys."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3a_credentials
short_description: Make the credential store of an object store's keys
version_added: 0.5.0
description:
  - Makes a credential store of Hadoop (a key store file) from a file with keys, which root alone can read. The keys are typed to Hadoop's own program
    on a terminal, so they are in no argument, no environment and no process list.
  - The store appears under its name only when it is complete. It has the time of the file with the keys then, so a run that ended in between, or that
    wrote new keys only, is continued by the next.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  keys:
    description: A file of the node with a line C(name=value) for each key.
    type: path
    required: true
  store:
    description: The credential store.
    type: path
    required: true
  java:
    description: The program C(java).
    type: path
    required: true
  jars:
    description: Folder with the jars of Hadoop's client.
    type: path
    default: /opt/spark/jars
  group:
    description: Group that can read the store.
    type: str
    default: spark
  renew:
    description: Whether to make it anew although it exists and is of these keys.
    type: bool
    default: false
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Make the credential store
  sky.clusters.s3a_credentials:
    keys: /etc/spark/s3a-keys
    store: /etc/spark/s3a.jceks
    java: /usr/bin/java
"""

RETURN = r""" # """

import os
import pty
import shutil
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

PROGRAM = "org.apache.hadoop.security.alias.CredentialShell"
ASKS = b"password"  # what its questions have in common
TIMES = 2  # that it asks for a value


class StoreError(Exception):
    """The store could not be made; the message is one sentence, without a key."""


def pairs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)


def add(command: list[str], name: str, value: str, store: Path) -> None:
    """Add one key, as somebody at a terminal would."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(command[0], [*command, "create", name, "-provider", f"localjceks://file{store}"])  # noqa: S606
    said, answered = b"", 0
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the terminal has closed
            break
        if not more:
            break
        said += more
        # the first lines speak of the store's own password; the questions end without a new line
        if answered < TIMES and said.count(b"alias password") > answered:
            os.write(terminal, value.encode() + b"\n")
            answered += 1
    os.close(terminal)
    if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) != 0:
        lines = said.decode(errors="replace").replace(value, "***").strip().splitlines()
        raise StoreError(f"{store.name}: Hadoop's program could not store {name}: {lines[-1] if lines else 'it said nothing'}")


def is_of(store: Path, keys: Path) -> bool:
    """Whether a store was made of a file with keys as it is now."""
    return store.is_file() and store.stat().st_mtime_ns == keys.stat().st_mtime_ns


def make(keys: Path, store: Path, java: str, jars: str, group: str) -> None:
    command = [java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", PROGRAM]
    with tempfile.TemporaryDirectory(prefix=".s3a-", dir=store.parent) as folder:
        new = Path(folder) / store.name
        made = keys.stat().st_mtime_ns
        for name, value in pairs(keys).items():
            add(command, name, value, new)
        shutil.chown(new, "root", group)
        new.chmod(0o640)
        os.utime(new, ns=(made, made))
        new.replace(store)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "keys": {"type": "path", "required": True, "no_log": False},
            "store": {"type": "path", "required": True},
            "java": {"type": "path", "required": True},
            "jars": {"type": "path", "default": "/opt/spark/jars"},
            "group": {"type": "str", "default": "spark"},
            "renew": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    store, keys = Path(given["store"]), Path(given["keys"])
    try:
        changed = given["renew"] or not is_of(store, keys)
        if changed and not module.check_mode:
            make(keys, store, given["java"], given["jars"], given["group"])
    except (StoreError, OSError, LookupError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
