# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server takes nodes in: each gets the key of munge, encrypted for that node, and all get to know its host key.

Arguments: the file of the key, which is made if it is absent; the file that keeps what is public of the members.
Standard input: ``members``, the address of every member by name; ``shown``, six lines of each node that asks: its public key, the digest of its key
of munge, its host key, its clock, its version of Slurm, whether it can confine jobs. Standard output: ``letters``, the encrypted key for those that
do not have it; ``strangers``, those that could not work with this server, each with the reason; ``members``; ``changed``.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CLOCKS = 240  # s that clocks may differ, of the 300 that munge allows: asking takes a moment
LENGTH = 128  # bytes of the key, which fit into one block of RSA


def secret(path: Path) -> tuple[bytes, bool]:
    """The key, and whether it was made."""
    if path.is_file() and path.stat().st_size >= 32:
        return path.read_bytes(), False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.touch(mode=0o600)
    new.write_bytes(os.urandom(LENGTH))
    new.replace(path)
    return path.read_bytes(), True


def letter(key: bytes, public: str) -> str:
    """The key, encrypted for the owner of a public key."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(public))
        file.flush()
        command = ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", file.name]
        options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"]
        return base64.b64encode(subprocess.run([*command, *options], input=key, capture_output=True, check=True).stdout).decode()


def strangers(shown: dict[str, list[str]], own: str, now: float) -> dict[str, str]:
    """The nodes that could not work with this server, each with one sentence.

    Args:
        own: the server's version of Slurm.
    """
    found = {}
    for name, (_public, _digest, _key, clock, version, _confines) in sorted(shown.items()):
        if abs(now - int(clock)) > CLOCKS:
            found[name] = f"the clock of {name} is {abs(now - int(clock)):.0f} s from the server's, and munge allows 300 s: set it right"
        if version != own:
            found[name] = f"{name} has Slurm {version} and the server {own}: all nodes need the same release of their distribution"
    return found


def main(place: Path, record: Path) -> dict[str, Any]:
    asked = json.load(sys.stdin)
    command = ["dpkg-query", "-W", "-f", "${Version}", "slurm-client"]
    own = ".".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(".")[:2])
    unfit = strangers(asked["shown"], own, time.time())
    key, made = secret(place)
    digest = hashlib.sha256(key).hexdigest()
    known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    letters = {}
    for name in asked["shown"].keys() - unfit.keys():  # one that was a member before stays one
        public, has, host_key, _clock, _version, confines = asked["shown"][name]
        known[name] = {"key": host_key, "confines": confines == "yes"}
        if has != digest:
            letters[name] = letter(key, public)
    new = {"key": "", "confines": False}
    members = {name: new | known.get(name, {}) | {"address": address} for name, address in sorted(asked["members"].items())}
    text = json.dumps(members, indent=1, sort_keys=True) + "\n"
    changed = made or not record.is_file() or record.read_text(encoding="utf-8") != text
    if changed:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(text, encoding="utf-8")
    return {"letters": letters, "strangers": unfit, "members": members, "changed": changed}


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
    except subprocess.CalledProcessError as error:
        sys.exit(f"'{' '.join(error.cmd)}' failed: {error.stderr}")
