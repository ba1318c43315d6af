# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the cluster file into hosts, groups and variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clouds
short_description: A cluster in one or several clouds, described by one file
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the cluster file, which is the configuration of this plugin, and lists the existing nodes of the cluster in its clouds.
  - The name of the file must end in C(sky.yml) or C(sky.yaml), or the first key of the file must be C(plugin).
  - Every node is a host. Its groups are C(pool_<pool>), C(cloud_<cloud>), one for each of its roles, and the C(groups) of its pool. A node that
    does not run yet, or has stopped, is only in the group C(sky_booting).
  - The variables C(sky_cluster), C(sky_clouds), C(sky_pools) and C(sky_settings) of the group C(all) contain the file itself.
  - A fault in the file, a second cluster file in the inventory, or a cloud that cannot be listed ends the programs of Ansible with an error.
  - Every host has variables that define how to reach it. Variables of the group C(all), settings of Ansible and C(~/.ssh/config) cannot change that.
  - Values that are encrypted with C(ansible-vault) are decrypted, and are plain in these variables.
  - No value of the file or of a cloud is run as a template. C(ansible-inventory --list) shows strings as they are, but for those that Ansible could
    run (with a brace, a C(|), a call, or Jinja2's header), which it shows as a mapping with the key C(__ansible_unsafe).
  - If the plugin is the first of C(enable_plugins) in the section C([inventory]) of C(ansible.cfg), a cluster file that is no YAML ends these
    programs too, with one sentence. Otherwise Ansible's own plugins only warn of it.
  - The warning of C(ansible-playbook) that an inventory has no hosts is switched off, since a cluster has none before its first run.
  - With O(cache), the playbooks of this collection still list the clouds, and drop the cache when they change nodes.
extends_documentation_fragment:
  - constructed
  - inventory_cache
requirements:
  - the software of each provider in the file; V(lxc) needs LXC on the controller
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [sky.clusters.clouds]
  cluster:
    description: Name of the cluster. It consists of at most 20 lower-case letters, digits and inner dashes, and starts with a letter.
    type: str
    required: true
  owner:
    description: Owner in the mark of every resource of the cluster. By default the user of the cloud's credentials.
    type: str
  admin_cidrs:
    description: Networks that may connect by ssh. Required if a pool has C(public_ip).
    type: list
    elements: str
    default: []
  ssh_keys:
    description: Public keys to authorise on every node. By default the keys of the ssh agent, else C(~/.ssh/*.pub).
    type: list
    elements: str
    default: []
  timeouts:
    description:
      - Maximum time of each stage of a node, in seconds. Can also be set for a cloud or a pool. V(0) inherits the value of the level above.
      - The stages are C(made) (900), C(booted) (300), C(reachable) (300) and C(deleted) (180).
    type: dict
    default: {}
  overlay:
    description:
      - The encrypted network between all nodes, V(true), V(false), or a mapping of C(range) (default V(10.99.0.0/16)), C(port) (default V(51820))
        and C(inside) (V(encrypted) or V(plain)). By default there is one if the pools are on more than one cloud.
    type: raw
  vpn_users:
    description: People outside who may join the overlay.
    type: list
    elements: str
    default: []
  firewall:
    description:
      - Further rules of the nodes' firewall. Each has C(action) (V(allow) or V(block)), C(direction) (V(in) or V(out)), C(nodes), C(protocol),
        C(ports) and C(peers).
      - With an empty list the nodes have the firewall without further rules. They have it without this option where there is an overlay, and where
        a cloud of the pools keeps nothing out by itself (StratusLab).
    type: list
    elements: dict
    default: []
  names:
    description: Further host names that every node knows, each with an address or the name of a node.
    type: dict
    default: {}
  clouds:
    description:
      - The clouds, by name. Each has a C(provider) and the options of the provider, which always include C(image), C(flavor) and C(ssh_user).
      - C(timeouts) are the timeouts in this cloud. C(extra) contains further options that are passed to the provider.
    type: dict
    required: true
  pools:
    description:
      - The pools of identical nodes, by name.
      - C(cloud) (str, required) is one of O(clouds). C(count) (int, required) is the number of nodes.
      - A run fails if fewer than C(min_count) (int, default C(count)) nodes are available.
      - C(roles) (list of str) are the roles of the nodes, such as V(spark_worker). C(groups) (list of str) are further inventory groups.
      - C(flavor) and C(image) (str) override those of the cloud. C(public_ip) (bool, default V(false)) gives each node an address that can be
        reached from outside.
      - C(volumes) (dict) are the data volumes of each node, by name. The value is a size in GiB, or has the keys C(size) (GiB), C(type), C(fs)
        (V(ext4) or V(xfs)) and C(mount) (default C(/data/<volume>)).
      - C(timeouts) and C(extra) are as in O(clouds).
    type: dict
    required: true
"""

EXAMPLES = r"""
---
# demo.sky.yml: a Spark cluster on this machine
plugin: sky.clusters.clouds
cluster: demo
clouds:
  here: {provider: lxc}
pools:
  master: {cloud: here, count: 1, roles: [spark_master]}
  worker: {cloud: here, count: 2, roles: [spark_worker], volumes: {spark: 10}}

---
# Groups and variables of the site, derived from variables of the nodes
plugin: sky.clusters.clouds
cluster: demo
clouds:
  here: {provider: lxc, flavor: medium}
pools:
  worker: {cloud: here, count: 2, roles: [spark_worker]}
compose:
  site_rack: "'r' ~ (sky_index // 16)"
keyed_groups:
  - {key: site_rack, prefix: rack}
"""

import hashlib
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants, context
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN, SETTINGS, Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import ring, with_login
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, list_all, open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import SHORT
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import head_nodes
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts, role_groups
from ansible_collections.sky.clusters.plugins.plugin_utils._cluster_files import (
    cluster_files,
    is_meant,
    may_be_meant,
    refuse,
    unreadable,
)
from ansible_collections.sky.clusters.plugins.plugin_utils._duplicate_keys import duplicate_keys
from ansible_collections.sky.clusters.plugins.plugin_utils._line_buffering import use_line_buffering
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import screen_width
from ansible_collections.sky.clusters.plugins.plugin_utils._timeline_callback import use_timeline
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import inventory_value
from ansible_collections.sky.clusters.plugins.plugin_utils._vaulted import decrypted


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """See DOCUMENTATION."""

    NAME = PLUGIN
    inventory: Any  # the base class sets these two in `parse`; before, they are None
    loader: Any
    has_read: ClassVar[bool] = False  # in this process: a run that has begun waits longer for a cloud that does not answer

    def verify_file(self, path: str) -> bool:
        """Whether a file may be a cluster file. Where the plugin is enabled by name, Ansible asks this of every source."""
        return may_be_meant(Path(path))  # even one that nobody may read, which the base class would leave to the others

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        if why := unreadable(Path(path)):
            refuse(f"{path}: {why}")
        if not is_meant(Path(path), loader):
            raise AnsibleParserError(f"{path} is not read as a cluster file: it does not say 'plugin: {PLUGIN}'")  # another plugin's
        if not isinstance(context.CLIARGS.get("args"), str):  # the program ansible, which says nothing else if there are no hosts
            vars(constants)["LOCALHOST_WARNING"] = False  # a cluster has none before its first run
        use_line_buffering()
        screen_width()  # for the workers
        use_timeline(loader)
        try:
            data = self._data(path)
            cluster = self._accepted(data, path)
            found = self._hosts(path, cluster, cache)
        except AnsibleError as error:
            refuse(f"{path}: the cluster cannot be read:\n{error}")
        except (ClusterFileError, FleetError) as error:
            refuse(f"{path}: the cluster cannot be read:\n{error}")
        except Exception as error:  # noqa: BLE001  # Ansible would turn any other error into a warning and continue
            Display().vvv(traceback.format_exc())
            refuse(f"{path}: the cluster cannot be read because of a bug in {PLUGIN} (-vvv shows details): {type(error).__name__}: {error}")
        InventoryModule.has_read = True
        self._populate(cluster, data, found)

    def forget(self, loader: Any, path: str) -> None:
        """Drop the cache of a cluster whose nodes change."""
        self.loader = loader
        self._read_config_data(path)
        if self.get_option("cache"):
            self._cache[self.get_cache_key(path)] = {}
            self._cache.set_cache()

    def _data(self, path: str) -> dict[str, Any]:
        """The file. What Ansible says of an option of the wrong type names neither the place nor the type in the file's own words."""
        try:
            return dict(decrypted(self._read_config_data(path)))
        except AnsibleError:
            content = self.loader.load_from_file(path)
            if isinstance(content, Mapping):
                parse(decrypted(content), option_classes())  # says it better
            raise

    def _accepted(self, data: dict[str, Any], path: str) -> Cluster:
        """The cluster that the file describes.

        Raises:
            ClusterFileError: the file, or its place in the inventory, has faults.
        """
        faults = [*self._others(path), *duplicate_keys(self._text(path))]
        try:
            cluster = parse(data, option_classes())
        except ClusterFileError as error:
            raise ClusterFileError(faults + error.faults) from error
        if faults:
            raise ClusterFileError(faults)
        return with_login(cluster, ring(Path("~").expanduser(), str(context.CLIARGS.get("private_key_file") or "")))

    def _text(self, path: str) -> str:
        content, _shown = self.loader._get_file_contents(path)  # decrypts the file; not all versions of Ansible have a public method for it
        return str(content.decode("utf-8", "replace"))

    def _others(self, path: str) -> Iterator[str]:
        """A cluster sets variables of the group `all`, so an inventory can have only one; a second file is refused even if it is unreadable."""
        sources = [str(source) for source in context.CLIARGS.get("inventory") or ()]
        others = [other for other in cluster_files(sources, self.loader) if other.resolve() != Path(path).resolve()]
        if others:
            yield f"the inventory contains another cluster file, {', '.join(map(str, others))}; use one cluster file per inventory (-i {path})"
        other = self.inventory.groups["all"].vars.get("sky_cluster")
        if other is not None and not sources:  # the same file may be given twice
            yield f"cluster: this inventory already contains the cluster '{other}'; use a separate inventory for each cluster"

    def _hosts(self, path: str, cluster: Cluster, cache: bool) -> list[dict[str, Any]]:
        key = self.get_cache_key(path)
        login = hashlib.sha256(repr(cluster.login).encode()).hexdigest()
        kept = self._cache.get(key) if cache and self.get_option("cache") else None
        if isinstance(kept, dict) and kept.get("login") == login:  # else it was created for other keys or folders, or was dropped
            self.inventory.set_variable("all", "sky_cached", value=True)
            return list(kept["hosts"])
        listings = list_all(open_clouds(cluster), backoff=None if InventoryModule.has_read else SHORT)
        found = [each.plain() for cloud, listing in listings.items() for each in hosts(listing, cloud, cluster)]
        found.sort(key=lambda each: str(each["name"]))
        if self.get_option("cache"):
            self._cache[key] = {"login": login, "hosts": found}
        return found

    def _populate(self, cluster: Cluster, data: dict[str, Any], hosts: list[dict[str, Any]]) -> None:
        for name in role_groups(cluster):
            self.inventory.add_group(name)
        settings = {key: data[key] for key in SETTINGS if data.get(key) is not None}
        shown = {"sky_cluster": cluster.name, "sky_clouds": data["clouds"], "sky_pools": data["pools"], "sky_settings": settings}
        heads = head_nodes((each["name"], each["variables"]["sky_roles"]) for each in sorted(hosts, key=lambda each: each["variables"]["sky_index"]))
        for name, value in (shown | {"sky_heads": heads}).items():
            self.inventory.set_variable("all", name, inventory_value(value))
        for each in hosts:
            self._add(each["name"], each["groups"], inventory_value(each["variables"]))

    def _add(self, name: str, groups: list[str], variables: dict[str, Any]) -> None:
        self.inventory.add_host(name)
        for group in groups:
            self.inventory.add_host(name, group=self.inventory.add_group(group))
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
