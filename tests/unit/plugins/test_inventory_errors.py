# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory plugin says of files, values and clouds that it cannot read, and of hosts that are no nodes."""

from __future__ import annotations

import configparser
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import constants, context
from ansible.errors import AnsibleActionFail
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import inventory_loader
from ansible.template import Templar

from ansible_collections.sky.clusters.plugins.action.inventory_check import ActionModule
from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import SHORT
from ansible_collections.sky.clusters.plugins.plugin_utils._foreign_hosts import foreign_hosts
from ansible_collections.sky.clusters.tests.support.clusters import settled
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.tree import ROOT
from ansible_collections.sky.clusters.tests.support.world import World

GOOD = "plugin: sky.clusters.clouds\ncluster: demo\n"
SHIPPED = configparser.ConfigParser()
SHIPPED.read(ROOT / "ansible.cfg", encoding="utf-8")
ENABLED = [name.strip() for name in SHIPPED["inventory"]["enable_plugins"].split(",")]
NODES = ["demo-master-0", "demo-worker-0", "demo-worker-1"]
Program = Callable[..., InventoryManager]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """Reads an inventory as Ansible's programs do."""

    def read(*sources: Path | str, password: str = "") -> InventoryManager:
        given = [str(source) for source in sources]
        secrets: Any = [("default", VaultSecret(password.encode()))] if password else []
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict(inventory=given))
        if known := getattr(vault, "VaultSecretsContext", None):  # since core 2.19
            monkeypatch.setattr(known, "_current", known(secrets))
        loader = DataLoader()
        loader.set_vault_secrets(secrets)
        return InventoryManager(loader=loader, sources=given)

    return read


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the ansible.cfg of this repository."""
    monkeypatch.setitem(vars(constants), "INVENTORY_ENABLED", ENABLED)


@pytest.fixture
def content(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A cluster of three nodes that exist."""
    monkeypatch.setitem(vars(_fleet), "PROVIDERS", {"memory": Provider(MemoryOptions, MemoryCloud)})
    made = {
        "plugin": "sky.clusters.clouds",
        "cluster": "demo",
        "clouds": {"one": {"provider": "memory", "path": str(tmp_path / "world")}},
        "pools": {
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"], "groups": ["site_batch"]},
        },
    }
    settled(world, parse(made, {"memory": MemoryOptions}))
    return made


def written(folder: Path, content: dict[str, Any], name: str = "demo.sky.yml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / name


# files


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("demo.sky.yml", GOOD.encode() + b"pools:\n\tnode: 1\n", "line 4: a tab, where YAML wants blanks"),
        ("demo.yml", GOOD.encode() + b"pools:\n\tnode: 1\n", "line 4: a tab, where YAML wants blanks"),
        ("demo.sky.yaml", GOOD.encode() + b"pools: {node: {count: 1}\n", "line 4: while parsing a flow mapping"),
        ("demo.sky.yml", GOOD.encode() + b"owner: J\xf6rg\n", "line 3 is not UTF-8: save the file in that encoding"),
        ("demo.sky.yml", b"", "is empty"),
    ],
)
def test_with_the_shipped_settings_an_unreadable_file_is_told_by_one_sentence(
    tmp_path: Path, program: Program, capsys: pytest.CaptureFixture[str], name: str, content: bytes, sentence: str
) -> None:
    for source in (tmp_path / name, tmp_path / "folder"):  # Ansible shows the same error once
        path = source / name if source.name == "folder" else source
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        with pytest.raises(SystemExit) as ended:
            program(source)
        assert ended.value.code == 4
        told = capsys.readouterr()
        assert sentence in told.err
        assert "WARNING" not in told.err + told.out


@pytest.mark.parametrize("enabled", [ENABLED, ENABLED[1:]])
def test_other_inventories_are_read_by_ansible_s_own_plugins(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], enabled: list[str]
) -> None:
    monkeypatch.setitem(vars(constants), "INVENTORY_ENABLED", enabled)
    for switch in ("INVENTORY_ANY_UNPARSED_IS_FAILED", "LOCALHOST_WARNING"):
        monkeypatch.setitem(vars(constants), switch, value=True)
    secret = VaultLib([("default", VaultSecret(b"pw"))])
    (tmp_path / "hosts.ini").write_text("[printers]\nprinter\n")
    (tmp_path / "site.yml").write_text("all: {hosts: {scanner: {}}}\n")
    (tmp_path / "about.yml").write_text("# beside a file of sky.clusters.clouds\nall: {hosts: {copier: {}}}\n")
    (tmp_path / "own.sky.yml").write_text("all: {hosts: {plotter: {}}}\n")
    (tmp_path / "secret.yml").write_bytes(secret.encrypt("all: {hosts: {safe: {}}}\n"))
    (tmp_path / "groups.yml").write_text("plugin: ansible.builtin.constructed\ngroups: {machines: 'true'}\n")
    script = tmp_path / "script"
    script.write_text(f'#!{sys.executable}\nprint(\'{{"all": {{"hosts": ["fax"]}}, "_meta": {{"hostvars": {{}}}}}}\')\n')
    script.chmod(0o755)
    names = ("hosts.ini", "site.yml", "about.yml", "own.sky.yml", "secret.yml", "script", "groups.yml")
    read = program(*(tmp_path / name for name in names), "phone,modem,", password="pw")
    assert sorted(read.hosts) == ["copier", "fax", "modem", "phone", "plotter", "printer", "safe", "scanner"]
    assert "machines" in read.groups
    assert "WARNING" not in capsys.readouterr().err
    assert vars(constants)["LOCALHOST_WARNING"] is True


@pytest.mark.parametrize("enabled", [ENABLED, ENABLED[1:]])
@pytest.mark.parametrize("name", ["demo.sky.yml", "demo.yml", "encrypted.yml", "json.yml"])
def test_a_cluster_file_is_read_whatever_it_is_called_and_whichever_plugin_finds_it(
    tmp_path: Path, content: dict[str, Any], program: Program, monkeypatch: pytest.MonkeyPatch, enabled: list[str], name: str
) -> None:
    monkeypatch.setitem(vars(constants), "INVENTORY_ENABLED", enabled)
    text = yaml.safe_dump(content, default_flow_style=name == "json.yml", width=9999)
    secret = VaultLib([("default", VaultSecret(b"pw"))])
    path = tmp_path / "files" / name
    path.parent.mkdir()
    path.write_bytes(secret.encrypt(text) if name == "encrypted.yml" else text.encode())
    assert sorted(program(path, password="pw").hosts) == NODES


@pytest.mark.parametrize(("args", "warns"), [(("site.yml",), False), ("all", True)])  # of ansible-playbook, of ansible
def test_without_nodes_a_playbook_does_not_warn_that_only_localhost_is_there(
    tmp_path: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch, args: Any, warns: bool
) -> None:
    path = written(tmp_path / "files", content | {"cluster": "other"})
    monkeypatch.setitem(vars(constants), "LOCALHOST_WARNING", value=True)
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(inventory=[str(path)], args=args))
    assert not InventoryManager(loader=DataLoader(), sources=[str(path)]).hosts
    assert vars(constants)["LOCALHOST_WARNING"] is warns


# values


def secret_text(content: dict[str, Any], world: Path) -> str:
    """The file with two values that are encrypted."""
    secret = VaultLib([("default", VaultSecret(b"pw"))])
    plain = yaml.safe_dump(content | {"owner": "OWNER", "clouds": {"one": content["clouds"]["one"] | {"path": "PATH"}}})
    for word, value, indent in (("OWNER", "tester", 4), ("PATH", str(world), 8)):
        lines = secret.encrypt(value).decode().splitlines()
        plain = plain.replace(f": {word}\n", ": !vault |\n" + "".join(f"{' ' * indent}{line}\n" for line in lines))
    return plain


def test_values_that_are_encrypted_are_decrypted(tmp_path: Path, content: dict[str, Any], program: Program) -> None:
    path = tmp_path / "demo.sky.yml"
    path.write_text(secret_text(content, tmp_path / "world"), encoding="utf-8")
    read = program(path, password="pw")
    assert sorted(read.hosts) == NODES
    assert read.groups["all"].vars["sky_settings"] == {"owner": "tester"}
    assert read.groups["all"].vars["sky_clouds"] == content["clouds"]


def test_values_that_cannot_be_decrypted_are_told_by_their_places(
    tmp_path: Path, content: dict[str, Any], program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demo.sky.yml"
    path.write_text(secret_text(content, tmp_path / "world"), encoding="utf-8")
    for password in ("another", ""):
        with pytest.raises(SystemExit):
            program(path, password=password)
        told = capsys.readouterr().err
        for place in ("owner", "clouds.one.path"):
            assert f"\n{place}: cannot be decrypted with the vault secrets of this run (" in told
        assert "ANSIBLE_VAULT" not in told


# clouds


def test_the_first_listing_ends_soon_and_a_run_waits(
    world: World, tmp_path: Path, content: dict[str, Any], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = type(inventory_loader.get(PLUGIN))
    module = sys.modules[plugin.__module__]
    backoffs: list[Any] = []
    listed = vars(module)["list_all"]
    monkeypatch.setattr(plugin, "has_read", False)

    def list_all(clouds: Any, backoff: Any) -> Any:
        backoffs.append(backoff)
        return listed(clouds, backoff=backoff)

    monkeypatch.setitem(vars(module), "list_all", list_all)
    path = written(tmp_path / "files", content)
    world.fault("listing", "unavailable", times=SHORT.tries)
    before = world.calls("listing")
    with pytest.raises(SystemExit):
        program(path)
    assert world.calls("listing") == before + SHORT.tries
    program(path).refresh_inventory()
    assert backoffs == [SHORT, SHORT, None]  # the last is that of a run


def test_a_run_that_began_with_a_cached_list_waits_too(
    tmp_path: Path, content: dict[str, Any], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = type(inventory_loader.get(PLUGIN))
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    path = written(tmp_path / "files", content | cached)
    program(path)
    monkeypatch.setattr(plugin, "has_read", False)
    assert program(path).groups["all"].vars["sky_cached"] is True
    assert vars(plugin)["has_read"] is True


# hosts


@pytest.mark.parametrize(
    ("hosts", "sentences"),
    [
        ("[printers]\nprinter\n[site_batch]\nother\n[spark]\nlocalhost\n", []),
        ("[all]\nlocalhost\n[spark_worker]\ndemo-worker-0 site_rack=7\n", []),
        ("[spark_worker]\nplug\n", ["plug: is in the group spark_worker, whose"]),
        ("[mine]\nplug\n[spark_worker:children]\nmine\n[sky_heads]\nplug\n", ["plug: is in the groups spark_worker, sky_heads, whose"]),
        ("[spark_worker]\nlocalhost\ndemo-worker-2\n", ["localhost: is in", "demo-worker-2: is in"]),
        ("[acme_tools_role]\nplug\n", ["plug: is in the group acme_tools_role, whose"]),
    ],
)
def test_a_host_in_the_group_of_a_role_must_be_a_node(
    tmp_path: Path, content: dict[str, Any], program: Program, hosts: str, sentences: list[str]
) -> None:
    pools = content["pools"] | {"tool": {"cloud": "one", "count": 0, "roles": ["acme.tools.role"]}}
    (tmp_path / "hosts.ini").write_text(hosts)
    for made in ({}, {"worker": 2}):  # nodes that are not made yet may have variables already
        read = program(tmp_path / "hosts.ini") if made else program(written(tmp_path / "files", content | {"pools": pools}), tmp_path / "hosts.ini")
        found = list(foreign_hosts(read.groups, "demo", pools, made))
        assert [sentence[: len(wanted)] for sentence, wanted in zip(found, sentences, strict=True)] == sentences


def test_a_run_checks_that(tmp_path: Path, content: dict[str, Any], program: Program) -> None:
    (tmp_path / "hosts.ini").write_text("[spark_worker]\nplug\n")
    read = program(written(tmp_path / "files", content), tmp_path / "hosts.ini")

    class Checking(ActionModule):
        def __init__(self) -> None:
            self._loader = DataLoader()
            self.variables = dict(read.groups["all"].vars) | {"hostvars": SimpleNamespace(_inventory=read)}
            self._templar = Templar(self._loader, variables=self.variables)

    with pytest.raises(AnsibleActionFail, match=r"^plug: is in the group spark_worker, whose hosts must be nodes of this cluster, and is none; "):
        Checking().perform({"system": "", "configures": False})
