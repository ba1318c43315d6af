# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource list (-l) asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .values import PbsError, items, number, seconds, size, unquoted

NAME = re.compile(r"[A-Za-z][\w.-]*")
# Resources of TORQUE's manual that this engine cannot honour, and why
REFUSED = {
    "cput": "the processor time of a whole job cannot be limited; pcput limits that of each process",
    "nice": "the nice value of processes cannot be set by the batch system; call nice in the script",
    "vmem": "the virtual memory of a whole job cannot be limited; mem limits the memory that it uses",
    "gpus": "the nodes have no GPUs that the batch system knows",
    "mics": "the nodes have no MICs that the batch system knows",
    "arch": "nodes are chosen by their properties: nodes=1:PROPERTY",
    "opsys": "nodes are chosen by their properties: nodes=1:PROPERTY",
    "other": "it has no meaning here",
    "software": "licences are not counted",
    "prologue": "scripts of users do not run before a job",
    "epilogue": "scripts of users do not run after a job",
    "size": "it belongs to machines of Cray",
    "reqattr": "nodes are chosen by their properties: nodes=1:PROPERTY",
    "nodeset": "nodes are chosen by their properties: nodes=1:PROPERTY",
    "qos": "there are no qualities of service",
    "select": "it is a resource of OpenPBS; TORQUE has nodes=2:ppn=4",
    "place": "it is a resource of OpenPBS; TORQUE has naccesspolicy",
    "gattr": "it is a setting of Moab",
    "gmetric": "it is a setting of Moab",
    "gres": "generic resources are not counted",
    "partition": "queues are chosen with -q",
    "procs_bitmap": "it has no meaning here",
    "taskgeometry": "processes are placed by nodes=N:ppn=M",
    "trl": "a job has one list of resources",
    "minwclimit": "a job has one walltime",
    "depend": "dependencies are stated with -W depend=...",
    "template": "there are no templates of jobs",
    "var": "variables are given with -v",
    "advres": "reservations are chosen with -W x=... of Moab, which is not here",
}
POLICIES = {"shared": False, "singlejob": True, "singleuser": None, "uniqueuser": None, "singletask": None}


@dataclass(frozen=True)
class Part:
    """Nodes of one kind: ``count:ppn=...:property``, or one node by its name."""

    count: int = 1
    ppn: int = 1
    properties: tuple[str, ...] = ()
    host: str = ""


@dataclass(frozen=True)
class Resources:
    """Everything that the -l options of a job ask for."""

    parts: tuple[Part, ...] = ()
    procs: int = 0
    walltime: int | None = None  # seconds
    memory: int | None = None  # bytes of the whole job
    process_memory: int | None = None  # bytes of each process
    limits: dict[str, int] = field(default_factory=dict)  # of each process: as, cpu (s), fsize
    properties: tuple[str, ...] = ()  # that every node has
    exclusive: bool = False
    given: dict[str, str] = field(default_factory=dict)  # as it was written

    @property
    def nodes(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def ppn(self) -> int:
        return self.parts[0].ppn if self.parts else 1

    @property
    def processes(self) -> int:
        return self.procs or sum(part.count * part.ppn for part in self.parts) or 1


def split(text: str) -> list[tuple[str, str]]:
    """The names and values of a list, in which commas separate and quotes protect."""
    found = []
    for item in items(text, "-l"):
        name, _equals, value = unquoted(item.strip()).partition("=")
        found.append((name.strip(), unquoted(value.strip())))
    return found


def may_name_nodes(lists: Iterable[str]) -> bool:
    """Whether nodes=... may hold the name of a node, which only the list of all nodes tells from a property."""
    values = [value for text in lists for name, value in split(text) if name == "nodes"]
    return any(not part.strip()[:1].isdigit() for value in values for part in value.split("+"))


def resources(lists: Iterable[str], hosts: Iterable[str] = ()) -> Resources:
    """What several -l options ask for; of one name the last counts.

    Args:
        hosts: names of the cluster's nodes, to tell a node's name from a property.
    """
    return asked_for({name: value for text in lists for name, value in split(text)}, hosts)


def asked_for(given: dict[str, str], hosts: Iterable[str] = ()) -> Resources:
    """What these resources ask for, by their names."""
    unknown = [name for name in given if name != "nodes" and name not in READERS and name not in REFUSED]
    if unknown:
        raise PbsError(f"-l {unknown[0]}: no such resource")
    for name in given:
        if name in REFUSED:
            raise PbsError(f"-l {name}: cannot be honoured: {REFUSED[name]}")
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise PbsError(f"-l {missing[0]}: needs a value, such as {missing[0]}={EXAMPLES.get(missing[0], '1')}")
    _check_places(given)
    if given.keys() >= set(MEMORY):
        raise PbsError("-l pmem: cannot be combined with mem")
    return _read(given, set(hosts))


def _check_places(given: Mapping[str, str]) -> None:
    """Each of these says how many processors a job gets and where; but for ncpus on one host, two of them contradict each other."""
    found = [name for name in PLACES if name in given]
    on_one_host = len(found) == 2 and found[0] == "ncpus" and found[1] in HOSTS and len(_hosts(given[found[1]], f"-l {found[1]}")) == 1
    if len(found) > 1 and not on_one_host:
        raise PbsError(f"-l {found[1]}: cannot be combined with {found[0]}=")


def _read(given: dict[str, str], hosts: set[str]) -> Resources:
    values: dict[str, object] = {"given": given, "parts": _places(given, hosts), "exclusive": _exclusive(given)}
    limits: dict[str, int] = {}
    for name, value in given.items():
        if name in ("nodes", "ncpus", "naccesspolicy", *HOSTS):
            continue
        key, read = READERS[name]
        if key == "limit":
            limits[LIMITS[name]] = int(str(read(value, f"-l {name}")))
        else:
            values[key] = read(value, f"-l {name}")
    return Resources(**values, limits=limits)  # type: ignore[arg-type]


def _places(given: Mapping[str, str], hosts: Collection[str]) -> tuple[Part, ...]:
    if "nodes" in given:
        return nodes(given["nodes"], hosts)
    processors = _processors(given["ncpus"], "-l ncpus") if "ncpus" in given else ()
    named = next((_hosts(given[name], f"-l {name}") for name in HOSTS if name in given), ())
    return (replace(named[0], ppn=processors[0].ppn),) if processors and named else processors or named


def _exclusive(given: Mapping[str, str]) -> bool:
    """Whether no other job may use the nodes."""
    of_nodes = shared(given.get("nodes", ""))
    if "naccesspolicy" not in given:
        return of_nodes is False
    policy = _policy(given["naccesspolicy"], "-l naccesspolicy")
    if of_nodes is policy:
        raise PbsError(f"-l naccesspolicy: {given['naccesspolicy']} contradicts #{given['nodes'].partition('#')[2]} of nodes=")
    return policy


def nodes(text: str, hosts: Collection[str] = ()) -> tuple[Part, ...]:
    """The parts of nodes=...: ``2:ppn=4:big+1``, or names of nodes."""
    shared(text)
    parts = tuple(_part(item, hosts) for item in text.partition("#")[0].split("+"))
    if len({part.ppn for part in parts}) > 1:
        raise PbsError("-l nodes: cannot be honoured: parts with different ppn; ask for the same ppn on all nodes")
    return parts


def shared(text: str) -> bool | None:
    """Whether other jobs may use the nodes of nodes=...#shared or nodes=...#excl; None if it does not say."""
    _nodes, mark, policy = text.partition("#")
    if mark and policy not in ("shared", "excl"):
        raise PbsError(f"-l nodes: unknown sharing '#{policy}'")
    return policy == "shared" if mark else None


def _part(text: str, hosts: Collection[str]) -> Part:
    first, *rest = text.strip().split(":")
    what = f"-l nodes={text}"
    count, host, properties = 1, "", []
    if re.fullmatch(r"\d+", first):
        count = number(first, what)
    elif first in hosts:
        host = first
    elif NAME.fullmatch(first):
        properties.append(first)
    else:
        raise PbsError(f"{what}: must begin with a number or the name of a node, got '{first}'")
    ppn = 1
    for item in rest:
        name, equals, value = item.partition("=")
        if name == "ppn" and equals:
            ppn = number(value, f"{what}: ppn")
        elif name in ("gpus", "mics"):
            raise PbsError(f"-l {name}: cannot be honoured: {REFUSED[name]}")
        elif equals or not NAME.fullmatch(name):
            raise PbsError(f"{what}: unknown '{item}'")
        else:
            properties.append(name)
    return Part(count, ppn, tuple(properties), host)


def _walltime(text: str, what: str) -> int:
    found = seconds(text, what)
    if found < 1:
        raise PbsError(f"{what}: must be at least a second")
    return found


def _processors(text: str, what: str) -> tuple[Part, ...]:
    return (Part(1, number(text, what)),)


def _features(text: str, what: str) -> tuple[str, ...]:
    names = tuple(re.split(r"[:,]", text))
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise PbsError(f"{what}: '{wrong[0]}' is no name of a property")
    return names


def _policy(text: str, what: str) -> bool:
    policy = POLICIES.get(text)
    if policy is None:
        raise PbsError(f"{what}: cannot be honoured: '{text}'; the node is shared or singlejob")
    return policy


def _hosts(text: str, what: str) -> tuple[Part, ...]:
    names = re.split(r"[+,]", text)
    if not all(NAME.fullmatch(name) for name in names):
        raise PbsError(f"{what}: must be names of nodes, got '{text}'")
    return tuple(Part(host=name) for name in names)


LIMITS = {"pcput": "cpu", "pvmem": "as", "file": "fsize"}
HOSTS = ("host", "hostlist")
PLACES = ("nodes", "ncpus", "procs", *HOSTS)
MEMORY = ("mem", "pmem")
READERS: Mapping[str, tuple[str, Callable[[str, str], object]]] = {
    "ncpus": ("parts", _processors),
    "host": ("parts", _hosts),
    "hostlist": ("parts", _hosts),
    "procs": ("procs", number),
    "walltime": ("walltime", _walltime),
    "mem": ("memory", size),
    "pmem": ("process_memory", size),
    "pcput": ("limit", seconds),
    "pvmem": ("limit", size),
    "file": ("limit", size),
    "feature": ("properties", _features),
    "naccesspolicy": ("exclusive", _policy),
}
EXAMPLES = {"nodes": "2:ppn=1", "walltime": "1:00:00", "mem": "1gb"}
