# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment as a root file system, without a container engine: what execution-environment.yml installs, on Debian.

It is kept under the hash of what it is made from. The collection is not in it, but mounted, since every change of the tree changes it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import run
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import remove_tree
from ansible_collections.sky.clusters.tests.clouds.openstack import systems
from ansible_collections.sky.clusters.tests.clouds.openstack.layers import Layer, digest
from ansible_collections.sky.clusters.tests.support import tree

CACHE = Path.home() / ".cache/sky-clusters/ci"
RUNNER = Path("/runner")  # a job's folder, as a container sees it
PYTHON = "/opt/image"  # the environment of Python in the image
BIN = Path(sys.executable).parent
SECONDS = 600.0
# In a mount namespace of its own. What a job writes outside its folder is in memory, and gone with it, as in a container.
ENTER = """\
base=$1 collections=$2 data=$3
shift 3
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mkdir -p /mnt/root/runner /mnt/root/usr/share/ansible/collections
mount --rbind /dev /mnt/root/dev
mount -t proc none /mnt/root/proc
mount --bind "$data" /mnt/root/runner
mount --bind "$collections" /mnt/root/usr/share/ansible/collections
cd /mnt/root
exec chroot . env -i PATH=/opt/image/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/runner/home "$@"
"""


def _definition() -> dict[str, Any]:
    return dict(yaml.safe_load((tree.ROOT / "execution-environment.yml").read_text(encoding="utf-8")))


def _system_packages() -> list[str]:
    """What bindep.txt asks for on this system; bindep itself reads it."""
    file = _definition()["dependencies"]["system"]
    return run(str(BIN / "bindep"), "-l", "newline", "-f", str(tree.ROOT / file)).split()


def _requirements() -> list[str]:
    """The options of pip for what it installs."""
    wanted = _definition()["dependencies"]
    return [str(wanted[name]["package_pip"]) for name in ("ansible_core", "ansible_runner")] + ["--requirement", str(tree.ROOT / wanted["python"])]


def _checks() -> list[str]:
    """The commands that the image's last layer runs."""
    steps = _definition()["additional_build_steps"]["append_final"]
    return [step.removeprefix("RUN ") for step in steps if step.startswith("RUN ")]


@dataclass(frozen=True)
class Image:
    """The root file system, and the collection as a user installs it."""

    base: Path
    collections: Path

    def inside(self, data: Path, *words: str) -> list[str]:
        """The command that runs a program in the image, with this folder as ``/runner``."""
        own = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*own, "sh", "-euc", ENTER, "sh", str(self.base), str(self.collections), str(data), *words]


def image(folder: Path) -> Image:
    """Build what is not there; the collection is installed below the folder."""
    here = systems.Machine.here()
    packages = ("python3", "python3-venv", *_system_packages())
    place = tree.ROOT / _definition()["dependencies"]["python"]
    known = digest("image", here.sources, here.settings, systems.SUITE, list(packages), _requirements()[:2], place, Path(__file__))
    layer = Layer(CACHE, "image", known, lambda work: _build(here, work, packages))
    layer.ensure()
    return Image(layer.folder / "root", tree.install(folder))


def _build(here: systems.Machine, work: Path, packages: tuple[str, ...]) -> None:
    systems.mmdebstrap(here, work, packages, [])
    wheels = work / "root/wheels"
    # this machine's pip knows where packages come from; the image's Python is Debian's
    download = [str(BIN / "pip"), "download", "--quiet", "--only-binary=:all:", "--python-version", "3.11", "--dest", str(wheels)]
    run(*download, *_requirements(), timeout=SECONDS)
    root = str(work / "root")
    run("chroot", root, "python3", "-m", "venv", PYTHON)
    names = [path.name for path in wheels.iterdir()]
    run("chroot", root, f"{PYTHON}/bin/pip", "install", "--quiet", "--no-index", "--no-deps", *(f"/wheels/{name}" for name in names), timeout=SECONDS)
    run("chroot", root, f"{PYTHON}/bin/pip", "check")
    for check in _checks():
        run("chroot", root, "sh", "-ec", check)
    remove_tree(wheels)
