# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract: what a cloud must offer so that clusters can be built on it.

A cloud is opened for one cluster (its :class:`Scope`). It speaks of many nodes at once, so that each provider may use its own bulk calls, and it
answers as a stream of per-node :class:`Event`, so that a run can show its progress. It retries nothing and never waits for a node to boot: deadlines,
retries and replacement live in ``_apply``, once for every provider. It may wait where the cloud's own order of calls needs it (a volume must be
available before it is attached), for less than ``timeouts.made``.
"""

from __future__ import annotations

import abc
import enum
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

MARK_VERSION = 1


class CloudError(Exception):
    """A cloud refused, or did not answer. The message is one sentence that names the call and quotes the cloud."""

    final: ClassVar[bool] = False  # whether recreating the node does not help


class Unavailable(CloudError):
    """The cloud could not answer now (connection lost, 5xx, time-out); the same question may be asked again.

    A call that creates and raises this may have created: look for the object by its mark before asking again.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, as the cloud asked for (Retry-After), or None


class Denied(CloudError):
    """The credentials were refused, or do not permit this call (401, 403). Final."""

    final = True


class Shortage(CloudError):
    """No quota, no host, no address or no space for what was asked (final until somebody makes room)."""

    final = True


class Invalid(CloudError):
    """The cloud does not know, or does not accept, something that was asked for (image, flavor, network, name). Final."""

    final = True


class Locked(CloudError):
    """Another run holds the lock on this cluster."""


class MarkError(CloudError):
    """A mark of ours that cannot be read (written by a newer version of the collection, or damaged)."""


class State(enum.Enum):
    """The state of a node."""

    BUILDING = "building"  # asked for; not yet running
    RUNNING = "running"  # its operating system has started
    STOPPED = "stopped"
    FAILED = "failed"  # the cloud gave up, ``Node.fault`` says why
    DELETING = "deleting"


class Stage(enum.Enum):
    """What has just happened to a node."""

    ASKED = "asked"  # the creating call is about to be sent
    MADE = "made"  # the cloud has it, with its mark
    BOOTED = "booted"  # State.RUNNING, with an address
    REACHABLE = "reachable"  # ssh answers
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True)
class Mark:
    """The owner of an object: ``sky/1 owner cluster pool index``, stored in the cloud itself."""

    owner: str
    cluster: str
    pool: str
    index: int

    def __str__(self) -> str:
        return f"sky/{MARK_VERSION} {self.owner} {self.cluster} {self.pool} {self.index}"

    @property
    def node_name(self) -> str:
        return f"{self.cluster}-{self.pool}-{self.index}"

    def volume_name(self, volume: str) -> str:
        return f"{self.node_name}-{volume}"

    def is_of_volume(self, name: str) -> bool:
        """Whether a volume of this name belongs to the node."""
        return re.fullmatch(rf"{re.escape(self.node_name)}-[a-z][a-z0-9]*", name) is not None

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """Read a mark; None if the text is not a mark of ours.

        Raises:
            MarkError: a newer version, or a damaged mark: nothing may be decided from it.
        """
        words = text.split()
        sign = re.fullmatch(r"sky/(\d+)", words[0]) if words else None
        if sign is None:
            return None
        if int(sign.group(1)) > MARK_VERSION:
            raise MarkError(
                f"the mark '{text}' was written by a newer version of sky.clusters (this one reads up to sky/{MARK_VERSION}): update the collection"
            )
        if len(words) != 5 or not words[4].isdigit():
            raise MarkError(f"the mark '{text}' is damaged: expected 'sky/{MARK_VERSION} owner cluster pool index'")
        return cls(words[1], words[2], words[3], int(words[4]))


def owner_name(user: str) -> str:
    """A user's name as marks can hold it."""
    return re.sub(r"[^A-Za-z0-9._@-]", "_", user)[:64]


def image_mark(owner: str) -> str:
    """The mark of an image, which belongs to no cluster."""
    return f"sky/{MARK_VERSION} {owner}"


def volume_label(owner: str, cluster: str, volume: str) -> str:
    """File system label of a data volume: at most 12 characters (the limit of XFS), unlike for unlike volumes."""
    return "sky" + hashlib.sha256(f"{owner} {cluster} {volume}".encode()).hexdigest()[:9]


@dataclass(frozen=True)
class Address:
    """One address of a node."""

    address: str
    family: int = 4  # 4 or 6
    network: str = ""  # the cloud's name of the network it is on
    public: bool = False  # reachable from outside the cloud
    port: int = 0  # at which ssh answers there, if not at its own


@dataclass(frozen=True)
class Node:
    """One machine that exists in a cloud."""

    name: str
    id: str  # the cloud's own identifier
    mark: Mark
    state: State
    addresses: tuple[Address, ...] = ()
    flavor: str = ""
    image: str = ""
    architecture: str = ""  # as `uname -m` says it; empty if unknown
    cores: int = 0  # 0 if unknown
    memory: int = 0  # MiB; 0 if unknown
    created: str = ""  # ISO 8601, by the cloud's clock
    ready: str = ""  # the hash that `set_ready` wrote last; empty if none
    clouds: tuple[str, ...] = ()  # the clouds that the cluster uses, as its birth or `set_clouds` wrote them last; empty if none
    host_keys: tuple[str, ...] = ()  # public ssh host keys, "type base64"; empty if the cloud does not know them
    fault: str = ""  # why it failed, or does not run, in the cloud's own words
    hopeless: bool = False  # it failed for a reason that recreating it does not fix (no quota)
    # What it was made from, as the cloud lists it or the creating call noted it, by the names of `Definition.parts`; what is not known is left out.
    made: Mapping[str, str] = field(default_factory=dict, hash=False)
    number: int = 0  # as the creating call wrote it: its address in an overlay follows from it; 0 if none
    lent: bool = False  # somebody else created the machine: to delete the node is to release it, and it keeps running

    def address(self, public: bool = False) -> str:
        """The first address of the wanted reach, IPv4 before IPv6; empty if there is none."""
        found = sorted((a for a in self.addresses if a.public == public), key=lambda a: a.family)
        return found[0].address if found else ""

    @property
    def port(self) -> int:
        """At which ssh answers at its address outside, or else at that inside; 0 means ssh's own."""
        found = sorted(self.addresses, key=lambda a: (not a.public, a.family))
        return found[0].port if found else 0


@dataclass(frozen=True)
class Volume:
    """One disk that outlives its node."""

    name: str  # <node>-<volume>
    id: str
    mark: Mark  # of the node that it belongs to
    size: int  # GiB
    type: str = ""
    attached: str = ""  # name of the node that has it now; empty if none
    device: str = ""  # the block device inside the node while attached: its path, or a shell pattern that only it matches
    created: str = ""  # ISO 8601, by the cloud's clock; empty if unknown


@dataclass(frozen=True)
class Stray:
    """Something in the place of an object of this cluster, but without its mark: reported, never changed."""

    kind: str  # node, volume, ...
    name: str
    id: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All that a cloud holds of one cluster at one moment, whoever the owner in the mark is."""

    nodes: tuple[Node, ...] = ()
    volumes: tuple[Volume, ...] = ()
    strays: tuple[Stray, ...] = ()


@dataclass(frozen=True)
class VolumeSpec:
    """A volume that a node must have."""

    name: str  # <node>-<volume>
    size: int  # GiB
    type: str = ""


@dataclass(frozen=True)
class Image:
    """What nodes can be made from."""

    name: str
    id: str  # the cloud's own identifier
    status: str = "active"  # nodes can be made from it; every other word is the cloud's own
    ours: bool = False  # whether it was added with our mark, by this owner
    size: int = 0  # bytes; 0 if unknown
    checksum: str = ""  # `algorithm:digits`, of the file that it was made of; empty if unknown
    format: str = ""
    architecture: str = ""  # as `uname -m` says it; empty if unknown
    properties: Mapping[str, str] = field(default_factory=dict, hash=False)  # what else is known of it, by short names such as `os`
    content: str = ""  # checksum of what `fetch_image` gives, if that is not the file that it was made of
    aliases: tuple[str, ...] = ()  # other names that it can be read by


@dataclass(frozen=True)
class ImageSpec:
    """An image that is to be added."""

    name: str
    checksum: str  # `sha256:` and 64 digits, of the file that it is made of
    format: str = ""  # empty: what the file looks like, as far as the cloud can tell
    min_disk: int = 0  # GiB
    min_memory: int = 0  # MiB
    properties: Mapping[str, str] = field(default_factory=dict)  # what else the cloud may note of it


@dataclass(frozen=True)
class Share:
    """A folder of a file service of the cloud, which belongs to its users and to no cluster."""

    name: str
    id: str  # the cloud's own identifier
    protocol: str  # which it is mounted by, in lower case
    export: str  # what is mounted, in the words of its protocol
    file_system: str = ""  # that it is a part of, where one server has several; empty if unknown


@dataclass(frozen=True)
class Access:
    """What a share is mounted with."""

    client: str  # name of the client, which is the cluster's own
    key: str = field(repr=False)  # a secret
    made: bool = False  # whether it was given just now


@dataclass(frozen=True)
class NodeSpec:
    """A node that is to be made."""

    mark: Mark
    image: str
    flavor: str
    public_ip: bool = False
    volumes: tuple[VolumeSpec, ...] = ()
    ssh_keys: tuple[str, ...] = ()  # public keys, one line each
    ssh_user: str = "root"  # whom they let in
    clouds: tuple[str, ...] = ()  # what `Node.clouds` is from its birth on
    number: int = 0  # what `Node.number` is for its whole life
    extra: Mapping[str, Any] = field(default_factory=dict)  # provider options that are not modelled

    @property
    def name(self) -> str:
        return self.mark.node_name

    @property
    def faults(self) -> list[str]:
        """What no cloud can make of this: one sentence each."""
        return [f"volume '{volume.name}' does not belong to node {self.name}" for volume in self.volumes if not self.mark.is_of_volume(volume.name)]


@dataclass(frozen=True)
class Definition:
    """What a node of a specification would be made from now."""

    unknown: tuple[str, ...] = ()  # images, flavors and so on that the cloud does not know, one sentence each
    # What is fixed when a node is made, by short names for people such as `memory`; values as text, none of them empty. `image` and `flavor`, where
    # they are given, replace the names in the specification. Must not depend on the node's index.
    parts: Mapping[str, str] = field(default_factory=dict, hash=False)
    fixed: Mapping[str, str] = field(default_factory=dict, hash=False)  # of parts that no new node changes, by name: why not, and what would


@dataclass(frozen=True)
class Event:
    """One thing that happened to one node (or volume)."""

    name: str
    stage: Stage
    detail: str = ""  # for people: an identifier, an address, or why it failed, in the cloud's own words
    log: str = ""  # tail of the node's console, where that helps
    node: Node | None = None  # as it is now, where known
    final: bool = False  # recreating the node does not fix it (Shortage, Denied, Invalid)
    error: type[CloudError] | None = None  # which of the errors above a failure is, where known

    @classmethod
    def failure(cls, name: str, error: CloudError) -> Event:
        """The failure of a node or volume that the cloud refused: as final as the error is."""
        return cls(name, Stage.FAILED, str(error), final=error.final, error=type(error))


@dataclass(frozen=True)
class Opening:
    """Something that the nodes of a cluster let in from outside."""

    protocol: str  # tcp, udp or icmp; any if empty
    first: int = 0  # port; any if 0
    last: int = 0
    cidrs: tuple[str, ...] = ()  # from anywhere if empty


@dataclass(frozen=True)
class Scope:
    """The cluster that a cloud is opened for."""

    cluster: str
    owner: str = ""  # empty: the user that the cloud's credentials belong to
    admin_cidrs: tuple[str, ...] = ()  # networks that may connect with ssh
    openings: tuple[Opening, ...] = ()  # what else is let in from outside
    overlay: str = ""  # range of the overlay, which no network of a node may overlap; empty if there is no overlay


@dataclass(frozen=True)
class Lease:
    """The run's lock on a cluster, as this run holds it."""

    holder: str  # for people: who, where, since when
    token: str  # what renews or releases it
    broken: str = ""  # the stale holder whose lock was broken to take it; empty if none


class Options:
    """What the options of every provider have: a frozen dataclass extends this, and declares the three among its own fields."""

    image: str  # of the nodes, where a pool names none
    flavor: str
    ssh_user: str  # whom the ssh keys let in
    reaches_all: ClassVar[bool] = False  # nodes without an address outside need no way through another: the controller is on their network
    keeps_out: ClassVar[bool] = True  # the cloud lets nothing in but what the cluster asks for; if not, the nodes have a firewall of their own

    @classmethod
    def missing(cls) -> list[str]:
        """What the options of a provider must declare, and these do not."""
        return [name for name in ("image", "flavor", "ssh_user") if name not in getattr(cls, "__dataclass_fields__", {})]

    def networks(self) -> tuple[str, ...]:
        """Networks that nodes will be on, as far as the options say so: an overlay may not use their addresses. None by default."""
        return ()


@dataclass(frozen=True)
class Holding:
    """The run's lock on a cluster, as anybody sees it."""

    holder: str  # for people: who, and where
    since: str = ""  # when it was taken, for people, UTC; empty if unknown


class Cloud(abc.ABC):
    """One cloud, opened for one cluster. Constructing one makes no call.

    A method that is not abstract has a default for clouds that cannot do it, or need not.
    """

    provider: ClassVar[str]
    poll_seconds: ClassVar[float] = 2.0  # between two looks at nodes that are on their way
    lag_seconds: ClassVar[float] = 0.0  # that lists may still show what was deleted
    lock_seconds: ClassVar[float] = 0.0  # that a lease of the run's lock lasts, if calls may stall for longer than it usually does
    shared_kinds: ClassVar[tuple[str, ...]] = ()  # of `leftovers`, that all nodes share and `dismantle` removes

    def __init__(self, name: str, options: Options, scope: Scope) -> None:
        """
        Args:
            name: the cloud's name in the cluster file.
            options: an instance of the provider's options dataclass.
            scope: the cluster.
        """
        self.name = name
        self.options = options
        self.scope = scope

    @property
    def owner(self) -> str:
        """Owner written into marks."""
        return self.scope.owner or self.identity()

    def owns(self, mark: Mark) -> bool:
        """Whether an object with this mark belongs to this cluster and owner."""
        return (mark.owner, mark.cluster) == (self.owner, self.scope.cluster)

    def foreign(self, name: str, mark: Mark) -> Event:
        """The failure for an object that does not belong to this cluster and owner."""
        reason = f"{name} is marked '{mark}', which is not cluster {self.scope.cluster} of {self.owner}: it is left alone"
        return Event.failure(name, Invalid(reason))

    @abc.abstractmethod
    def identity(self) -> str:
        """The user that the credentials belong to: 1 to 64 of ``[A-Za-z0-9._@-]``.

        Raises:
            CloudError: as every method below.
        """

    def place(self) -> str:
        """Where this is, for people: equal for two entries of a cluster file exactly if they lead to the same nodes.

        Empty (the default) if unknown; then two entries for one place are not detected.
        """
        return ""

    @abc.abstractmethod
    def listing(self) -> Listing:
        """All nodes and volumes marked with this cluster, and strays. One list call of the cloud for many nodes.

        A list that is cut short, or in doubt, raises: callers decide from what is there, so it must be whole.
        """

    @abc.abstractmethod
    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], going: Sequence[Node] = ()) -> list[str]:
        """What prevents creating these nodes, and those of these volumes that do not exist: one sentence each, all at once.

        Args:
            specs: nodes that do not exist, or will not when they are created.
            volumes: of these nodes.
            going: existing nodes that are deleted first, so that the new ones can have what they have.
        """

    def definitions(self, specs: Sequence[NodeSpec]) -> list[Definition]:
        """What each of these specifications means here now, in their order, whether or not such nodes exist; makes nothing.

        By default nothing is known but the names of image and flavor: nodes made from other ones are noticed, and nothing else is.
        """
        return [Definition() for _spec in specs]

    def unbuilt(self, specs: Sequence[NodeSpec]) -> list[str]:  # noqa: ARG002
        """The images that are fetched or built before these nodes are made, which takes longer; each once. Makes nothing. By default none."""
        return []

    def shared_missing(self, specs: Sequence[NodeSpec]) -> list[str]:  # noqa: ARG002
        """What :meth:`create` makes for all of these nodes together (a network, a key pair) before the first one: ``kind name`` each. Makes nothing.

        Asked only where the cluster has no node yet; what exists is left out. Empty (the default) where nothing is made besides nodes and volumes.
        """
        return []

    def addresses_of(self, specs: Sequence[NodeSpec], going: Sequence[Node] = ()) -> Mapping[str, tuple[Address, ...]]:  # noqa: ARG002
        """The addresses that new nodes will have, by name, where they are certain before :meth:`create`: for plans. Makes nothing. By default none.

        Args:
            specs: nodes that do not exist, or will not when they are created.
            going: existing nodes that are deleted first.
        """
        return {}

    @abc.abstractmethod
    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        """Start making these nodes side by side, with their marks, and attach their volumes (making those that do not exist).

        Yields one ``MADE`` or ``FAILED`` a node, as they come, before it any number of ``ASKED`` that tell of progress; does not wait for boot.
        What a failed node had is cleaned before its event. Asked for a node that exists with this very mark, it answers ``MADE``, starts it if it is
        stopped, attaches what volumes it lacks, and makes no second one. If something else has the name it answers ``FAILED``.
        """

    @abc.abstractmethod
    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        """Delete exactly these nodes (by id, after a look at their marks), side by side. Volumes are detached and kept. Lent ones are released.

        One whose mark is not as it was given, or is not of this cluster and owner, is ``FAILED`` and left alone. Yields one ``DELETED``
        (gone, or on its way out: the list tells) or ``FAILED`` a node. One that is gone already is ``DELETED``.
        """

    def mark_of(self, volume: str) -> Mark:
        """The mark of a data volume: that of the node which it belongs to, as its name says.

        Raises:
            Invalid: no node of this cluster would have a volume of that name.
        """
        found = re.fullmatch(rf"{re.escape(self.scope.cluster)}-([a-z][a-z0-9]*)-(0|[1-9][0-9]*)-[a-z][a-z0-9]*", volume)
        if found is None:
            raise Invalid(f"'{volume}' is not a data volume name of cluster {self.scope.cluster}: expected {self.scope.cluster}-POOL-INDEX-VOLUME")
        return Mark(self.owner, self.scope.cluster, found[1], int(found[2]))

    @abc.abstractmethod
    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        """Make these volumes of nodes that need not exist, each with the mark of its node (:meth:`mark_of`), and attach them to none.

        Yields ``MADE`` or ``FAILED`` each, under the volume's name. One that exists with this very mark is ``MADE``, and is left as it is. Where
        something else has the name it is ``FAILED``.
        """

    def resize_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        """Extend these existing volumes to the given sizes. Yields ``MADE`` or ``FAILED`` each, under the volume's name."""
        for volume in volumes:
            yield Event.failure(volume.name, Invalid(f"provider {self.provider} cannot extend volumes"))

    def not_extended(self, wanted: VolumeSpec, volume: Volume | None) -> Event | None:
        """The failure of a volume that cannot be extended as it is wanted; None if it can.

        Args:
            volume: the one of that name, if there is one.
        """
        if volume is None:
            return Event.failure(wanted.name, Invalid(f"there is no volume {wanted.name}"))
        if not self.owns(volume.mark):
            return self.foreign(wanted.name, volume.mark)
        if wanted.size < volume.size:
            return Event.failure(wanted.name, Invalid(f"volume {wanted.name} has {volume.size} GiB and cannot shrink to {wanted.size}"))
        return None

    @abc.abstractmethod
    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        """Delete exactly these volumes and their data. Yields ``DELETED`` or ``FAILED`` each; one that is attached is ``FAILED``."""

    def images(self) -> list[Image]:
        """The images of this cloud, including incomplete ones.

        Raises:
            Invalid: images cannot be listed here (the default).
        """
        raise Invalid(f"provider {self.provider} cannot list images")

    def add_image(self, spec: ImageSpec, file: BinaryIO) -> Image:  # noqa: ARG002
        """Make an image of a file, with our mark (``sky/1 owner``); it is ``active`` only after the whole file has matched its checksum.

        One of our mark, this name and this checksum that is ``active`` is left as it is; others with our mark and name go afterwards, and what
        a killed run left of one is deleted first. May take long.

        Args:
            file: a real file, open at its beginning.

        Raises:
            Invalid: the name is that of an image which is not ours, or the cloud cannot make an image of this, or of any file (the default).
        """
        raise Invalid(f"image {spec.name}: provider {self.provider} does not accept images")

    def delete_image(self, image: Image) -> None:
        """Delete exactly this image (by id, after a look at its mark). Deleting a missing image succeeds.

        Raises:
            CloudError: it is not ours, or a node needs it; it is left alone.
        """
        raise Invalid(f"image {image.name}: provider {self.provider} does not accept images, so this one is not ours")

    def fetch_image(self, image: Image, take: Callable[[bytes], object]) -> None:  # noqa: ARG002
        """Read the file of this image (by id), piece by piece; the caller verifies its checksum, or its content's where it has one.

        Raises:
            Invalid: there is no such image, or images cannot be read here (the default).
        """
        raise Invalid(f"image {image.name}: a cloud of provider {self.provider} cannot give images back")

    def share(self, name: str, protocol: str) -> Share:  # noqa: ARG002
        """The share of this name or identifier, which can be mounted by this protocol. Changes nothing.

        Raises:
            Invalid: there is none, or several, or it has another protocol, or the cloud has no shares (the default).
        """
        raise Invalid(f"share '{name}': provider {self.provider} has no shares")

    def share_access(self, share: Share) -> Access:
        """The access of the cluster's client to this share, to read and write; given with the cluster's mark if it has none.

        It is in force when this returns, which may take up to a minute. :meth:`dismantle` takes it back; the share stays.

        Raises:
            CloudError: the cloud does not give it, or gave it to somebody else under the name of the client (or has no shares, the default).
        """
        raise Invalid(f"share '{share.name}': provider {self.provider} has no shares")

    @abc.abstractmethod
    def set_ready(self, nodes: Sequence[Node], value: str) -> None:
        """Write ``Node.ready`` of these nodes."""

    @abc.abstractmethod
    def set_clouds(self, nodes: Sequence[Node], clouds: Sequence[str]) -> None:
        """Write ``Node.clouds`` of these nodes: names of clouds (a-z, 0-9, at most 20 characters each), all of them anew."""

    def console(self, node: Node, lines: int = 20) -> str:  # noqa: ARG002
        """The last lines of the node's console; empty where the cloud has none (the default)."""
        return ""

    def learn_host_keys(self, nodes: Sequence[Node]) -> Mapping[str, tuple[str, ...]]:
        """The host keys of nodes that answer by ssh, by name; keys that a cloud does not list are read elsewhere, and stored with the node.

        A node whose keys may still appear is left out; one whose keys the cloud cannot show has an empty tuple.
        """
        return {node.name: node.host_keys for node in nodes}

    def gaps(self) -> list[str]:
        """What was created for the cluster besides nodes and volumes, and is missing, changed, or left of deleted nodes: ``kind name`` each.

        Empty (the default) where nothing is made besides nodes and volumes.
        """
        return []

    def repair(self) -> None:  # noqa: B027  # a default that does nothing
        """Repair all that :meth:`gaps` names: create what is missing, undo changes, remove what is left of deleted nodes.

        Makes, starts and deletes no node. By default nothing, as there are no gaps.
        """

    def dismantle(self) -> None:  # noqa: B027  # a default that does nothing
        """Remove what was made for the cluster besides nodes and volumes (networks, groups, keys, access to shares), once it has no node.

        By default nothing.
        """

    @abc.abstractmethod
    def leftovers(self) -> list[str]:
        """Everything in the cloud that still belongs to this cluster, of whatever kind, kept volumes included: ``kind name`` each."""

    def shared_existing(self) -> list[str]:
        """What :meth:`dismantle` would remove: ``kind name`` each. By default the :meth:`leftovers` of the kinds in ``shared_kinds``."""
        kinds = tuple(f"{kind} " for kind in self.shared_kinds)
        return [part for part in self.leftovers() if part.startswith(kinds)] if kinds else []

    @abc.abstractmethod
    def lock(self, holder: str, seconds: float) -> Lease:
        """Take the run's lock on this cluster for this time; a stale one is replaced and named in the lease.

        Who holds it already may take it again: the answer may have been lost.

        Raises:
            Locked: somebody else holds it; the sentence says who, where, and since when.
        """

    @abc.abstractmethod
    def locked_by(self) -> Holding | None:
        """Who holds the run's lock on this cluster now; None if nobody does, or if the lock is stale. Writes nothing."""

    @abc.abstractmethod
    def renew(self, lease: Lease, seconds: float) -> None:
        """Extend the lock to this time from now. Raises Locked if it was lost."""

    @abc.abstractmethod
    def unlock(self, lease: Lease) -> None:
        """Release the lock; nothing if it is no longer ours."""
