#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create the secret of a system on its head, once, and return it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_secret
short_description: Create the secret of a system on its head, and return it
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Creates a random secret in a file that only root can read, unless the file exists, and returns it. Run it on the head of a system with
    C(delegate_to), C(run_once) and C(no_log), so that the secret appears in no output.
options:
  path:
    description: The file, such as the result of P(sky.clusters.secret_file#filter).
    type: path
    required: true
  settings:
    description:
      - A settings file that contains the secret. If O(path) is lost, the secret is taken from there, because daemons that use it would not
        accept another one.
    type: path
  setting:
    description: Name of the setting in O(settings); the secret follows it on the same line.
    type: str
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Get the secret of the cluster from its head
  sky.clusters.cluster_secret:
    path: /var/lib/sky/secrets/spark
    settings: /etc/spark/spark-daemons.conf
    setting: spark.authenticate.secret
  delegate_to: demo-master-0
  run_once: true
  no_log: true
  register: secret
"""

RETURN = r"""
secret:
  description: The secret. In check mode it is empty if it would be created.
  returned: always
  type: str
  sample: 64 hexadecimal digits
"""

import os
import secrets
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def kept(path: Path) -> str:
    """The secret in the file; empty if there is none."""
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def used(settings: Path | None, setting: str) -> str:
    """The secret that the daemons of this node use; empty if there is none."""
    lines = settings.read_text(encoding="utf-8").splitlines() if settings and settings.exists() else []
    return next((line.removeprefix(setting).strip() for line in lines if line.startswith(f"{setting} ")), "")


def write(path: Path, secret: str) -> None:
    """For its owner alone, from the first moment on."""
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def ensure(path: Path, settings: Path | None, setting: str, check: bool) -> tuple[bool, str]:
    """Whether the file was, or in check mode would be, created, and the secret."""
    if secret := kept(path):
        return False, secret
    secret = used(settings, setting)
    if check:
        return True, secret
    secret = secret or secrets.token_hex(32)
    write(path, secret)
    return True, secret


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "settings": {"type": "path"},
            "setting": {"type": "str", "no_log": False},  # a name, not a secret
        },
        required_together=[("settings", "setting")],
        supports_check_mode=True,
    )
    given = module.params
    settings = Path(given["settings"]) if given["settings"] else None
    try:
        changed, secret = ensure(Path(given["path"]), settings, given["setting"] or "", module.check_mode)
    except OSError as error:
        module.fail_json(msg=f"{given['path']}: {error.strerror}")
    module.exit_json(changed=changed, secret=secret)


if __name__ == "__main__":
    main()
