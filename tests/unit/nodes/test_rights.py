# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root works in a folder of a user with the rights of that user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._rights import rights_of
from ansible_collections.sky.clusters.tests.support.users import a_user


def test_what_is_made_is_the_users_and_root_has_its_rights_back() -> None:
    before = (os.geteuid(), os.getegid(), sorted(os.getgroups()))
    with a_user() as user:
        made = Path(user.pw_dir) / "made"
        with pytest.raises(PermissionError), rights_of(user):
            made.mkdir()
            made.chmod(0o500)
            (made / "file").touch()
        assert (made.stat().st_uid, made.stat().st_gid) == (user.pw_uid, user.pw_gid)
    assert (os.geteuid(), os.getegid(), sorted(os.getgroups())) == before
