# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate the variables of the collection's roles: unknown names and invalid values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import DEFAULT_TYPE_VALIDATORS
from ansible.vars.plugins import get_vars_from_inventory_sources, get_vars_from_path

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Check
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, SYSTEMS
from ansible_collections.sky.clusters.plugins.plugin_utils._controller_files import check as check_file
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import EXTRAS
from ansible_collections.sky.clusters.plugins.plugin_utils._python_packages import check as check_packages
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import ROLE_FOLDER

VALIDATORS: Mapping[str, Callable[[Any], Any]] = DEFAULT_TYPE_VALIDATORS
ALIKE = 0.8  # from this similarity on, a name counts as a misspelling
ORDINARY_IDS = range(1000, 60000)  # of ordinary users; others belong to the system
USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# Users and groups of Debian, of the software on nodes, and of the daemons.
SYSTEM_NAMES = frozenset((
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data", "backup", "list", "irc", "_apt",
    "nobody", "nogroup", "adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip", "operator",
    "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "users", "input", "kvm", "render", "sgx", "crontab", "netdev", "messagebus",
    "sshd", "_ssh", "polkitd", "systemd-network", "systemd-resolve", "systemd-timesync", "systemd-journal", "systemd-coredump", "_chrony",
    "ntp", "tss", "uuidd", "tcpdump", "syslog", "landscape",
    *(user for system in SYSTEMS.values() for user in system.users),
))  # fmt: skip


@cache
def known() -> Mapping[str, Mapping[str, Any]]:
    """The argument specification of each variable of the collection's roles."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(ROLE_FOLDER.glob("*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            found = {**entry.get("options", {}), **found}
    return found


def prefixes() -> tuple[str, ...]:
    """The prefixes of the names of the roles' variables."""
    return tuple(sorted({f"{role.parent.parent.name}_" for role in ROLE_FOLDER.glob("*/meta/argument_specs.yml")}))


def sources(loader: Any, inventory: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The variables of groups and hosts by the place where they are set: in the inventory, and in files beside it and beside the playbook."""
    groups = list(inventory.groups.values())
    for group in groups:
        yield f"group {group.name}", {**group.get_vars(), **_of_group(loader, inventory, group)}
    hosts = list(inventory.hosts.values())
    for host in hosts:
        yield f"host {host.name}", host.vars
    yield "host_vars", _from_files(loader, inventory, hosts)


def _of_group(loader: Any, inventory: Any, group: Any) -> dict[str, Any]:
    """The variables of a group from files. Ansible ignores the files of a group without hosts, so those may be unreadable."""
    try:
        return _from_files(loader, inventory, [group])
    except AnsibleError:
        if group.get_hosts():
            raise
        return {}


def _from_files(loader: Any, inventory: Any, entities: list[Any]) -> dict[str, Any]:
    beside_inventory = get_vars_from_inventory_sources(loader, inventory._sources, entities, "task")
    return {**beside_inventory, **get_vars_from_path(loader, loader.get_basedir(), entities, "task")}


def faults(place: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """The faults of the variables that are set in one place. Other variables are ignored, and so are templates."""
    where = f" ({place})" if place else ""
    for name, value in variables.items():
        if name in known():
            if reason := _wrong(name, value):
                yield f"{name}{where}: {reason}"
        elif name.startswith(prefixes()) and (near := difflib.get_close_matches(name, known(), 1, ALIKE)):
            yield f"{name}{where}: no such variable; did you mean '{near[0]}'?"


def doubled(place: str, variables: Mapping[str, Any], everywhere: Mapping[str, Any]) -> Iterator[str]:
    """Further users with the name or the id of the cluster's user, which other variables set. Templates are ignored.

    Args:
        everywhere: variables of all nodes, for what is not set in this place.
    """
    users = variables.get("node_users")
    name, uid = (variables.get(key, everywhere.get(key, known()[key]["default"])) for key in ("node_user", "node_user_uid"))
    if not users or _is_template([users, name, uid]) or _wrong("node_users", users):
        return
    where = f" ({place})" if place else ""
    for user in users:
        if user["name"] == name:
            yield f"node_users{where}: '{name}' is the cluster's user (node_user), which every node has: leave it out here, or choose another name"
        elif str(user["uid"]) == str(uid):
            yield f"node_users{where}: {name} (node_user) and {user['name']} have the same id {uid}"


def missing(roles: Iterable[str], places: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Variables that are set nowhere although a role of the file, or another variable, needs them."""
    given = {name for _place, variables in places for name, value in variables.items() if value not in (None, "")}
    for role in roles:
        source = ROLES[role].source
        if source not in given:
            instead = f", unless {source} is set" if source else ""
            yield from (f"{name}: is required by the role {role}{instead}" for name in ROLES[role].required if name not in given)
    yield from _partners(given)


def _partners(given: Collection[str]) -> Iterator[str]:
    for name, others in NEEDS.items():
        if name in given and (absent := [other for other in others if other not in given]):
            yield f"{' and '.join(absent)}: {'is' if len(absent) == 1 else 'are'} required with {name}"


def misplaced(roles: Iterable[str], places: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Variables that are set although a role of the file excludes them."""
    excluded = {name: role for role in roles for name in ROLES[role].excludes}
    for place, variables in places:
        where = f" ({place})" if place else ""
        yield from (f"{name}{where}: is for clusters without the role {role}" for name, role in excluded.items() if variables.get(name))


def of_role(role: str, values: Mapping[str, Any]) -> list[str]:
    """The faults of the variables that bear the name of a role, with the values that they have on a node."""
    own = {name: value for name, value in values.items() if name.startswith(f"{role}_")}
    return [*faults("", own), *missing([role] if role in ROLES else [], [("", own)]), *_both(role, own)]


def _both(role: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Variables of one node whose values come from elsewhere. Pools may differ in this, so it is a fault on one node only."""
    source = ROLES[role].source if role in ROLES else ""
    if source and values.get(source):
        yield from (f"{name}: comes from {source}, which is set too: leave one of them out" for name in ROLES[role].required if values.get(name))


def strangers(place: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Names with the prefix of a role that resemble no variable of it; they may belong to somebody else."""
    for name in variables:
        if name.startswith(prefixes()) and name not in known() and not difflib.get_close_matches(name, known(), 1, ALIKE):
            yield f"{name}{f' ({place})' if place else ''}: no role of this collection has this variable"


def dotted(extra: Mapping[str, Any], pools: Mapping[str, Any]) -> Iterator[str]:
    """Extra variables that set a part of another one (``sky_counts.worker=3``), or the count of a pool by its name."""
    for name, value in extra.items():
        first, dot, rest = name.partition(".")
        if dot and (first in EXTRAS or first in known() or first in pools):
            yield f'{name}: names of variables contain no dot; use JSON, such as -e \'{{"{first}": {{"{rest}": {_json(value)}}}}}\''
        elif name in pools and name not in known() and re.fullmatch(r"[0-9]+", str(value)):
            yield f'{name}: is a pool, not a variable; to change its count use -e \'{{"sky_counts": {{"{name}": {value}}}}}\''


def _json(value: Any) -> str:
    return str(value) if re.fullmatch(r"[0-9]+", str(value)) else f'"{value}"'


def _wrong(name: str, value: Any) -> str:
    """Why a value is invalid; empty if it is valid or a template."""
    if _is_template(value):
        return ""
    spec = known()[name]
    kind = str(spec.get("type", "str"))
    try:
        read = VALIDATORS[kind](value) if value is not None else None
    except (TypeError, ValueError):
        return f"must be of type {kind}, got {value!r}"
    if read is None:
        return "must not be empty" if "default" in spec else ""
    if spec.get("choices") and read not in spec["choices"]:
        return f"must be one of {', '.join(map(str, spec['choices']))}, got {value!r}"
    if kind == "list" and spec.get("elements") == "dict" and (reason := _wrong_items(read, spec.get("options", {}))):
        return reason
    check: Callable[[str, Any], str] = CHECKS.get(name, _number if kind == "int" else _anything)
    return check(name, read)


def _wrong_items(items: list[Any], options: Mapping[str, Mapping[str, Any]]) -> str:
    """What is wrong with the first bad entry of a list of mappings."""
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            return f"entry {number} must be a mapping, got {item!r}"
        name = f"entry {number}" + (f" ('{item['name']}')" if "name" in item else "")
        unknown = [key for key in item if key not in options]
        if unknown:
            near = difflib.get_close_matches(unknown[0], options, 1)
            return f"{name}: unknown key '{unknown[0]}'" + (f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(options)}")
        missing = [key for key, option in options.items() if option.get("required") and item.get(key) in (None, "")]
        if missing:
            return f"{name}: '{missing[0]}' is missing"
        for key, value in item.items():
            try:
                VALIDATORS[str(options[key].get("type", "str"))](value)
            except (TypeError, ValueError):
                return f"{name}: '{key}' must be of type {options[key]['type']}, got {value!r}"
    return ""


def _is_template(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_template, value.values()))
    if isinstance(value, list):
        return any(map(_is_template, value))
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _anything(_name: str, _value: Any) -> str:
    return ""


def _number(name: str, value: int) -> str:
    if name.endswith("_port"):
        return "" if 1 <= value <= 65535 else f"must be a port from 1 to 65535, got {value}"
    if name.endswith("_uid"):
        return _user_id(name, value)
    least = 1 if name.endswith(("_memory", "_cores", "_batch")) else 0
    return "" if value >= least else f"must be {least} or more, got {value}"


def _user_id(_name: str, value: int) -> str:
    first, last = ORDINARY_IDS[0], ORDINARY_IDS[-1]
    return "" if value in ORDINARY_IDS else f"must be from {first} to {last}, since other ids belong to users of the system, got {value}"


def _user(_name: str, value: str) -> str:
    if value in SYSTEM_NAMES:
        return f"'{value}' is a user or a group of the system; choose another name"
    if USER_NAME.fullmatch(value) is None:
        return f"must be a user name (a-z, 0-9, _ and -, a letter or _ first, at most 32 characters), got {value!r}"
    return ""


def _shell(_name: str, value: str) -> str:
    return "" if re.fullmatch(r"/[A-Za-z0-9._/+-]+", value) else f"must be the path of a program, got {value!r}"


def _users(_name: str, users: list[Mapping[str, Any]]) -> str:
    """Further users: each name and each id once."""
    seen: dict[int, str] = {}
    for user in users:
        name, uid = str(user["name"]), int(user["uid"])
        if reason := _user("", name) or _user_id("", uid):
            return f"{name}: {reason}"
        if uid in seen or name in seen.values():
            return f"{seen.get(uid, name)} and {name} have the same id {uid}" if uid in seen else f"'{name}' is listed twice"
        seen[uid] = name
    return ""


def _of_system(check: Check) -> Callable[[str, Any], str]:
    return lambda _name, value: check(value)


def _of_packages(own: Mapping[str, str]) -> Callable[[str, Any], str]:
    return lambda _name, value: check_packages(value, own)


CHECKS: Mapping[str, Callable[[str, Any], str]] = {
    "node_user": _user,
    "node_user_shell": _shell,
    "node_users": _users,
    **{name: _of_packages(own) for role in ROLES.values() for name, own in role.packages.items()},
    **{name: _of_system(check_file) for role in ROLES.values() for name in role.files},
    **{name: _of_system(check) for system in SYSTEMS.values() for name, check in system.checks.items()},
}
NEEDS: Mapping[str, tuple[str, ...]] = {name: others for system in SYSTEMS.values() for name, others in system.needs.items()}


def bounded() -> set[str]:
    """The variables that :func:`beyond_node` compares, and those that it compares them with."""
    return {name for role in ROLES.values() for pair in role.limits.items() for name in pair} | {
        name for role in ROLES.values() for name in role.ports
    }


def beyond_node(node: str, variables: Any) -> list[str]:
    """Values that exceed what a node has, or that use one of its ports twice.

    Args:
        variables: the variables of the node in Ansible's `hostvars`: only those that are used are rendered.
    """
    roles = [ROLES[role] for role in variables.get("sky_roles", ()) if role in ROLES]
    limits = [pair for role in roles for pair in role.limits.items()]
    ports = {int(variables.get(name, port)): name for role in roles for name, port in role.ports.items()}
    taken = [entry["port"] for entry in variables.get("sky_balances", ()) if entry["port"] in ports]
    return [f"{ports[port]}: port {port} of {node} is one that it balances: choose another one" for port in taken] + [
        f"{name}: {variables[name]} is more than {node} has ({variables[having]})"
        for name, having in limits
        if name in variables and variables.get(having) and int(variables[name]) > int(variables[having])
    ]
