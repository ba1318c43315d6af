# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's user: a name and an id that are free, or belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _remote_tmp
from ansible_collections.sky.clusters.plugins.modules.node_check import (
    KEY_EXCHANGES,
    conflict,
    key_exchanges,
    known_groups,
    known_users,
)

SYSTEM = [("root", 0), ("sky", 1500), ("daemon", 1)]


@pytest.mark.parametrize(
    ("name", "number", "found"),
    [
        ("sky", 1500, ""),
        ("sky", 1501, "user 'sky' with id 1500"),
        ("other", 1500, "user 'sky' with id 1500"),
        ("daemon", 1500, "user 'sky' with id 1500"),
        ("root", 1600, "user 'root' with id 0"),
        ("other", 1600, ""),
    ],
)
def test_a_name_and_an_id_belong_together(name: str, number: int, found: str) -> None:
    known = [item for item in SYSTEM if name == item[0] or number == item[1]]
    assert conflict(name, number, known, []) == found
    assert conflict(name, number, [], known) == found.replace("user", "group")


def test_users_and_groups_are_found_by_name_and_by_id() -> None:
    assert ("root", 0) in known_users("root", 59999)
    assert known_users("no-such-user", 0) == [("root", 0)]
    assert ("root", 0) in known_groups("root", 59999)
    assert known_groups("no-such-group", 59999) == []


def test_the_folder_of_modules_is_created_once(tmp_path: Path) -> None:
    folder = tmp_path / ".ansible/tmp"
    for _time in range(2):
        _remote_tmp.create(str(folder))
    assert [oct(each.stat().st_mode & 0o7777) for each in (folder.parent, folder)] == ["0o755", "0o700"]
    assert folder.stat().st_uid == tmp_path.stat().st_uid


def test_ssh_is_not_told_to_offer_what_it_does_not_know() -> None:
    """The output of ``ssh -Q kex`` of Debian 12 and of Debian 13, cut short."""
    bookworm = "diffie-hellman-group14-sha256\ncurve25519-sha256\ncurve25519-sha256@libssh.org\nsntrup761x25519-sha512@openssh.com\n"
    trixie = f"{bookworm}sntrup761x25519-sha512\nmlkem768x25519-sha256\n"
    assert key_exchanges(bookworm) == ["sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org"]
    assert key_exchanges(trixie) == list(KEY_EXCHANGES)
