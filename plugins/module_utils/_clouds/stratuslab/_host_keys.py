# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys of nodes, on a cloud without consoles.

A node makes its own keys. It proves them with a token that its context holds: to a user of a certain name, who cannot log in, its ssh server shows
its public key and their HMAC. So nobody between the controller and the node can offer a key of their own, unless they can read the context: the
owner, and the administrators of the cloud. Once verified, the key is stored with the node, and the token is of no use any more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import subprocess
import tempfile
from pathlib import Path

from .._contract import Denied

USER = "sky-host-keys"  # an account that does not exist
SETTINGS = "/etc/ssh/sshd_config.d/60-sky-host-keys.conf"
SHOWN = "/etc/ssh/sky_host_keys"
PROGRAM = "/etc/ssh/sky_host_keys.py"
SSHD = f"Match User {USER}\n  Banner {SHOWN}\nMatch all\n"
SECONDS = 8
SIGN = "sky-host-key"
KEY = "ssh-ed25519"


def new_token() -> str:
    return secrets.token_hex(16)


def program(token: str) -> str:
    """What the node runs once: it removes itself, and the token with it."""
    return f"""\
import hashlib, hmac, os
key = " ".join(open("/etc/ssh/ssh_host_ed25519_key.pub").read().split()[:2])
proof = hmac.new(b"{token}", key.encode(), hashlib.sha256).hexdigest()
with open("{SHOWN}", "w") as out:
    out.write("{SIGN} " + key + " " + proof + "\\n")
os.chmod("{SHOWN}", 0o644)
os.unlink("{PROGRAM}")
"""


def proof(token: str, key: str) -> str:
    return hmac.new(token.encode(), key.encode(), hashlib.sha256).hexdigest()


def learned(name: str, address: str, port: int, token: str) -> str | None:
    """The verified key of a node; None while it does not show one.

    Raises:
        Denied: it shows a key that it did not make.
    """
    with tempfile.TemporaryDirectory(prefix="sky-") as folder:
        known = Path(folder) / "known_hosts"
        said = _banner(address, port, known)
        offered = {" ".join(line.split()[1:3]) for line in known.read_text(encoding="utf-8").splitlines()} if known.exists() else set()
    return judged(name, said, offered, token)


def judged(name: str, said: str, offered: set[str], token: str) -> str | None:
    """The key, if what the node says of it is true.

    Args:
        said: all that ssh wrote.
        offered: keys that the connection was made with.
    """
    lines = [line.split() for line in said.splitlines() if line.startswith(f"{SIGN} ")]
    if not lines or len(lines[0]) != 4:
        return None
    key = " ".join(lines[0][1:3])
    if not hmac.compare_digest(lines[0][3], proof(token, key)) or key not in offered:
        raise Denied(f"node {name}: its ssh server offers a host key that the node did not make: somebody may be between it and this machine")
    return key


def _banner(address: str, port: int, known: Path) -> str:
    """What the ssh server shows to the account; nobody logs in."""
    options = [
        "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={known}",
        "-o", "GlobalKnownHostsFile=none", "-o", "HashKnownHosts=no", "-o", f"HostKeyAlgorithms={KEY}", "-o", "PreferredAuthentications=none",
        "-o", "UpdateHostKeys=no", "-o", f"ConnectTimeout={SECONDS}", "-o", "LogLevel=INFO", "-o", "CheckHostIP=no", "-p", str(port),
    ]  # fmt: skip
    command = ["ssh", *options, f"{USER}@{address}", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=3 * SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr
