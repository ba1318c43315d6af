#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write, read and remove an object, as jobs do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3a_check
short_description: Write, read and remove an object of a bucket
version_added: 0.5.0
description:
  - Runs the command C(hdfs dfs) on the node as a user, with the settings and the credential store that jobs use. Fails with the object store's own
    words.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  bucket:
    description: The bucket.
    type: str
    required: true
  user:
    description: The user.
    type: str
    default: sky
  seconds:
    description: Seconds that each step may take.
    type: int
    default: 90
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Write, read and remove an object
  sky.clusters.s3a_check:
    bucket: data
"""

RETURN = r""" # """

import secrets
import subprocess

from ansible.module_utils.basic import AnsibleModule

# A store that does not answer is reported after seconds, not minutes
OPTIONS = ("-D", "fs.s3a.attempts.maximum=2", "-D", "fs.s3a.retry.limit=2", "-D", "fs.s3a.connection.establish.timeout=10s")


class CheckError(Exception):
    """The object store did not do it; the message is one sentence."""


def run(user: str, seconds: int, *words: str, given: bytes = b"") -> bytes:
    command = ["runuser", "-u", user, "--", "/usr/local/bin/hdfs", "dfs", *OPTIONS, *words]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=seconds, check=False, cwd="/")
    except subprocess.TimeoutExpired as error:
        raise CheckError(f"no answer within {seconds} seconds") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.decode(errors="replace").strip().splitlines() if not line.startswith(("WARN", "\t", "SLF4J"))]
        raise CheckError(lines[0] if lines else f"exit code {done.returncode}")
    return done.stdout


def check(bucket: str, user: str, seconds: int) -> None:
    content, place = secrets.token_bytes(1 << 16), f"s3a://{bucket}/.sky-{secrets.token_hex(6)}"
    run(user, seconds, "-put", "-", place, given=content)
    read = run(user, seconds, "-cat", place)
    run(user, seconds, "-rm", "-skipTrash", place)
    if read != content:
        raise CheckError(f"{place} came back with other bytes than were written")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "bucket": {"type": "str", "required": True},
            "user": {"type": "str", "default": "sky"},
            "seconds": {"type": "int", "default": 90},
        },
        supports_check_mode=True,
    )
    given = module.params
    if not module.check_mode:
        try:
            check(given["bucket"], given["user"], given["seconds"])
        except (CheckError, OSError) as error:
            module.fail_json(msg=f"s3a_bucket: the object store cannot be used: {error}")
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
