# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image goes from a Marketplace to the real Glance of the tests, and back, by one file that names both clouds. It makes no node.

An archive of this machine goes to Glance and back, too.

The Marketplace is that of a StratusLab test server in this process. Whoever described the image there is somebody else than who copies it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import site as stratuslab
from ansible_collections.sky.clusters.tests.support import openstack_site
from ansible_collections.sky.clusters.tests.support.bench import LxcBench
from ansible_collections.sky.clusters.tests.support.module_calls import call
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite, cloud_entry
from ansible_collections.sky.clusters.tests.support.site import Played, Site

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.openstack]

CLUSTER, NAME, BACK = "tcopy", "sky-tcopy", "sky-tcopy-back"
PROJECT = "physics"
MIB = 2**20
CONTENT = random.Random("an image").randbytes(6 * MIB + 12345)  # no whole number of parts, and nothing that compression would shrink
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MARY = ("CN=Mary Tester,OU=Testing Department,O=StratusLab Project,C=EU", "mary.tester@example.org")
# As somebody would write it who has the cluster file
PLAY = """
- name: Copy an image from cloud to cloud
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/sky.clusters.cluster:
      cluster: "{{ sky_cluster }}"
      clouds: "{{ sky_clouds }}"
      pools: "{{ sky_pools }}"
      settings: "{{ sky_settings }}"
  tasks:
    - name: Copy the image
      sky.clusters.image_copy:
        from_cloud: "{{ origin }}"
        to_cloud: "{{ target }}"
        image: "{{ image }}"
        name: "{{ name_there }}"
      register: copied
      when: not absent

    - name: Delete the image
      sky.clusters.image:
        cloud: "{{ target }}"
        name: "{{ name_there }}"
        state: absent
      when: absent

    - name: Write what came of it
      ansible.builtin.copy:
        content: "{{ copied | to_json }}"
        dest: "{{ playbook_dir }}/copied.json"
        mode: "0600"
      check_mode: false
      changed_when: false
      when: not absent
"""


class Copies:
    """Both clouds, and copies between them."""

    def __init__(self, site: Site, lal: stratuslab.Site, campus: OpenStackSite) -> None:
        self.site = site
        self.lal = lal
        self.campus = campus
        mary = lal.authority.issue("mary", *MARY)
        self.image = lal.publish(CONTENT, signer=mary).identifier

    def play(self, origin: str, target: str, image: str, name: str, *more: str, absent: bool = False) -> Played:
        words = {"origin": origin, "target": target, "image": image, "name_there": name, "absent": absent}
        command = self.site.command("ansible-playbook", "-i", str(self.site.file), "copy.yml", "-e", json.dumps(words), *more)
        done = subprocess.run(
            command, cwd=self.site.folder, env=os.environ | self.site.variables, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, timeout=240,
        )  # fmt: skip
        return Played(done.returncode, done.stdout)

    def copied(self, *words: str) -> tuple[bool, dict[str, Any]]:
        """Whether something was changed, and the image there."""
        played = self.play(*words)
        assert played.code == 0, played.output[-6000:]
        found = json.loads((self.site.folder / "copied.json").read_text(encoding="utf-8"))
        return bool(found["changed"]), dict(found["image"])

    def in_glance(self, name: str = NAME) -> list[Any]:
        return [image for image in self.campus.connect("alice").image.images() if image.name == name]


@pytest.fixture(scope="module")
def campus() -> OpenStackSite:
    """The test cloud, started if it does not run."""
    return openstack_site.running()


@pytest.fixture(scope="module")
def copies(campus: OpenStackSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """What was in the project before is there after, and nothing else."""
    before = campus.objects(PROJECT)
    folder = tmp_path_factory.mktemp("copy")
    (folder / "copy.yml").write_text(PLAY, encoding="utf-8")
    with stratuslab.running(tmp_path_factory.mktemp("lal")) as lal:
        user = lal.user_file(folder / "alice.cfg", pem_certificate=str(lal.jane.certificate), pem_key=str(lal.jane.key))
        known = {"provider": "stratuslab", "user_file": str(user), "ca_file": str(lal.authority.file), "flavor": "t1.micro"}
        made = Copies(Site(folder, CLUSTER, {}, campus.environment("alice")), lal, campus)
        clouds = {"lal": known | {"image": made.image}, "campus": cloud_entry(flavor="node.tiny"), "here": {"provider": "lxc", "zone": CLUSTER}}
        made.site.content |= {
            "plugin": "sky.clusters.clouds",
            "cluster": CLUSTER,
            "clouds": clouds,
            "pools": {"box": {"cloud": "campus", "count": 0}},
        }
        yield made
        for image in made.in_glance():
            campus.connect("alice").image.delete_image(image)
        assert campus.objects(PROJECT) == before


def test_check_mode_says_what_would_be_copied_and_copies_nothing(copies: Copies) -> None:
    played = copies.play("lal", "campus", copies.image, NAME, "--check")
    assert played.code == 0, played.output[-6000:]
    assert played.changed["localhost"] == 1
    assert copies.in_glance() == []


def test_an_image_of_the_marketplace_is_in_glance_with_its_checksum(copies: Copies, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    changed, image = copies.copied("lal", "campus", copies.image, NAME)
    took = time.monotonic() - began
    assert changed
    known = {key: image[key] for key in ("name", "cloud", "status", "ours", "size", "checksum", "format")}
    assert known == {
        "name": NAME,
        "cloud": "campus",
        "status": "active",
        "ours": True,
        "size": len(CONTENT),
        "checksum": CHECKSUM,
        "format": "raw",
    }
    figure(f"an image of {len(CONTENT) / MIB:.1f} MiB from a Marketplace to Glance, verified on both sides: {took:.1f} s")


def test_glance_has_the_very_file(copies: Copies) -> None:
    """By its own sum, and byte for byte."""
    (found,) = copies.in_glance()
    assert (found.status, found.size, found.hash_algo, found.visibility) == ("active", len(CONTENT), "sha512", "private")
    assert found.hash_value == hashlib.sha512(CONTENT).hexdigest()
    assert copies.campus.connect("alice").image.download_image(found).content == CONTENT


def test_a_second_copy_changes_nothing(copies: Copies) -> None:
    (before,) = copies.in_glance()
    changed, image = copies.copied("lal", "campus", copies.image, NAME)
    assert (changed, image["id"]) == (False, before.id)
    assert [each.id for each in copies.in_glance()] == [before.id]


def test_an_image_of_glance_is_in_the_marketplace_with_the_same_checksum(copies: Copies) -> None:
    """Its description is signed by who copies it, beside that of the one who described it first."""
    changed, image = copies.copied("campus", "lal", NAME, BACK)
    assert changed
    assert (image["name"], image["ours"], image["size"], image["checksum"]) == (BACK, True, len(CONTENT), CHECKSUM)
    emails = {entry.email for entry in copies.lal.marketplace.entries if not entry.deprecated}
    assert emails == {MARY[1], stratuslab.EMAIL}


def test_an_archive_of_this_machine_is_kept_in_glance_and_comes_back(copies: Copies, tmp_path: Path) -> None:
    """With its checksum, and as what it is, though it is raw to Glance."""
    file, names = LxcBench().image_file(tmp_path), (f"{NAME}-archive", f"{NAME}-again")
    checksum = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    places = (("here", names[0]), ("campus", names[0]), ("here", names[1]))
    try:
        added = call(copies.site, "image", cloud="here", name=names[0], source=str(file), checksum=checksum)
        assert added["changed"], added
        for (origin, image), (target, name) in itertools.pairwise(places):
            changed, found = copies.copied(origin, target, image, name)
            assert (changed, found["checksum"], found["format"]) == (True, checksum, "tar")
        (kept,) = copies.in_glance(names[0])
        assert (kept.disk_format, kept.size) == ("raw", file.stat().st_size)
    finally:
        for cloud, name in places:
            call(copies.site, "image", cloud=cloud, name=name, state="absent")
    assert copies.in_glance(names[0]) == []


def test_a_file_that_is_not_what_its_description_says_is_not_copied(copies: Copies) -> None:
    other = b"what is described " * 1000
    identifier = copies.lal.publish(other, served=other[:-1] + b"!").identifier
    before = copies.campus.objects(PROJECT)
    played = copies.play("lal", "campus", identifier, f"{NAME}-other")
    assert played.code != 0
    assert f"cloud lal: image {identifier}: its content has the SHA-1" in played.output
    assert copies.campus.objects(PROJECT) == before


def test_a_name_with_another_content_is_not_replaced(copies: Copies) -> None:
    (before,) = copies.in_glance()
    identifier = copies.lal.publish(b"another image " * 1000).identifier
    played = copies.play("lal", "campus", identifier, NAME)
    assert played.code != 0
    assert f"cloud campus: image {NAME} exists with the checksum {CHECKSUM}" in played.output
    assert [each.id for each in copies.in_glance()] == [before.id]


def test_what_was_copied_is_taken_away_in_both_clouds(copies: Copies) -> None:
    for target, name in (("campus", NAME), ("lal", BACK)):
        played = copies.play("", target, "", name, absent=True)
        assert played.code == 0, played.output[-6000:]
        assert played.changed["localhost"] == 1
    assert copies.in_glance() == []
    assert not [disk for disk in copies.lal.pdisk.disks.values() if disk.tag.endswith(f" {BACK}")]
    assert copies.image in {entry.identifier for entry in copies.lal.marketplace.entries if entry.email == MARY[1] and not entry.deprecated}
