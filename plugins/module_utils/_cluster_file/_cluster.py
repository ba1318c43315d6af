# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster file as dataclasses, validated whole: every fault at once, each with its path."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._base._schema import Choice, Cidr, Faults, Flag, Free, Integer, ListOf, MapOf, Number, Struct, Text, hint, option, read, schema, shown, step
from .._clouds._contract import Options
from .._systems._table import ROLES, SYSTEMS
from ._load_balancer import Balancing, check_balancing
from ._network import File, Overlay, check, network_of, overlay_of

PLUGIN = "sky.clusters.clouds"
INVENTORY_KEYS = (
    "plugin", "compose", "groups", "keyed_groups", "strict", "use_extra_vars", "leading_separator", "cache", "cache_plugin", "cache_timeout",
    "cache_connection", "cache_prefix",
)  # fmt: skip

CLUSTER_NAME = Text(r"[a-z]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and inner dashes, starting with a letter", 20)
SHORT_NAME = Text(r"[a-z][a-z0-9]*", "lower-case letters and digits, starting with a letter", 10)
CLOUD_NAME = Text(r"[a-z][a-z0-9]*", "lower-case letters and digits, starting with a letter", 20)
GROUP_NAME = Text(r"[a-zA-Z][a-zA-Z0-9_]*", "letters, digits and underscores, starting with a letter", 60)
FOREIGN_ROLE = Text(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){2}", "the full name of a role of another collection, such as acme.tools.jupyter", 120)
OWNER = Text(r"[A-Za-z0-9._@-]+", "letters, digits and any of . _ @ -", 64)
USER_NAME = Text(r"[a-z_][a-z0-9_-]*", "the name of a user or a group", 32)
PUBLIC_KEY = Text(
    r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+=*( [^\n]*)?",
    "a public ssh key on one line, such as 'ssh-ed25519 AAAA... me'",
    16384,
)
RESERVED_GROUPS = ("all", "ungrouped", "localhost")


class ClusterFileError(Exception):
    """A cluster file that cannot be used; one line a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Timeouts:
    """How long each stage of a node may take, in seconds; 0 leaves it to the level above."""

    made: int = option(Integer(0, 86400), "from the request until the cloud has the node, including the creation of its image", default=0)
    booted: int = option(Integer(0, 86400), "from made until its operating system has started", default=0)
    reachable: int = option(Integer(0, 86400), "from booted until ssh answers", default=0)
    deleted: int = option(Integer(0, 86400), "from the request until it is gone", default=0)

    def over(self, above: Timeouts) -> Timeouts:
        """These, where they are set, over those."""
        return Timeouts(**{f.name: getattr(self, f.name) or getattr(above, f.name) for f in dataclasses.fields(self)})


DEADLINES = Timeouts(made=900, booted=300, reachable=300, deleted=180)


@dataclass(frozen=True)
class Prices:
    """What a cloud charges, for sky.clusters.costs."""

    flavors: dict[str, float] = option(MapOf(Text(), Number()), "price of a node for one hour, by its flavor", default_factory=dict)
    volume: float | None = option(Number(), "price of one GiB of a data volume for one hour; unknown if not given", default=None)
    currency: str = option(Text(r"[^\s,]+", "a word without commas", 12), "currency of these prices", default="")


@dataclass(frozen=True)
class DataVolume:
    """A data volume of every node of a pool."""

    size: int = option(Integer(1, 1024 * 1024), "GiB")
    type: str = option(Text(), "the cloud's volume type; its default if empty", default="")
    fs: str = option(Choice(("ext4", "xfs"), "file system"), "file system created on it while it is blank", default="ext4")
    mount: str = option(Text(r"/[A-Za-z0-9._/-]+", "an absolute path"), "where it is mounted; /data/<volume> if empty", default="")
    owner: str = option(USER_NAME, "user that owns its top folder; without it, group and mode, the cluster's user if no role uses it", default="")
    group: str = option(USER_NAME, "group of its top folder", default="")
    mode: str = option(Text(r"[0-7]{3,4}", "3 or 4 octal digits in quotes"), "permission of its top folder", default="")


class VolumeKind:
    """``hdfs: 20`` or ``hdfs: {size: 20, type: ceph}``."""

    def parse(self, value: Any, path: str, faults: Faults) -> DataVolume | None:
        if isinstance(value, Mapping):
            return read(DataVolume, value, path, faults)
        size = Integer(1, 1024 * 1024).parse(value, path, faults)
        return None if size is None else DataVolume(size)

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [Integer(1).schema(), schema(DataVolume)]}


class RoleName:
    """A role of this collection by its short name, or one of another collection by its full name."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        if isinstance(value, str) and "." in value:
            return FOREIGN_ROLE.parse(value, path, faults)
        return Choice(tuple(ROLES), "role").parse(value, path, faults)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [Choice(tuple(ROLES), "role").schema(), FOREIGN_ROLE.schema()]}


@dataclass(frozen=True)
class Pool:
    """A set of like nodes on one cloud."""

    cloud: str = option(CLOUD_NAME, "name of the cloud, under clouds")
    count: int = option(Integer(0, 10000), "how many nodes")
    roles: tuple[str, ...] = option(ListOf(RoleName()), "what its nodes do", default=())
    min_count: int | None = option(Integer(0, 10000), "with fewer nodes than this the run fails; count if not given", default=None)
    groups: tuple[str, ...] = option(ListOf(GROUP_NAME), "further inventory groups of its nodes", default=())
    flavor: str = option(Text(), "flavor of the nodes; that of the cloud if empty", default="")
    image: str = option(Text(), "image of the nodes; that of the cloud if empty", default="")
    public_ip: bool = option(Flag(), "whether its nodes have an address that is reachable from outside the cloud", default=False)
    volumes: dict[str, DataVolume] = option(MapOf(SHORT_NAME, VolumeKind()), "data volumes of each node, by name", default_factory=dict)
    timeouts: Timeouts = option(Struct(Timeouts), "how long each stage may take here, in seconds", default=Timeouts())
    extra: dict[str, Any] = option(Free(), "further options of the provider, passed on unchanged", default_factory=dict)

    @property
    def least(self) -> int:
        """The number of nodes below which a run fails."""
        return self.count if self.min_count is None else min(self.min_count, self.count)


@dataclass(frozen=True)
class CloudEntry:
    """A cloud as the file names it."""

    provider: str
    options: Options  # an instance of the provider's options dataclass
    timeouts: Timeouts = Timeouts()
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    prices: Prices = dataclasses.field(default_factory=Prices)


@dataclass(frozen=True)
class Settings(Balancing):
    """The keys of the file that are neither its name, nor clouds, nor pools."""

    owner: str = option(OWNER, "owner in the mark; the user that a cloud's credentials belong to if empty", default="")
    admin_cidrs: tuple[str, ...] = option(ListOf(Cidr()), "networks that may connect with ssh", default=())
    ssh_keys: tuple[str, ...] = option(
        ListOf(PUBLIC_KEY), "public keys authorised on every node; if empty the agent's, then ~/.ssh/*.pub", default=()
    )
    timeouts: Timeouts = option(Struct(Timeouts), "how long each stage may take, in seconds", default=Timeouts())


SETTINGS = tuple(Settings.__dataclass_fields__)


@dataclass(frozen=True)
class Login:
    """How this controller logs in at nodes; nothing of it is in the file."""

    identities: tuple[str, ...] = ()  # files of the keys that ssh offers; its own choice if empty
    folder: str = ""  # for ssh's control sockets; every task connects anew if empty


@dataclass(frozen=True)
class Cluster:
    """A cluster file that was accepted."""

    name: str
    clouds: Mapping[str, CloudEntry]
    pools: Mapping[str, Pool]
    settings: Settings = Settings()
    login: Login = Login()

    def deadlines(self, pool: str) -> Timeouts:
        """The deadlines of a pool: its own over its cloud's over the file's over the table's."""
        spec = self.pools[pool]
        return spec.timeouts.over(self.clouds[spec.cloud].timeouts).over(self.settings.timeouts).over(DEADLINES)

    def pools_of(self, cloud: str) -> list[str]:
        return [name for name, pool in self.pools.items() if pool.cloud == cloud]

    @property
    def overlay(self) -> Overlay | None:
        """The overlay between its nodes, if it has one."""
        return overlay_of(self.settings, self.pools)

    @property
    def networked(self) -> bool:
        """Whether its nodes have a firewall, names and an agent of their own."""
        return network_of(self.settings, self.pools) or not all(self.clouds[pool.cloud].options.keeps_out for pool in self.pools.values())

    def with_counts(self, counts: Mapping[str, Any]) -> Cluster:
        """The same cluster with other counts, for one run.

        Raises:
            ClusterFileError: a pool that is not in the file, or a count that is none.
        """
        faults = Faults()
        pools = dict(self.pools)
        if not isinstance(counts, Mapping):
            raise ClusterFileError([f"sky_counts: must be a mapping from pool to count, got {shown(counts)}"])
        for name, count in counts.items():
            path = step("sky_counts", name)
            if name not in pools:
                faults.add(path, f"no such pool{hint(name, list(pools))}")
                continue
            # `-e sky_counts.worker=4` cannot be said, but `-e '{"sky_counts": {"worker": "4"}}'` is often meant
            number = int(count) if isinstance(count, str) and re.fullmatch(r"[0-9]{1,9}", count) else count
            value = Integer(0, 10000).parse(number, path, faults)
            if value is not None:
                pools[str(name)] = dataclasses.replace(pools[name], count=value)
        if not faults.found:
            _check_heads(pools, faults, lambda pool: step("sky_counts", pool) if pool in counts else f"pools.{pool}.count")
        if not faults.found and any(pool.count for pool in pools.values()):
            _check_network(self.name, self.clouds, pools, self.settings, faults)
        if faults.found:
            raise ClusterFileError(faults.found)
        return dataclasses.replace(self, pools=pools)


@dataclass(frozen=True)
class _CloudCommon:
    timeouts: Timeouts = option(Struct(Timeouts), "how long each stage may take on this cloud, in seconds", default=Timeouts())
    extra: dict[str, Any] = option(Free(), "further options of the provider, passed on unchanged", default_factory=dict)
    prices: Prices = option(Struct(Prices), "what the cloud charges", default_factory=Prices)


def parse(data: Any, providers: Mapping[str, type[Options]]) -> Cluster:
    """Read a cluster file.

    Args:
        data: the file as plain data.
        providers: the options dataclass of each provider.

    Raises:
        ClusterFileError: with every fault of the file.
    """
    if not isinstance(data, Mapping):
        raise ClusterFileError([f"the cluster file must be a mapping, got {shown(data)}"])
    faults = Faults()
    known = ("cluster", "clouds", "pools", *SETTINGS, *INVENTORY_KEYS)
    for key in data:
        if key not in known:
            faults.add(step("", key), f"unknown key{hint(key, [k for k in known if k not in INVENTORY_KEYS[1:]])}")
    name = _required(data, "cluster", CLUSTER_NAME, faults)
    settings = read(Settings, {k: data[k] for k in data if k in SETTINGS}, "", faults)
    clouds = _required(data, "clouds", MapOf(CLOUD_NAME, _CloudKind(providers), least=1), faults) or {}
    pools = _required(data, "pools", MapOf(SHORT_NAME, Struct(Pool), least=1), faults) or {}
    _check_cloud_names(data, faults)
    _cross_check(pools, settings, faults)
    _check_volumes(pools, faults)
    if pools and len(pools) == len(data["pools"]):  # else a head may be in a pool with a fault of its own
        _check_heads(pools, faults, lambda pool: f"pools.{pool}.count")
    if settings and name and pools and clouds and (len(pools), len(clouds)) == (len(data["pools"]), len(data["clouds"])):
        _check_network(name, clouds, pools, settings, faults)
    if faults.found or settings is None or name is None:
        raise ClusterFileError(faults.found)
    return Cluster(name, clouds, pools, settings)


def parse_parts(parts: Mapping[str, Any], providers: Mapping[str, type[Options]]) -> Cluster:
    """Read a cluster from the variables that the inventory plugin shows: ``cluster``, ``clouds``, ``pools``, ``settings``."""
    settings = parts.get("settings") or {}
    if not isinstance(settings, Mapping):
        raise ClusterFileError([f"settings: must be a mapping, got {shown(settings)}"])
    return parse({**settings} | {k: parts[k] for k in ("cluster", "clouds", "pools") if k in parts}, providers)


def _required(data: Mapping[str, Any], key: str, kind: Any, faults: Faults) -> Any:
    if data.get(key) is None:
        faults.add(key, "is required")
        return None
    return kind.parse(data[key], key, faults)


class _CloudKind:
    """A cloud's entry: `provider` says which options the rest are."""

    def __init__(self, providers: Mapping[str, type[Options]]) -> None:
        self.providers = providers

    def parse(self, value: Any, path: str, faults: Faults) -> CloudEntry | None:
        if not isinstance(value, Mapping):
            faults.add(path, f"must be a mapping, got {shown(value)}")
            return None
        if value.get("provider") is None:
            faults.add(f"{path}.provider", f"is required; known: {', '.join(sorted(self.providers))}")
            return None
        provider = Choice(tuple(self.providers), "provider").parse(value["provider"], f"{path}.provider", faults)
        if provider is None:
            return None
        common_keys = list(_CloudCommon.__dataclass_fields__)
        rest = {k: v for k, v in value.items() if k != "provider"}
        common = read(_CloudCommon, {k: v for k, v in rest.items() if k in common_keys}, path, faults)
        options = read(self.providers[provider], {k: v for k, v in rest.items() if k not in common_keys}, path, faults, common_keys)
        return None if common is None or options is None else CloudEntry(provider, options, common.timeouts, common.extra, common.prices)

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [self._of(name, options) for name, options in sorted(self.providers.items())]}

    def _of(self, name: str, options: type[Options]) -> dict[str, Any]:
        own = schema(options)
        properties = {"provider": {"const": name}} | own["properties"] | schema(_CloudCommon)["properties"]
        return own | {"properties": properties, "required": ["provider", *own["required"]]}


def _check_cloud_names(data: Mapping[str, Any], faults: Faults) -> None:
    """Every pool names a cloud of the file; checked on the raw file, so that another fault of the pool or the cloud does not hide this one."""
    clouds, pools = data.get("clouds"), data.get("pools")
    if not isinstance(clouds, Mapping) or not isinstance(pools, Mapping):
        return
    for name, pool in pools.items():
        cloud = pool.get("cloud") if isinstance(pool, Mapping) else None
        if isinstance(cloud, str) and cloud not in clouds:
            faults.add(f"{step('pools', name)}.cloud", f"no cloud {shown(cloud)} under clouds{hint(cloud, [str(c) for c in clouds])}")


def _cross_check(pools: Mapping[str, Pool], settings: Settings | None, faults: Faults) -> None:
    """Checks that need several keys."""
    for name, pool in pools.items():
        if pool.min_count is not None and pool.min_count > pool.count:
            faults.add(f"pools.{name}.min_count", f"must be at most count ({pool.count}), got {pool.min_count}")
        if pool.public_ip and settings and not settings.admin_cidrs:
            faults.add("admin_cidrs", f"is required: pools.{name} has public_ip, so list the networks that may connect with ssh")
        for place, group in enumerate(pool.groups):
            if group in RESERVED_GROUPS or group in ROLES or group.startswith(("pool_", "cloud_", "sky_")):
                faults.add(f"pools.{name}.groups[{place}]", f"'{group}' is reserved; choose another name")
        mounts = [volume.mount or f"/data/{v}" for v, volume in pool.volumes.items()]
        for place, mount in enumerate(mounts):
            if mount in mounts[:place]:
                faults.add(f"pools.{name}.volumes", f"two volumes are mounted at {mount}")


def _check_volumes(pools: Mapping[str, Pool], faults: Faults) -> None:
    """A role that keeps its data on a volume is given one."""
    for name, pool in pools.items():
        for role in pool.roles:
            needed = ROLES[role].volume if role in ROLES else ""
            if needed and needed not in pool.volumes:
                faults.add(f"pools.{name}.volumes", f"{role} keeps its data on a volume named '{needed}', such as {needed}: 20")


def _check_heads(pools: Mapping[str, Pool], faults: Faults, path: Callable[[str], str]) -> None:
    """A system whose members serve a head has exactly one, as soon as it has a node; one without any node needs none.

    Args:
        path: where the count of a pool is given.
    """
    for system in SYSTEMS.values():
        head = system.head
        members = [name for name, pool in pools.items() if head and pool.count and system.roles.keys() & pool.roles]
        heads = [name for name, pool in pools.items() if head in pool.roles]
        count = sum(pools[name].count for name in heads)
        if not members or count == 1:
            continue
        need = f"{system.title} needs exactly one {head}"
        if not heads:
            faults.add(f"pools.{members[0]}.roles", f"{need}, and no pool has this role")
            continue
        # the last pool that adds to too many, or the first that could have the one
        place = [name for name in heads if pools[name].count][-1] if count else heads[0]
        more = f" in pools {', '.join(heads)}" if len(heads) > 1 else ""
        faults.add(path(place), f"{need}, got {count}{more}")


def _check_network(name: str, clouds: Mapping[str, CloudEntry], pools: Mapping[str, Pool], settings: Settings, faults: Faults) -> None:
    """What the keys about the network can know only of the whole file."""
    networks = {cloud: entry.options.networks() for cloud, entry in clouds.items()}
    file = File(name, pools, networks, settings)
    check(file, faults)
    check_balancing(settings, file, faults)


def file_schema(providers: Mapping[str, type[Options]]) -> dict[str, Any]:
    """JSON schema of a cluster file, for editors. All its keywords are in draft 7, which most of them know."""
    settings = schema(Settings)
    return settings | {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sky.clusters cluster file",
        "properties": {
            "plugin": {"const": PLUGIN, "description": "what reads the file"},
            "cluster": CLUSTER_NAME.schema() | {"description": "name of the cluster, with which the names of its nodes begin"},
            "clouds": MapOf(CLOUD_NAME, _CloudKind(providers), least=1).schema() | {"description": "the clouds, by name"},
            "pools": MapOf(SHORT_NAME, Struct(Pool), least=1).schema() | {"description": "the sets of identical nodes, by name"},
        }
        | settings["properties"]
        | {key: {"description": "as in every inventory plugin of Ansible"} for key in INVENTORY_KEYS[1:]},
        "required": ["plugin", "cluster", "clouds", "pools"],
    }
