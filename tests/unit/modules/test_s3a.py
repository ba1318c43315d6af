# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys are typed, never passed; tests/integration/ceph has it with the real programs and a real object store."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.modules.s3a_credentials import StoreError, is_of, make, pairs

GROUP = grp.getgrgid(os.getgid()).gr_name
# Asks as Hadoop's program does, and writes down what it was given and how
JAVA = """#!/bin/bash
echo "$@" >> {folder}/arguments
env >> {folder}/environment
echo "WARNING: You have accepted the use of the default provider password"
for word; do last=$word; done
read -rsp "Enter alias password: " first; echo
read -rsp "Enter alias password again: " second; echo
[ "$first" = "$second" ] || exit 1
[ ! -e {folder}/fail ] || {{ echo "cannot store $first"; exit 1; }}
echo "$first" >> "${{last#localjceks://file}}"
"""
KEYS = {"fs.s3a.access.key": "AKIA0", "fs.s3a.secret.key": "s3cr3t/with+signs="}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The file that the role writes."""
    path = tmp_path / "keys"
    path.write_text("".join(f"{name}={value}\n" for name, value in KEYS.items()))
    return path


@pytest.fixture
def java(tmp_path: Path) -> str:
    program = tmp_path / "java"
    program.write_text(JAVA.format(folder=tmp_path))
    program.chmod(0o755)
    return str(program)


def test_keys_are_typed_and_neither_passed_nor_exported(tmp_path: Path, keys: Path, java: str) -> None:
    store = tmp_path / "s3a.jceks"
    make(keys, store, java, "/jars", GROUP)
    assert store.read_text().split() == list(KEYS.values())
    assert stat.S_IMODE(store.stat().st_mode) == 0o640
    for value in KEYS.values():
        assert value not in (tmp_path / "arguments").read_text() + (tmp_path / "environment").read_text()


def test_a_failure_leaves_the_old_store_and_names_no_key(tmp_path: Path, keys: Path, java: str) -> None:
    store = tmp_path / "s3a.jceks"
    store.write_text("old")
    (tmp_path / "fail").touch()
    with pytest.raises(StoreError, match=r"could not store fs\.s3a\.access\.key: cannot store \*\*\*"):
        make(keys, store, java, "/jars", GROUP)
    assert store.read_text() == "old"
    assert sorted(path.name for path in tmp_path.glob(".s3a*")) == []


def test_a_key_may_hold_any_sign(keys: Path) -> None:
    assert pairs(keys) == KEYS


def test_a_store_is_of_the_keys_that_it_was_made_of(tmp_path: Path, keys: Path, java: str) -> None:
    """A run may end between the writing of new keys and their store, and the clock may be set."""
    store = tmp_path / "s3a.jceks"
    assert not is_of(store, keys)
    make(keys, store, java, "/jars", GROUP)
    assert is_of(store, keys)
    for moved in (-1, 2):
        at = keys.stat().st_mtime_ns + moved
        os.utime(keys, ns=(at, at))
        assert not is_of(store, keys)
