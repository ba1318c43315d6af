# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of this machine, made for a test and removed after it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def sudoer(name: str) -> Iterator[Path]:
    """A user with a home, who may do everything by sudo without a password; gives the home."""
    if shutil.which("sudo") is None:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "sudo"], check=True, env=quiet)
    rights = Path(f"/etc/sudoers.d/{name}")
    if rights.exists():  # a test that was killed left it, and the user
        _remove(name, rights)
    rights.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
    rights.chmod(0o440)
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", name], check=True)
    try:
        yield Path(pwd.getpwnam(name).pw_dir)
    finally:
        _remove(name, rights)


def _remove(name: str, rights: Path) -> None:
    """Remove the user, if there, before the file that shows that the user is one of ours."""
    if name in {user.pw_name for user in pwd.getpwall()}:
        subprocess.run(["userdel", "--remove", "--force", name], check=True, capture_output=True)
    rights.unlink(missing_ok=True)


def key_of(name: str, home: Path) -> str:
    """Make an ssh key of the user's; the public one."""
    (home / ".ssh").mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / ".ssh/id_ed25519")], check=True)
    subprocess.run(["chown", "--recursive", f"{name}:", str(home / ".ssh")], check=True)
    return (home / ".ssh/id_ed25519.pub").read_text(encoding="ascii").strip()
