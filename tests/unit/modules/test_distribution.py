# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a distribution: unpacked whole, switched, and removed when nothing uses them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._distributions import Distribution, DistributionError, Recipe, Version
from ansible_collections.sky.clusters.plugins.modules.distribution import remove, use

RECIPE = Recipe(transform=("s,^[^/]*/?,./,x",), exclude=("*.cmd",), contains="bin/run")
OLD, NEW, NEWER = (Version(f"1.{number}", f"{number}" * 64) for number in range(3))


@pytest.fixture
def found(tmp_path: Path) -> Distribution:
    distribution = Distribution("tool", tmp_path)
    distribution.link.parent.mkdir(parents=True)
    for version in (OLD, NEW, NEWER):
        pack(distribution, version)
    return distribution


def pack(found: Distribution, version: Version, *names: str) -> None:
    """An archive with one folder, as upstream projects publish them."""
    source = found.root / "source" / f"tool-{version.version}"
    for name in names or ("bin/run", "bin/run.cmd", "conf/defaults"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(version.version)
    archive = found.archive(version.version)
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as file:
        file.add(source, source.name)


def select(found: Distribution, version: Version, keep: tuple[str, ...] = (), check: bool = False) -> dict[str, object]:
    return use(found, {"version": version.version, "keep": list(keep)}, check)


def test_an_archive_becomes_a_version_with_its_links(found: Distribution, tmp_path: Path) -> None:
    recipe = Recipe(RECIPE.transform, RECIPE.exclude, RECIPE.contains, {"conf": str(tmp_path / "etc/tool")})
    assert found.unpack(OLD, recipe)
    assert not found.unpack(OLD, recipe)
    home = found.home("1.0")
    assert (home / "bin/run").read_text() == "1.0"
    assert not (home / "bin/run.cmd").exists()
    assert ((home / "conf").readlink(), (tmp_path / "etc/tool").is_dir()) == (tmp_path / "etc/tool", True)
    assert found.unpacked() == [OLD]
    assert found.current() is None


def test_what_a_killed_run_left_is_no_version(found: Distribution) -> None:
    for name in (".sky-tool-1.0", ".sky-tool-1.0.old", ".sky-tool-0.9"):
        (found.link.parent / name / "bin").mkdir(parents=True)
        (found.link.parent / name / "bin/rest").touch()
    assert found.unpacked() == []
    assert found.unpack(OLD, RECIPE)
    assert sorted(path.name for path in found.link.parent.iterdir()) == ["tool-1.0"]
    assert not (found.home("1.0") / "bin/rest").exists()


def test_folders_of_others_are_left_alone(found: Distribution) -> None:
    """A machine that is lent, or an image, may have its own; a site may keep its jobs beside them."""
    others = [found.link.with_name(name) for name in ("tool-1.1", "tool-3.5.1-bin", "tool-jobs", "tool-jobs.old")]
    for folder in others:
        folder.mkdir()
        (folder / "work").touch()
    found.unpack(OLD, RECIPE)
    found.unpack(NEWER, RECIPE)
    assert select(found, OLD)["removed"] == ["1.1", "1.2"]  # of 1.1 there is an archive alone
    with pytest.raises(DistributionError, match=r"tool-1\.1 exists and was not made by this collection: move it away$"):
        pack(found, NEW)
        found.unpack(NEW, RECIPE)
    assert remove(found, {}, False) == {"changed": True}
    assert sorted(found.link.parent.iterdir()) == sorted(others)
    assert all((folder / "work").exists() for folder in others)
    found.link.symlink_to(others[1])
    assert remove(found, {}, False) == {"changed": False}
    assert found.link.is_symlink()


def test_another_archive_of_the_same_version_replaces_it(found: Distribution) -> None:
    found.unpack(OLD, RECIPE)
    other = Version(OLD.version, "f" * 64)
    assert found.unpack(other, RECIPE)
    assert found.unpacked() == [other]


def test_an_archive_of_something_else_is_refused_and_nothing_is_replaced(found: Distribution) -> None:
    found.unpack(OLD, RECIPE)
    pack(found, NEW, "README")
    (found.root / "source/tool-1.1/bin/run").unlink()
    pack(found, NEW, "README")
    with pytest.raises(DistributionError, match="does not contain bin/run"):
        found.unpack(NEW, RECIPE)
    found.archive("1.1").write_text("no archive")
    with pytest.raises(DistributionError, match="cannot be unpacked"):
        found.unpack(NEW, RECIPE)
    assert found.unpacked() == [OLD]


def test_a_switch_keeps_the_version_that_was_current_until_the_next(found: Distribution) -> None:
    for version in (OLD, NEW, NEWER):
        found.unpack(version, RECIPE)
    for version in (OLD, NEW, NEWER):
        found.archive(version.version).unlink()
    assert select(found, OLD, keep=("1.1", "1.2")) == {"changed": True, "switched": True, "removed": []}
    assert select(found, NEW, keep=("1.2",), check=True) == {"changed": True, "switched": True, "removed": []}
    assert found.current() == OLD
    assert select(found, NEW, keep=("1.2",)) == {"changed": True, "switched": True, "removed": []}
    assert select(found, NEW, keep=("1.2",), check=True) == {"changed": True, "switched": False, "removed": ["1.0"]}
    assert select(found, NEW, keep=("1.2",)) == {"changed": True, "switched": False, "removed": ["1.0"]}
    assert select(found, NEW, keep=("1.2",)) == {"changed": False, "switched": False, "removed": []}
    assert found.unpacked() == [NEW, NEWER]


@pytest.mark.parametrize("use_of_it", ["cwd", "open", "mapped"])
def test_a_version_that_a_process_uses_is_kept(found: Distribution, use_of_it: str) -> None:
    for version in (OLD, NEW):
        found.unpack(version, RECIPE)
    select(found, OLD, keep=("1.1", "1.2"))
    select(found, NEW, keep=("1.2",))
    file = found.home("1.0") / "bin/run"
    program = {
        "cwd": f"import os; os.chdir({str(file.parent)!r})",
        "open": f"kept = open({str(file)!r})",
        "mapped": f"import mmap; file = open({str(file)!r}, 'r+b'); kept = mmap.mmap(file.fileno(), 0); file.close()",
    }[use_of_it]
    process = subprocess.Popen([sys.executable, "-c", f"{program}; print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        process.stdout.readline()
        assert select(found, NEW, keep=("1.2",))["removed"] == []
    finally:
        process.communicate(b"\n")
    assert select(found, NEW, keep=("1.2",))["removed"] == ["1.0"]


def test_removal_leaves_nothing(found: Distribution) -> None:
    found.unpack(OLD, RECIPE)
    select(found, OLD)
    assert remove(found, {}, True) == {"changed": True}
    assert found.current() == OLD
    assert remove(found, {}, False) == {"changed": True}
    assert remove(found, {}, False) == {"changed": False}
    assert list(found.link.parent.iterdir()) == list(found.archive("1.0").parent.iterdir()) == []
