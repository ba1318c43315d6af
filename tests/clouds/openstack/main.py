# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cloud, built, started, and taken away: what `build`, `up` and `down` beside this file do."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import read, remove_tree, write, write_json
from ansible_collections.sky.clusters.tests.support.state_folder import alone

from . import container, furniture, golden, layers, machine, places, ready, systems
from .layers import Layer, digest
from .steps import say, step

DEMO = places.HERE / "demo.sky.yml"


@dataclass(frozen=True)
class Layers:
    """What a cloud of this machine is made of."""

    cloud: Layer
    node: Layer
    golden: Layer

    @classmethod
    def here(cls) -> Layers:
        here, cache = systems.Machine.here(), places.cache()
        base = [dataclasses.astuple(here), places.HERE / "systems.py"]
        cloud = Layer(cache, "cloud", digest("cloud", *base), lambda work: systems.build_cloud(here, work))
        node = Layer(cache, "node", digest("node", *base, systems.BY_ID), lambda work: systems.build_node(here, work))
        code = [places.HERE / name for name in ("places.py", "container.py", "furniture.py", "golden.py")]
        known = digest(cloud.digest, node.digest, *code, *golden.files())
        return cls(cloud, node, Layer(cache, "golden", known, lambda work: golden.build(work, cloud.folder, node.folder, here.resolvers)))

    def ensure(self) -> None:
        layers.clear(places.cache())
        if not self.golden.is_there:
            with ThreadPoolExecutor(2) as pool:
                both = {layer.name: pool.submit(layer.ensure) for layer in (self.cloud, self.node)}
                for name, built in both.items():
                    say(f"{built.result():6.1f} s  root file system: {name}")
            self.golden.ensure()
        if not container.running():  # a cloud stands on its layers
            layers.clear(places.cache(), (self.cloud, self.node, self.golden))


def up() -> None:
    with alone(places.STATE):
        made = Layers.here()
        noted = json.loads(read(container.STARTED) or "{}")
        runs = bool(noted) and container.running()
        if runs:
            if noted["golden"] != made.golden.digest:
                say("the cloud that runs was made from other files than these are: 'down', then 'up', makes it anew")
            machine.prepare()
        else:
            container.remove()
            made.ensure()
            noted = _start(made)
        _wait(noted, quiet=runs)
    _tell()


def _wait(noted: dict[str, str], quiet: bool) -> None:
    admin = _passwords(Path(noted["folder"])).connect()
    since = datetime.fromisoformat(noted["at"])
    for name in ready.wait(ready.everything(admin, since)):
        if not quiet:
            say(f"{(datetime.now(UTC) - since).total_seconds():6.1f} s  since its start: {name}")


def _start(made: Layers) -> dict[str, str]:
    with step("container started"):
        machine.prepare()
        container.mount([made.golden.folder / "upper", made.cloud.folder / "root"], places.STATE / "upper")
        noted = {"golden": made.golden.digest, "folder": str(made.golden.folder), "at": datetime.now(UTC).isoformat()}
        container.start()
    write(places.CONFIG, _passwords(made.golden.folder).clouds(), 0o600)
    if owner := os.environ.get("SUDO_UID"):
        os.chown(places.CONFIG, int(owner), -1)
    write_json(container.STARTED, noted)
    return noted


def _passwords(folder: Path) -> furniture.Passwords:
    return furniture.Passwords(**json.loads((folder / "passwords.json").read_text()))


def _tell() -> None:
    print(f"export OS_CLIENT_CONFIG_FILE={places.CONFIG}\nexport OS_CLOUD=alice\n# a cluster file for it: {DEMO}")


def down(cached: bool) -> None:
    with alone(places.STATE):
        container.remove()
        if cached and places.cache().is_dir():
            remove_tree(places.cache())


def build() -> None:
    with alone(places.STATE):
        made = Layers.here()
        if container.running() and container.STARTED.exists() and not made.golden.is_there:
            raise HostError("a cloud made from other files runs, and building starts another at its place: 'down' first")
        made.ensure()


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/clouds/openstack/", description=__doc__)
    parser.add_argument("what", choices=("build", "up", "down"))
    parser.add_argument("--cache", action="store_true", help="down: also what was built")
    asked = parser.parse_args(words)
    if os.geteuid():
        say("the test cloud is a container with networks of its own: run this as root")
        return 1
    try:
        if asked.what == "down":
            down(asked.cache)
        elif asked.what == "up":
            up()
        else:
            build()
    except HostError as error:
        say(f"tests/clouds/openstack/{asked.what}: {error}")
        say(error.log)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
