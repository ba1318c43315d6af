# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host keys on a node's console: a real one, and what may be wrong with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._common import _host_keys
from ansible_collections.sky.clusters.plugins.module_utils._clouds._common._host_keys import BEGIN, END
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import record

LONGEST = 255  # characters, as metadata of a server holds them
CONSOLE: str = record("console")["output"]
REAL = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINuQ4NqrZ8m6/2sH00JKt1aBEsxa4b2ymNSEy2XKQ8vK"


def key(folder: Path, kind: str, bits: int) -> str:
    """A real key of a host."""
    file = folder / f"{kind}-{bits}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-C", "root@demo-p-0", "-f", str(file)], check=True)
    return file.with_suffix(".pub").read_text(encoding="utf-8").strip()


def block(*lines: str) -> str:
    return "\r\n".join(["[   12.345678] cloud-init[433]: hello", BEGIN, *lines, END, "demo-p-0 login: "])


def read(console: str) -> str:
    return _host_keys.read(console, LONGEST)


def bare(line: str) -> str:
    return " ".join(line.split()[:2])


def test_a_real_console() -> None:
    assert "\ufffd" in CONSOLE and "authorized_keys" in CONSOLE  # with what was no UTF-8, and a user's key that is not the host's
    assert read(CONSOLE) == REAL


@pytest.mark.parametrize(
    "console",
    ["", "Debian GNU/Linux 12", CONSOLE.replace(BEGIN, ""), CONSOLE.replace(END, ""), CONSOLE[: CONSOLE.index(END) - 20], f"{BEGIN}\n{END}"],
)
def test_no_block_or_one_that_is_not_whole_yet(console: str) -> None:
    assert read(console) == ""


def test_of_several_blocks_the_last_whole_one_counts(tmp_path: Path) -> None:
    old, new = key(tmp_path, "ed25519", 256), key(tmp_path, "ecdsa", 256)
    assert read(block(old) + block(new)) == bare(new)
    assert read(block(old) + CONSOLE) == REAL
    assert read(block(old) + f"{BEGIN}\nssh-ed25519 AAAA") == bare(old)


def test_which_key_of_several(tmp_path: Path) -> None:
    ecdsa, ed25519 = key(tmp_path, "ecdsa", 521), key(tmp_path, "ed25519", 256)
    rsa = key(tmp_path, "rsa", 3072)
    assert read(block(rsa, ecdsa, ed25519)) == bare(ed25519)
    assert read(block(rsa, ecdsa)) == bare(ecdsa)
    assert len(bare(ecdsa)) <= 255 < len(bare(rsa))
    assert read(block(rsa)) == ""  # longer than metadata can hold


def test_lines_may_begin_with_what_the_console_puts_there() -> None:
    assert read(block(f"[   20.1] cloud-init[433]: {REAL} root@demo-p-0")) == REAL
    assert read(block(f"<14>Nov 21 13:46:45 cloud-init: {REAL}")) == REAL


@pytest.mark.parametrize(
    "line",
    [
        REAL[:30] + "[   15.123456] random: crng init done",
        REAL[:30] + "[   15.123456] random: crng init done\r\n" + REAL[30:],
        REAL[:40] + "\ufffd" + REAL[41:],
        REAL[:-4],
        REAL[:-1],
        REAL + "AAAA",
        REAL.replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
        "ssh-ed25519 AAAA",
        "ssh-ed25519 root@demo-p-0",
    ],
)
def test_a_key_that_something_came_into_is_none(line: str) -> None:
    """It would lock everybody out of the node for ever."""
    assert read(block(line)) == ""
    assert read(block(line, REAL)) == REAL
