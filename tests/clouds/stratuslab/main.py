# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and removes the test site: the programs `up` and `down` in this folder.

The site is one process, which `up` leaves behind. Its machines are containers of a zone of the local cloud.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import read, remove_tree, write_json
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import Zone
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.processes import Process
from ansible_collections.sky.clusters.tests.support.state_folder import alone

from .lxc import RECIPES, Lxc
from .site import EMAIL, PLAIN, Plan, Site, lxc_content

HERE = Path(__file__).resolve().parent
STATE = Path("/var/lib/sky-clusters-stratuslab")  # the folder itself is the lock of whoever starts or stops
NOTED = STATE / "site.json"
LOG = STATE / "log"
ZONE = Zone("slab", Path("/var/lib/sky-clusters"), ipaddress.IPv4Network("10.73.0.0/22"))
ADDRESS = "10.73.0.1"  # of this machine on the machines' network: images are fetched from there too
PORT = 8444
SECONDS = 300  # for a start that builds the image first
NETWORKS = {
    "public": [f"10.73.1.{number}" for number in range(1, 101)],
    "local": [f"10.73.2.{number}" for number in range(1, 101)],
    "private": [f"10.73.3.{number}" for number in range(1, 101)],
}


def serve() -> None:
    """Run the site until a signal ends it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    lxc = Lxc(ZONE, NETWORKS["public"])
    lxc.prepare()
    plan = Plan(networks=NETWORKS, address=ADDRESS, port=PORT, hosts=("node1.stratuslab.test", "node2.stratuslab.test"))
    site = Site(STATE / "files", plan, lxc)
    site.start()
    images = {name: site.publish(lxc_content(name)).identifier for name in RECIPES}
    images["plain"] = site.publish(PLAIN).identifier
    for user in plan.passwords:
        site.user_file(STATE / f"{user}.cfg", user, pem_certificate=str(site.jane.certificate), pem_key=str(site.jane.key))
    site.user_file(STATE / "jane.cfg", "jane", pem_certificate=str(site.jane.certificate), pem_key=str(site.jane.key))
    _for_the_user(STATE)
    write_json(
        NOTED, {
            "process": dataclasses.asdict(Process.current()), "images": images, "ca_file": str(site.authority.file), "plain": site.plain,
            "endpoint": f"{site.base}/one-proxy/xmlrpc", "base": site.base, "oned": f"http://{ADDRESS}:{site.oned_port}/RPC2", "email": EMAIL,
        },
    )  # fmt: skip
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    site.stop()


def _for_the_user(folder: Path) -> None:
    """Who ran sudo may read the files of users and certificates."""
    owner = os.environ.get("SUDO_UID")
    for path in folder.rglob("*") if owner else ():
        os.chown(path, int(owner or 0), -1)


def noted() -> dict[str, Any]:
    """The site that runs; empty if none does."""
    found = json.loads(read(NOTED) or "{}")
    return dict(found) if found and Process(**found["process"]).alive() else {}


def up() -> None:
    with alone(STATE):
        if not noted():
            _clean()
            STATE.mkdir(exist_ok=True)
            with LOG.open("w") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", __spec__.name if __spec__ else __name__, "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            _wait(process)
        found = noted()
    print(f"# a cluster file for it: {HERE / 'demo.sky.yml'}\n# users' files: {STATE}/*.cfg\n# images: {found['images']}")


def _wait(process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while not noted():
        if process.poll() is not None:
            raise HostError("the site did not start", log=read(LOG)[-3000:])
        if time.monotonic() > end:
            process.kill()
            raise HostError(f"the site did not start within {SECONDS} s", log=read(LOG)[-3000:])
        time.sleep(0.2)


def down() -> None:
    with alone(STATE):
        found: Any = noted()
        if found:
            pid = int(found["process"]["pid"])
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + 30
            while noted() and time.monotonic() < end:
                time.sleep(0.1)
            with contextlib.suppress(ProcessLookupError):
                if noted():
                    os.kill(pid, signal.SIGKILL)
        _clean()


def _clean() -> None:
    Lxc(ZONE).remove(STATE / "files/disks")
    for path in list(STATE.iterdir()) if STATE.is_dir() else []:
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink()


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/clouds/stratuslab/", description=__doc__)
    parser.add_argument("what", choices=("up", "down", "serve"))
    asked = parser.parse_args(words)
    if os.geteuid():
        print("the site's machines are containers: run this as root", file=sys.stderr)
        return 1
    try:
        {"up": up, "down": down, "serve": serve}[asked.what]()
    except HostError as error:
        print(f"tests/clouds/stratuslab/{asked.what}: {error}\n{error.log}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
