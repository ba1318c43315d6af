# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounted folders of stores outside of the cluster."""

from __future__ import annotations

import os

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _share
from ansible_collections.sky.clusters.plugins.module_utils._nodes._share import look_at_share, look_at_shares, share


@pytest.mark.parametrize(("part", "whole", "percent"), [(0, 0, 0), (0, 9, 0), (1, 1000, 1), (979, 1000, 98), (980, 1000, 98), (9, 9, 100)])
def test_shares_are_rounded_up_as_df_does(part: int, whole: int, percent: int) -> None:
    assert share(part, whole) == percent


def test_only_what_is_mounted_is_looked_at() -> None:
    (seen,) = look_at_shares(["/", "/shared"], "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n")
    found = os.statvfs("/")
    assert (seen.mount, seen.size, seen.fault) == ("/", found.f_blocks * found.f_frsize // _share.MIB, "")
    assert 0 < seen.free < seen.size


def test_a_folder_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_share, "STAT", ("sh", "-c", "exec sleep 60"))
    assert look_at_share("/shared", 0.2).fault == "/shared does not answer within 0 s"
    monkeypatch.setattr(_share, "STAT", ("sh", "-c", 'echo "stat: $0: shut down" >&2; exit 1'))
    assert look_at_share("/shared").fault == "/shared cannot be used: stat: /shared: shut down"
