# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of a node who does not mean well, and a home that this user reaches: the folders of pytest are closed to others."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = "nobody"


@contextmanager
def a_user() -> Iterator[pwd.struct_passwd]:
    """Whoever runs the tests; where that is root, somebody else, so that root's rights count."""
    found = pwd.getpwnam(NOBODY) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    place = Path(tempfile.mkdtemp(prefix="sky-user-"))
    place.chmod(0o755)
    home = place / "home"
    home.mkdir()
    os.chown(home, found.pw_uid, found.pw_gid)
    try:
        yield pwd.struct_passwd((*found[:5], str(home), found.pw_shell))
    finally:
        for folder, names, _files in os.walk(place):
            for name in names:  # tests close some
                Path(folder, name).chmod(0o700)
        shutil.rmtree(place)
