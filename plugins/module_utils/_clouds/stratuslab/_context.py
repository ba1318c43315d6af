# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a machine is configured at its first start: by cloud-init, or by StratusLab's own method."""

from __future__ import annotations

import base64
import gzip
import json
import shlex
from collections.abc import Sequence

from .._common._user_data import SSHD, cloud_config
from .._contract import Invalid, NodeSpec
from . import _host_keys
from ._template import in_context

LONGEST = 16_384  # bytes of user data, compressed
CLOUD_INIT = "cloud-init"
# The keys are in the user data. The file for keys is read as bytes by cloud-init 22 and later, which end with an error at any line but an empty
# one, and then use nothing of the disk.
NO_KEYS = base64.b64encode(b"\n").decode()


def context(spec: NodeSpec, method: str, token: str) -> dict[str, str]:
    """The CONTEXT of a node's template.

    Args:
        token: with what the node proves its host keys.

    Raises:
        Invalid: the user data are too long.
    """
    keys = "".join(f"{key}\n" for key in plain_keys(spec.ssh_keys))
    found = {"public_key": keys} if keys else {}
    if method == CLOUD_INIT:
        found |= {"CONTEXT_METHOD": CLOUD_INIT, "CLOUD_INIT_AUTHORIZED_KEYS": NO_KEYS, "CLOUD_INIT_USER_DATA": user_data(spec, token)}
    else:
        found["SCRIPT_EXEC"] = f"echo {_base64(script(spec, token).encode())} | base64 -d | sh"
    return {key: in_context(value, f"node {spec.name}: CONTEXT/{key}") for key, value in (found | {"target": "hdd"}).items()}


def plain_keys(keys: Sequence[str]) -> list[str]:
    """Keys without their comments, which may hold anything."""
    return [" ".join(key.split()[:2]) for key in keys]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def user_data(spec: NodeSpec, token: str) -> str:
    """User data for cloud-init, compressed, in base64."""
    config = cloud_config(spec)
    config["write_files"] = [
        *config["write_files"],
        {"path": _host_keys.SETTINGS, "content": _host_keys.SSHD, "permissions": "0644"},
        {"path": _host_keys.PROGRAM, "content": _host_keys.program(token), "permissions": "0600"},
    ]
    config["runcmd"] = [["python3", _host_keys.PROGRAM]]
    data = gzip.compress(("#cloud-config\n" + json.dumps(config, indent=1)).encode(), mtime=0)
    if len(data) > LONGEST:
        raise Invalid(f"node {spec.name}: its user data have {len(data)} bytes compressed, {LONGEST} are possible: use fewer ssh keys")
    return _base64(data)


def script(spec: NodeSpec, token: str) -> str:
    """The same for images without cloud-init."""
    keys = "".join(f"{key}\n" for key in plain_keys(spec.ssh_keys))
    files = [
        ("/etc/ssh/sshd_config.d/50-sky.conf", SSHD, "644"),
        (_host_keys.SETTINGS, _host_keys.SSHD, "644"),
        (_host_keys.PROGRAM, _host_keys.program(token), "600"),
    ]
    lines = ["set -e", f"hostname {spec.name} && echo {spec.name} > /etc/hostname", "mkdir -p /etc/ssh/sshd_config.d"]
    lines += [_written(*file) for file in files]
    if spec.ssh_user != "root":
        lines += _user(spec.ssh_user, keys)
    lines += [
        "rm -f /etc/ssh/ssh_host_*",  # an image's own host keys would be everybody's
        "ssh-keygen -A",
        f"python3 {_host_keys.PROGRAM}",
        "systemctl --no-block try-restart ssh.service sshd.service || true",
    ]
    return "\n".join([*lines, ""])


def _written(path: str, content: str, mode: str) -> str:
    return f"echo {_base64(content.encode())} | base64 -d > {path} && chmod {mode} {path}"


def _user(user: str, keys: str) -> list[str]:
    home = f"/home/{user}"
    name = shlex.quote(user)
    return [
        f"id {name} >/dev/null 2>&1 || useradd -m -s /bin/bash {name}",
        f"echo '{user} ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/90-sky && chmod 440 /etc/sudoers.d/90-sky",
        f"mkdir -p {home}/.ssh && {_written(f'{home}/.ssh/authorized_keys', keys, '600')}",
        f"chmod 700 {home}/.ssh && chown -R {name}: {home}/.ssh",
        "rm -f /root/.ssh/authorized_keys",
    ]
