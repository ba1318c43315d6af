# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

# Packages are got by name through the package tools, so that a site's mirrors are honoured: no host of a registry is named.
# Written in halves, or this file named them.
HOSTS = [
    "".join(halves)
    for halves in (
        ("pypi.", "org"),
        ("python", "hosted"),
        ("npmjs.", "org"),
        ("npmjs.", "com"),
        ("crates.", "io"),
        ("proxy.", "golang"),
        ("repo1.", "maven"),
        ("repo.maven.", "apache"),
        ("central.", "sonatype"),
        ("deb.", "debian.org"),
        ("security.", "debian.org"),
        ("snapshot.", "debian.org"),
        ("archive.", "ubuntu.com"),
        ("galaxy.", "ansible.com"),
        ("docker.", "io"),
        ("quay.", "io"),
        ("ghcr.", "io"),
    )
]
MOST_BYTES = 512 * 1024
PLAYBOOK = re.compile(r"[a-z][a-z0-9_]*\.yml")


def test_no_registry_is_named(texts: dict[Path, str]) -> None:
    wrong = [f"{path}: {host}" for path, text in texts.items() for host in HOSTS if host in text.lower()]
    assert not wrong, "\n".join(wrong)


def test_sanity_has_nothing_to_ignore(tracked: list[Path]) -> None:
    assert not [path for path in tracked if re.fullmatch(r"ignore.*\.txt", path.name)]


def test_no_big_file(tracked: list[Path], root: Path) -> None:
    assert not [path for path in tracked if (root / path).is_file() and (root / path).stat().st_size > MOST_BYTES]


def test_links_stay_inside(tracked: list[Path], root: Path) -> None:
    links = [path for path in tracked if (root / path).is_symlink()]
    assert not [path for path in links if not (root / path).resolve().is_relative_to(root) or not (root / path).exists()]


def test_playbooks_can_be_called_by_name(tracked: list[Path]) -> None:
    """Ansible finds a collection's playbook by name only if the name could be one of Python's."""
    playbooks = [path for path in tracked if path.parts[0] == "playbooks" and len(path.parts) == 2 and path.suffix == ".yml"]
    assert not [path for path in playbooks if not PLAYBOOK.fullmatch(path.name)]


def test_the_version_is_released(root: Path) -> None:
    """Whoever sets a version also writes down what has changed."""
    version = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    released = yaml.safe_load((root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    assert version in released
    kept = {fragment for release in released.values() for fragment in release["fragments"]}
    written = {path.name for path in (root / "changelogs/fragments").glob("*.yml")}
    assert {name for name in written if numbers(name) <= numbers(version)} == kept


def numbers(name: str) -> tuple[int, ...]:
    """Those of a version, or of the release that a fragment waits for, which its name begins with."""
    return tuple(map(int, name.partition("-")[0].removesuffix(".yml").split(".")))
