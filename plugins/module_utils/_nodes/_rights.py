# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in folders that belong to users. Sent to the nodes with the modules that run there: the standard library alone."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

ROOT = 0


@contextmanager
def rights_of(account: pwd.struct_passwd) -> Iterator[None]:
    """Reach files as this user: who owns a folder may put a link there at any time, and root would follow it to what is not the user's.

    For calls of this process only. A command that it starts could become root again: give it to ``runuser``.
    """
    if os.geteuid() != ROOT or account.pw_uid == ROOT:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    try:
        os.initgroups(account.pw_name, account.pw_gid)
        os.setegid(account.pw_gid)
        os.seteuid(account.pw_uid)
        yield
    finally:
        os.seteuid(ROOT)
        os.setegid(group)
        os.setgroups(groups)
