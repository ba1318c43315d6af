# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The context of machines: who may log in, and how they prove their host keys."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Invalid, Mark, NodeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _host_keys
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._context import LONGEST, context, script
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import spec

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ"
NODE = NodeSpec(Mark("alice", "a", "p", 0), "image", "m1.small", ssh_keys=(f'{KEY} "ü$(x)',), ssh_user="debian")
TOKEN = "0123456789abcdef"


def test_the_user_data_for_cloud_init_are_complete() -> None:
    found = context(NODE, "cloud-init", TOKEN)
    data = gzip.decompress(base64.b64decode(found["CLOUD_INIT_USER_DATA"])).decode()
    assert data.startswith("#cloud-config\n")
    config = json.loads(data.partition("\n")[2])
    assert config["users"][0]["name"] == "debian"
    assert {file["path"]: file["permissions"] for file in config["write_files"]} == {
        "/etc/ssh/sshd_config.d/50-sky.conf": "0644", _host_keys.SETTINGS: "0644", _host_keys.PROGRAM: "0600",
    }  # fmt: skip
    assert config["runcmd"] == [["python3", _host_keys.PROGRAM]]
    assert (found["public_key"], found["CONTEXT_METHOD"], found["target"]) == (f"{KEY}\n", "cloud-init", "hdd")


def test_the_other_method_has_a_script_with_the_same_content() -> None:
    found = context(NODE, "one", TOKEN)
    word = found["SCRIPT_EXEC"].removeprefix("echo ").partition(" ")[0]
    text = base64.b64decode(word).decode()
    assert text == script(NODE, TOKEN)
    assert "useradd -m -s /bin/bash debian" in text
    assert subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False).returncode == 0
    assert "$" not in "".join(found.values())


def test_user_data_beyond_the_limit_are_refused_before_anything_is_made(opened: Callable[..., StratusLabCloud]) -> None:
    import random

    keys = tuple(f"ssh-ed25519 {base64.b64encode(random.Random(number).randbytes(60)).decode()}" for number in range(300))
    with pytest.raises(Invalid, match=rf"^node a-p-0: its user data have \d+ bytes compressed, {LONGEST} are possible: use fewer ssh keys$"):
        context(dataclasses.replace(NODE, ssh_keys=keys), "cloud-init", TOKEN)
    cloud = opened()
    many = spec(cloud, ssh_keys=keys)
    assert any("its user data have" in sentence for sentence in cloud.shortages([many], []))
    (event,) = cloud.create([many])
    assert (event.stage.value, event.final) == ("failed", True)
    assert cloud.leftovers() == []


def test_a_template_that_the_site_would_cut_is_refused_before_anything_is_made(opened: Callable[..., StratusLabCloud]) -> None:
    cloud = opened()
    long = spec(cloud, extra={"requirements": "x" * 50_000})
    (sentence,) = cloud.shortages([long], [])
    (event,) = cloud.create([long])
    assert (event.stage.value, event.final) == ("failed", True)
    for each in (sentence, event.detail):  # the compressed token of each attempt has a length of its own
        assert re.fullmatch(r"node a-p-0: its template has \d+ bytes, 48000 are possible", each)
    assert cloud.leftovers() == []


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"requirement": "x"}, "unknown key 'requirement' under extra; did you mean 'requirements'?"),
        ({"addresses": "10.0.0.5"}, "extra.addresses: must be a list of addresses, got '10.0.0.5'"),
        ({"cpu": "much"}, "extra.cpu: must be a number more than 0, got 'much'"),
        ({"cpu": 2}, "extra.cpu: must be at most the cores of instance type t1.micro (1), got 2"),
        ({"architecture": "sparc"}, "is for x86_64, and the nodes are sparc"),
    ],
)
def test_wrong_further_options_are_refused_with_their_place(opened: Callable[..., StratusLabCloud], extra: dict[str, object], reason: str) -> None:
    cloud = opened()
    found = cloud.shortages([spec(cloud, extra=extra)], [])
    assert found
    assert reason in found[0]
    assert found[0].startswith("pool p: ") or "architecture" in extra


def test_an_unknown_instance_type_is_refused_with_the_nearest(opened: Callable[..., StratusLabCloud]) -> None:
    cloud = opened()
    assert "unknown instance type 'm1.smal'; did you mean 'm1.small'?" in cloud.shortages([spec(cloud, flavor="m1.smal")], [])


def test_a_key_that_the_node_proves_is_believed() -> None:
    key = "ssh-ed25519 AAAA"
    shown = f"Warning: added\n{_host_keys.SIGN} {key} {_host_keys.proof(TOKEN, key)}\nPermission denied\n"
    assert _host_keys.judged("a-p-0", shown, {key}, TOKEN) == key
    assert _host_keys.judged("a-p-0", "Permission denied\n", {key}, TOKEN) is None  # it may still come
    for said, offered in ((shown, {"ssh-ed25519 EVIL"}), (shown.replace("AAAA", "EVIL"), {"ssh-ed25519 EVIL"}), (shown, set())):
        with pytest.raises(Denied, match=r"node a-p-0: its ssh server offers a host key that the node did not make"):
            _host_keys.judged("a-p-0", said, offered, TOKEN)


def test_the_program_of_the_node_makes_that_proof_and_removes_itself(tmp_path: Path) -> None:
    (tmp_path / "ssh_host_ed25519_key.pub").write_text(f"{KEY} root@node\n")
    path = tmp_path / "program.py"
    text = _host_keys.program(TOKEN).replace("/etc/ssh/", f"{tmp_path}/")
    path.write_text(text.replace(f"{tmp_path}/sky_host_keys.py", str(path)))
    subprocess.run(["python3", str(path)], check=True)
    assert (tmp_path / "sky_host_keys").read_text() == f"{_host_keys.SIGN} {KEY} {_host_keys.proof(TOKEN, KEY)}\n"
    assert not path.exists()


def test_no_token_is_the_same_twice() -> None:
    assert _host_keys.new_token() != _host_keys.new_token()
