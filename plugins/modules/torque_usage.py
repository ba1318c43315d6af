#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of a batch system have used, by month. Runs on the server's node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: torque_usage
short_description: Show what users of a batch system have used
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Sums up the server's accounting by user and month, as C(qusage) does there. A job counts in the month in which it ended. Changes nothing.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  month:
    description: Only this month, such as V(2026-11); all months if it is empty.
    type: str
    default: ""
  user:
    description: Only this user; all users if it is empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What have users used this month
  sky.clusters.torque_usage:
    month: "{{ now().strftime('%Y-%m') }}"
  register: usage
"""

RETURN = r"""
usage:
  description: What each user has used in each month, in the order of the months and the names.
  returned: always
  type: list
  elements: dict
  sample: [{user: ada, month: 2026-11, jobs: 412, failed: 3, core_hours: 1031.25}]
"""

import json
import re
import subprocess
from typing import Any

from ansible.module_utils.basic import AnsibleModule

PROGRAM = "/usr/local/bin/qusage"
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class UsageError(Exception):
    """The accounting cannot be read; the message is one sentence."""


def usage(month: str, user: str) -> list[dict[str, Any]]:
    """What each user has used in each month."""
    if month and not MONTH.fullmatch(month):
        raise UsageError(f"month: must be a year and a month such as 2026-11, got '{month}'")
    chosen = [*(["-m", month] if month else []), *(["-u", user] if user else [])]
    try:
        done = subprocess.run([PROGRAM, "-j", *chosen], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("no batch system is installed here") from None
    if done.returncode != 0:
        raise UsageError(done.stderr.strip() or f"{PROGRAM} failed")
    return list(json.loads(done.stdout))


def main() -> None:
    module = AnsibleModule(
        argument_spec={"month": {"type": "str", "default": ""}, "user": {"type": "str", "default": ""}},
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, usage=usage(module.params["month"], module.params["user"]))
    except UsageError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
