# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment is what ansible-builder accepts, and has the versions that the collection needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from ansible_collections.sky.clusters.tests.support import tree

DEFINITION = "execution-environment.yml"
REQUIREMENTS = "requirements-clouds.txt"


def definition() -> dict[str, Any]:
    return dict(yaml.safe_load((tree.ROOT / DEFINITION).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("image"), (tree.ROOT / DEFINITION).read_text(encoding="utf-8"))


def made(folder: Path, text: str) -> Path:
    """The build context that ansible-builder makes of a definition, with files in place of the built collection and of the Spark archive."""
    for name in ("bindep.txt", REQUIREMENTS):
        shutil.copy(tree.ROOT / name, folder)
    (folder / DEFINITION).write_text(text, encoding="utf-8")
    (folder / "build").mkdir()
    for name in ("sky-clusters.tar.gz", "spark.tgz"):
        (folder / "build" / name).touch()
    program = Path(sys.executable).parent / "ansible-builder"
    done = subprocess.run([program, "create", "--output-filename", "Containerfile"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "context"


def test_it_can_be_built(context: Path) -> None:
    recipe = (context / "Containerfile").read_text(encoding="utf-8")
    assert "FROM $EE_BASE_IMAGE" in recipe
    assert "ssh -V" in recipe[recipe.index("AS final") :]
    (collection,) = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert collection["type"] == "file"
    assert (context / "_build" / Path(collection["name"]).relative_to("/build")).is_file()  # the context's _build is /build there
    assert {Requirement(line).name for line in _lines(context / "_build/requirements.txt")} >= {"openstacksdk", "lxml", "xmlsec"}


def test_the_spark_archive_is_added_by_the_lines_for_it(tmp_path: Path) -> None:
    """At the path that the guide sets for spark_archive."""
    text, count = re.subn(r"^( +)# (- \{src: build/spark|- COPY )", r"\1\2", (tree.ROOT / DEFINITION).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 2
    context = made(tmp_path, text)
    (copied,) = re.findall(r"^COPY (\S+) (/usr/share/\S+)$", (context / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    (archive,) = (context / copied[0]).iterdir()
    guide = (tree.ROOT / "docs/docsite/rst/guide_awx.rst").read_text(encoding="utf-8")
    assert f"spark_archive: {copied[1]}/{archive.name}\n" in guide


def test_it_has_what_every_provider_needs() -> None:
    providers = [path for path in tree.ROOT.glob("requirements-*.txt") if path.name not in (REQUIREMENTS, "requirements-dev.txt")]
    assert len(providers) == 2
    assert sorted(_lines(tree.ROOT / REQUIREMENTS)) == sorted(line for path in providers for line in _lines(path))


def test_versions() -> None:
    wanted = definition()["dependencies"]
    pinned = [line for line in _lines(tree.ROOT / "requirements.txt") if line.startswith("ansible-core")]
    assert [wanted["ansible_core"]["package_pip"]] == pinned
    runner = Requirement(wanted["ansible_runner"]["package_pip"])
    assert (runner.specifier.contains("2.4.1"), runner.specifier.contains("2.4.2")) == (False, True)
    assert definition()["version"] == 3


def test_ssh_is_installed_on_every_family_of_systems() -> None:
    lines = [line.removesuffix("]").split(" [platform:") for line in _lines(tree.ROOT / "bindep.txt")]
    packages = {family: package for package, family in lines}
    assert packages == {"rpm": "openssh-clients", "dpkg": "openssh-client"}


def test_the_collection_names_what_an_image_needs() -> None:
    """For images that others build with this collection in them."""
    named = yaml.safe_load((tree.ROOT / "meta/execution-environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert named == {kind: definition()["dependencies"][kind] for kind in ("python", "system")}
    assert all((tree.ROOT / name).is_file() for name in named.values())


def _lines(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]
