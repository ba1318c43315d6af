# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that sandbox a service: systemd accepts them, and only the named folders are writable."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.sky.clusters.plugins.lookup.hardening import LookupModule


def test_systemd_accepts_every_line(tmp_path: Path) -> None:
    (lines,) = LookupModule().run(["/data/spark", "/srv/shared"])
    assert lines.splitlines()[-1] == "ReadWritePaths=/data/spark /srv/shared"
    assert "ProtectSystem=strict" in lines.splitlines()
    unit = tmp_path / "sandboxed.service"
    unit.write_text(f"[Unit]\nDescription=Sandboxed\n[Service]\nExecStart=/bin/true\nUser=daemon\n{lines}\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
