# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is wrong in a cluster file or a user file ends a run with one sentence, before the first machine, and nothing is left."""

from __future__ import annotations

import base64
import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.tests.clouds.stratuslab.marketplace import Entry, read
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import EMAIL, PLAIN, Plan, Site, running
from ansible_collections.sky.clusters.tests.support.engine_runs import wishes
from ansible_collections.sky.clusters.tests.support.stratuslab_peers import SiteProxy, content, existing, run_of

NETWORKS = {"public": [f"10.0.0.{number}" for number in range(2, 5)], "local": ["10.1.0.2"], "private": ["10.2.0.2"]}
KEYS = tuple(f"ssh-ed25519 {base64.b64encode(random.Random(number).randbytes(51)).decode()} k{number}" for number in range(300))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with three public addresses, and an image of each kind."""
    with running(tmp_path_factory.mktemp("small"), Plan(networks=NETWORKS)) as made:
        made.publish(PLAIN)
        yield made


def changed(site: Site, text: bytes, change: Callable[[str], str]) -> str:
    """An image whose metadata somebody changed in the Marketplace's own store; its identifier."""
    entry = site.publish(text)
    site.marketplace.entries.remove(entry)
    worse = change(entry.text)
    site.marketplace.entries.append(Entry(worse, entry.identifier, entry.email, entry.created, read(worse.encode()).values))
    return entry.identifier


def unsigned(text: str) -> str:
    return re.sub(r"<Signature.*</Signature>", "", text, flags=re.S)


def without(*names: str) -> Callable[[str], str]:
    """A user file without these keys."""
    return lambda text: "".join(line for line in text.splitlines(keepends=True) if line.partition(" ")[0] not in names)


BAD: dict[str, tuple[Callable[[Site], dict[str, Any]], str]] = {
    "no section": (
        lambda _site: {"section": "grid"},
        r"^cloud lal cannot be listed: section: user file \S+ has no section \[grid\]; it has default$",
    ),
    "no credentials": (
        lambda _site: {"edit": without("username", "password")},
        r"^cloud lal cannot be listed: missing credentials: set username and password, or pem_certificate and pem_key, in \S+",
    ),
    "a wrong port": (
        lambda _site: {"endpoint": "cloud.example.org:2634:2634"},
        r"^cloud lal cannot be listed: endpoint in the cluster file: 'cloud\.example\.org:2634:2634' is not an address: its port must be .*$",
    ),
    "a wrong password": (
        lambda _site: {"edit": lambda text: text.replace("alice's", "bob's")},
        r"^cloud lal cannot be listed: .* does not accept the credentials \(401 Unauthorized, StratusLab Password Realm\)$",
    ),
    "an unknown instance type": (lambda _site: {"flavor": "m1.smal"}, r"^cloud lal: .*unknown instance type 'm1\.smal'; did you mean 'm1\.small'\?$"),
    "a deprecated image": (
        lambda site: {"image": site.publish(b"deprecated", known={"slterms:deprecated": "has a hole"}).identifier},
        r"^cloud lal: image \S{29} must not be used: as \S+ describes it: it is deprecated \(has a hole\)$",
    ),
    "an expired image": (
        lambda site: {"image": site.publish(b"expired", known={"dcterms:valid": "2014-06-01T00:00:00Z"}).identifier},
        r"^cloud lal: image \S{29} must not be used: as \S+ describes it: it was valid until 2014-06-01T00:00:00Z$",
    ),
    "an unsigned image": (
        lambda site: {"image": changed(site, b"unsigned", unsigned)},
        r"^cloud lal: image \S{29} must not be used: as \S+ describes it: it is not signed$",
    ),
    "a forged image": (
        lambda site: {"image": changed(site, b"forged", lambda text: text.replace("a test image", "a worse image"))},
        r"^cloud lal: image \S{29} must not be used: as \S+ describes it: its signature is not valid \(.*\)$",
    ),
    "a black-listed image": (
        lambda _site: {"policy": {"deny_endorsers": [EMAIL]}},
        rf"^cloud lal: image \S{{29}} must not be used: as \S+ describes it: policy\.deny_endorsers names endorser {re.escape(EMAIL)}$",
    ),
    "an image of another architecture": (
        lambda site: {"image": site.publish(b"sparc", known={"slterms:os-arch": "sparc"}).identifier},
        r"^cloud lal: image \S{29} is for sparc, and the nodes are x86_64$",
    ),
    "an image that the Marketplace does not have": (lambda _site: {"image": "A" * 27}, r"^cloud lal: .*unknown image 'A{27}': https?://\S+ .*$"),
    "user data beyond the limit": (
        lambda _site: {"keys": KEYS},
        r"^cloud lal: node zb-w-0: its user data have \d+ bytes compressed, 16384 are possible: use fewer ssh keys$",
    ),
    "a template beyond the limit": (
        lambda _site: {"pool": {"extra": {"requirements": "x" * 50_000}}},
        r"^cloud lal: node zb-w-0: its template has \d+ bytes, 48000 are possible$",
    ),
    "no free address": (lambda _site: {"pool": {"count": 4}}, r"^cloud lal: network 'public' has 3 free address\(es\), 4 needed$"),
    "an address that is not the network's": (
        lambda _site: {"pool": {"extra": {"addresses": ["192.0.2.1"]}}},
        r"^cloud lal: node zb-w-0: network 'public' has no address 192\.0\.2\.1$",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence_before_the_first_machine(small: Site, proxy: SiteProxy, tmp_path: Path, name: str) -> None:
    given, reason = BAD[name]
    options = given(small)
    file = small.user_file(tmp_path / "alice.cfg")
    file.write_text(options.pop("edit", str)(file.read_text()))
    pool, keys = {"count": 1} | options.pop("pool", {}), options.pop("keys", ())
    known = {"user_file": str(file), "flavor": "t1.micro", "image": small.marketplace.entries[0].identifier} | proxy.endpoints() | options
    before = len(proxy.calls)
    with pytest.raises((Refused, FleetError)) as refusal:
        run = run_of(content("zb", {"w": pool}, **known))
        run.present(dataclasses.replace(wishes(run), ssh_keys=keys or wishes(run).ssh_keys))
    sentence, *rest = str(refusal.value).splitlines()
    assert re.search(reason, sentence), sentence
    assert rest in ([], ["nothing was changed: fix this and run the same command again"])
    assert not proxy.methods(before).keys() & {"one.vm.allocate"}
    assert existing(small) == []
