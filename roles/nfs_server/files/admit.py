# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let exactly these clients use the shared folders, and root of none of them as root.

Standard input: ``members``, the address of every client by its name; ``keys``, the public keys of those that ask. Standard output: how the folders
are served (``engine``, ``data``), the key of this host (``host_key``), ``changed``.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/sky/nfs.json")
RECORD = Path("/etc/sky/nfs-clients.json")
KEYS = Path("/etc/ssh/sky-nfs-keys")
SSHD = Path("/etc/ssh/sshd_config.d/30-sky-nfs.conf")
EXPORTS = Path("/etc/exports.d/sky.exports")
GANESHA = Path("/etc/ganesha/ganesha.conf")
ENGINES = {"kernel": "nfs-server.service", "ganesha": "nfs-ganesha.service"}
OWN = "# Written by sky.clusters\n"
BLOCK = """
EXPORT {{
  Export_Id = {number};
  Path = {path};
  Pseudo = {path};
  Access_Type = None;
  Squash = Root_Squash;
  Protocols = 4;
  SecType = sys;
  FSAL {{ Name = VFS; }}
  CLIENT {{ Clients = {clients}; Access_Type = RW; Squash = Root_Squash; }}
}}
"""


def put(path: Path, text: str, mode: int = 0o644) -> bool:
    """Write a file as a whole; whether that changed it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.touch(mode=mode)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
    return True


def authorised(clients: dict[str, dict[str, str]]) -> str:
    """The keys of the nodes: each from its own address, and for nothing but files."""
    lines = [
        f'from="{each["address"]}",restrict,command="internal-sftp" {each["key"]} {name}' for name, each in sorted(clients.items()) if each["key"]
    ]
    return OWN + "".join(f"{line}\n" for line in lines)


def exports(folders: list[str], addresses: list[str]) -> str:
    """For the kernel's server."""
    options = "rw,sync,no_subtree_check,root_squash"
    return OWN + "".join(f"{folder} {' '.join(f'{address}({options})' for address in addresses)}\n" for folder in folders if addresses)


def ganesha(folders: list[str], addresses: list[str]) -> str:
    """For the server in user space."""
    head = OWN + "NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }\nNFSv4 { Grace_Period = 10; Lease_Lifetime = 20; }\n"
    clients = ", ".join(addresses) or "127.0.0.1"
    return head + "".join(BLOCK.format(number=number, path=folder, clients=clients) for number, folder in enumerate(folders, 1))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def apply(path: Path, text: str, *command: str) -> bool:
    """Write a file, and have its program read it; whether that was to do. A run that ended between the two has left a mark."""
    pending = path.with_name(f"{path.name}.pending")
    if not pending.exists() and path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    pending.touch()
    put(path, text)
    run(*command)
    pending.unlink()
    return True


def start(unit: str) -> bool:
    """Have the server run, now and at boot; whether it did not."""
    asked = [subprocess.run(["systemctl", "--quiet", what, unit], capture_output=True, check=False) for what in ("is-enabled", "is-active")]
    if all(answer.returncode == 0 for answer in asked):
        return False
    run("systemctl", "enable", "--now", unit)
    return True


def serve(settings: dict[str, Any], addresses: list[str]) -> bool:
    """Export the folders, by a server that runs; whether that changed anything."""
    folders = [f"{settings['data']}/home", f"{settings['data']}/software"]
    unit = ENGINES.get(settings["engine"], "")
    changed = False
    if settings["engine"] == "kernel":
        changed = put(EXPORTS, exports(folders, addresses))
    if settings["engine"] == "ganesha":
        changed = apply(GANESHA, ganesha(folders, addresses), "systemctl", "restart", unit)
    if unit:
        changed |= start(unit)
    if settings["engine"] == "kernel":
        run("exportfs", "-ra")  # always: nothing tells whether what is exported is what the file says
    return changed


def main() -> dict[str, Any]:
    asked = json.load(sys.stdin)
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    keys = {name: found["key"] for name, found in known.items()} | asked["keys"]
    clients = {name: {"address": address, "key": keys.get(name, "")} for name, address in sorted(asked["members"].items())}
    changed = put(RECORD, json.dumps(clients, indent=1) + "\n", 0o600)
    changed |= put(KEYS, authorised(clients))
    match = f"{OWN}Match User {','.join(settings['users'])}\n  AuthorizedKeysFile .ssh/authorized_keys {KEYS}\nMatch all\n"
    changed |= apply(SSHD, match, "systemctl", "reload", "ssh.service")
    changed |= serve(settings, [each["address"] for each in clients.values()])
    host_key = " ".join(Path("/etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="utf-8").split()[:2])
    return {"engine": settings["engine"], "data": settings["data"], "host_key": host_key, "changed": changed}


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(main()))
    except subprocess.CalledProcessError as error:
        sys.exit(f"'{' '.join(error.cmd)}' failed: {' '.join((error.stderr or error.stdout or '').split())}")
