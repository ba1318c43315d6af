# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of a cloud stay on the controller; of a real host only ssh is open, to those whom the file names.

Checks 34 and 36 of docs/reliability.md.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import scan
from ansible_collections.sky.clusters.tests.support.openstack_site import HERE, OpenStackSite, cloud_entry
from ansible_collections.sky.clusters.tests.support.sampled import Sampled
from ansible_collections.sky.clusters.tests.support.site import Site

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("physics")]

BOX = "sec-box-0"
TOKEN = re.compile(rb"gAAAAA[\w-]{60,}")  # how keystone's tokens begin


class Built:
    """One real host, and what was seen while it was made."""

    def __init__(self, folder: Path, campus: OpenStackSite) -> None:
        kept = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache"), "ANSIBLE_LOG_PATH": str(folder / "log")}
        content: dict[str, Any] = {
            "plugin": "sky.clusters.clouds",
            "cluster": "sec",
            "admin_cidrs": [HERE],
            "clouds": {"campus": cloud_entry(flavor="node.tiny")},
            "pools": {"box": {"cloud": "campus", "count": 1, "public_ip": True}},
        }
        self.folder = folder
        self.campus = campus
        self.site = Site(folder, "sec", content, campus.environment("alice") | kept)
        with Sampled() as self.called:
            self.said = self.site.must("cluster", "-vvv").output

    def host(self) -> dict[str, Any]:
        return dict(self.site.inventory()["_meta"]["hostvars"][BOX])


@pytest.fixture(scope="module")
def built(campus: OpenStackSite, clean: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:  # noqa: ARG001
    made = Built(tmp_path_factory.mktemp("secure"), campus)
    yield made
    made.site.must("destroy")


def test_credentials_stay_on_the_controller(built: Built, figure: Callable[[str], None]) -> None:
    password = str(yaml.safe_load(built.campus.config.read_text(encoding="utf-8"))["clouds"]["alice"]["auth"]["password"])
    server = built.campus.admin().compute.get_server(built.host()["sky_id"])
    kept = [path for path in (built.folder / "log", *(built.folder / "cache").rglob("*")) if path.is_file()]
    texts = {
        "the output": built.said.encode(),
        "the list of processes": b"\n".join(built.called),
        "what the cloud tells of the server": repr(server.to_dict()).encode(),
        "the user data": base64.b64decode(server.user_data or ""),
        "the console": str(built.campus.admin().compute.get_server_console_output(server.id)).encode(),
        "the journal of the host": built.site.ssh(BOX, "journalctl --no-pager -o cat").encode(),
        **{str(path): path.read_bytes() for path in kept},
    }
    assert [where for where, text in texts.items() if password.encode() in text or TOKEN.search(text)] == []
    assert texts["the user data"].startswith(b"#cloud-config"), "else nothing was looked at"
    assert b"BEGIN SSH HOST KEY" in texts["the console"], "else nothing was looked at"
    # backwards, or the look itself would bring the password there
    look = f"grep -rlsF --exclude-dir=proc --exclude-dir=sys -e \"$(echo '{password[::-1]}' | rev)\" / || true"
    assert built.site.ssh(BOX, look).strip() == ""
    figure(f"36 the password and the tokens of a cloud in none of {len(texts)} places, {len(built.called)} command lines among them, nor on the host")


def test_ssh_alone_is_open_and_to_those_named_in_the_file(built: Built, figure: Callable[[str], None]) -> None:
    address = built.host()["ansible_host"]
    assert scan.scan([address]) == {address: [22]}
    built.site.content["admin_cidrs"] = ["192.0.2.0/24"]
    shut = built.site.play("cluster")
    assert soon_open(address, []) == [], shut.last(20)
    built.site.content["admin_cidrs"] = [HERE]
    built.site.must("cluster")
    assert soon_open(address, [22]) == [22]
    figure("34 TCP 1-65535 of a real host: 22 open to admin_cidrs, none to others")


def soon_open(address: str, wanted: list[int]) -> list[int]:
    """The open ports of an address, once they are these, or half a minute is over: agents of the cloud carry out what its API has taken."""
    end = time.monotonic() + 30
    while True:
        found = scan.scan([address])[address]
        if found == wanted or time.monotonic() > end:
            return found
