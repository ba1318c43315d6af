# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this node can mount shared folders with; fails if one would hide files that the node has in its place.

Arguments: the users whose homes are shared. Standard output: whether the kernel has NFS (``kernel``), the public key of the node's own (``key``).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

UNITS = Path("/etc/systemd/system")
HOMES = Path("/home")
SOFTWARE = Path("/software")
KEY = Path("/etc/sky/nfs-key")
FILE_SYSTEMS = Path("/proc/filesystems")
SHOWN = 3  # files that the sentence names


def hidden(users: Sequence[str]) -> Iterator[str]:
    """One sentence for each folder that is not shared yet and holds files. Those that begin with a dot may be hidden: every new home has some."""
    for share, folder in [*((f"home-{user}", HOMES / user) for user in users), ("software", SOFTWARE)]:
        if (UNITS / f"sky-share-{share}.service").exists() or not folder.is_dir():
            continue
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        if names:
            more = ", ..." if len(names) > SHOWN else ""
            yield f"{folder} of this node is not empty, and the shared folder would hide {', '.join(names[:SHOWN])}{more}: move them away"


def public_key() -> str:
    """That of the node's own key, which is made if it is missing and never leaves the node."""
    if not KEY.is_file() or KEY.stat().st_size == 0:
        KEY.parent.mkdir(mode=0o755, exist_ok=True)
        KEY.unlink(missing_ok=True)
        os.umask(0o077)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", KEY], check=True, capture_output=True, text=True)
    return " ".join(KEY.with_suffix(".pub").read_text(encoding="utf-8").split()[:2])


def kernel_has_nfs() -> bool:
    """Whether this node can mount by the kernel. What a container's kernel has is the host's to use."""
    if subprocess.run(["systemd-detect-virt", "--quiet", "--container"], check=False).returncode == 0:
        return False
    if "nfs4" in FILE_SYSTEMS.read_text(encoding="utf-8").split():
        return True
    return shutil.which("modprobe") is not None and subprocess.run(["modprobe", "-q", "nfsv4"], check=False).returncode == 0


if __name__ == "__main__":
    if found := list(hidden(sys.argv[1:])):
        sys.exit("; ".join(found))
    try:
        sys.stdout.write(json.dumps({"kernel": kernel_has_nfs(), "key": public_key()}))
    except subprocess.CalledProcessError as error:
        sys.exit(f"ssh-keygen failed: {' '.join((error.stderr or error.stdout or '').split())}")
