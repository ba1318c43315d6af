# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install files and commands, given as JSON on standard input: the text of each file by its path below a folder.

Arguments: the folder; the names of commands, which become links in /usr/local/bin.
"""

import compileall
import json
import sys
from pathlib import Path

BIN = Path("/usr/local/bin")


def put(folder: Path, wanted: dict[str, str], commands: list[str]) -> bool:
    """Install them, and remove modules of an earlier version; whether anything was changed."""
    changed = False
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed = True
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    for path in [path for path in folder.rglob("*.py") if str(path.relative_to(folder)) not in wanted]:
        path.unlink()
        changed = True
    if changed:
        compileall.compile_dir(str(folder), quiet=1)
    for name in commands:
        link = BIN / name
        if not link.is_symlink() or link.readlink() != folder / "pbs":
            link.unlink(missing_ok=True)
            link.symlink_to(folder / "pbs")
            changed = True
    return changed


if __name__ == "__main__":
    sys.stdout.write("changed\n" if put(Path(sys.argv[1]), json.load(sys.stdin), sys.argv[2].split()) else "")
