# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of the tests with an HDFS, and what is asked of it. Without a JVM where a web page says it, which saves seconds each."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import IN_SERVICE, State, Web
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.spark_jobs import shell, variables

USER = "sky"
GUIDE = Path(__file__).resolve().parents[2] / "docs/docsite/rst/guide_data.rst"
EVERY_PROTOCOL = 3  # of a socket that hears all packets


def hdfs(zone: str, datanodes: int, volume: int = 1) -> dict[str, Any]:
    """A cluster file: a NameNode beside a Spark master, DataNodes, and a worker that only computes."""
    content = spark(zone, 1, master={"roles": ["hdfs_namenode", "spark_master"], "volumes": {"hdfs": 1, "backup": 1}, "flavor": "large"})
    content["pools"]["worker"]["volumes"] = {"sets": {"size": 1, "owner": "sky", "group": "spark", "mode": "0775"}}
    content["pools"]["data"] = {"cloud": "here", "count": datanodes, "roles": ["hdfs_datanode"], "volumes": {"hdfs": volume}}
    return content


def head(site: Site) -> str:
    (name,) = site.hosts("hdfs_namenode")
    return name


def address(site: Site, host: str) -> str:
    return str(variables(site, host)["sky_address"])


def page(site: Site) -> str:
    return f"http://{address(site, head(site))}:9870"


def eventually(what: str, page: str, holds: Callable[[State], Any], seconds: float = 120) -> State:
    """What the NameNode says, as soon as it is so."""
    end = time.monotonic() + seconds
    while not ((seen := _hdfs_pages.state(page)).ready and holds(seen)):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}; {seen}")
        time.sleep(0.5)
    return seen


def in_service(seen: State) -> int:
    return sum(node.state == IN_SERVICE for node in seen.live)


def fsck(page: str) -> str:
    """What HDFS's own check of all files says."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{page}/fsck?ugi=hdfs&path=/", timeout=60) as answer:
        return str(answer.read(), "utf-8")


def healthy(page: str, seconds: float = 120) -> None:
    """Every block has all of its copies, at the latest after so long."""
    eventually("all blocks have their copies", page, lambda seen: not (seen.values or {}).get("UnderReplicatedBlocks"), seconds)
    said = fsck(page)
    assert "is HEALTHY" in said, said
    assert "Under-replicated blocks:\t0" in said, said


def files(site: Site) -> Web:
    """The files, as the cluster's user sees them."""
    return Web(page(site), USER)


def put(site: Site, path: str, content: bytes, copies: int, datanode: str = "") -> None:
    """Write a file, through a DataNode, which gets a copy of each block."""
    through = Web(f"http://{address(site, datanode or site.hosts('hdfs_datanode')[0])}:9864", USER, f"{address(site, head(site))}:8020")
    through.call(path, "CREATE", "PUT", body=content, replication=copies, overwrite="true")


@dataclass(frozen=True)
class Speeds:
    """Of a file in one copy, MiB/s."""

    written: float
    read: float  # from the memory of a node
    bare: float  # written to the volume of a DataNode without HDFS


BARE = """
cd /data/hdfs; began=$(date +%s%N); dd if=/dev/zero of=speed bs=1M count={mib} conv=fsync status=none; echo $(($(date +%s%N) - began)); rm speed
"""
FILES = """
timed() {{ what=$1; shift; began=$(date +%s%N); "$@" > /dev/null; echo $what $(($(date +%s%N) - began)); }}
put() {{ head -c $1M /dev/zero | hdfs dfs -D dfs.replication=1 -put -f - /tmp/speed; }}
get() {{ hdfs dfs -cat /tmp/speed; }}
set -e
for round in 1 2; do
    timed start_put put 1; timed start_get get
    timed put put {mib}; timed get get
done
hdfs dfs -rm -skipTrash /tmp/speed > /dev/null
"""


def speeds(site: Site, mib: int) -> Speeds:
    """How fast Hadoop's own client, on the node of the NameNode, writes and reads a file; and how fast a DataNode's volume is written without it.

    The better of two rounds each. What a file of 1 MiB takes, which is the start of the client, is subtracted. Every write ends when all is on the
    volume.
    """
    datanode = site.hosts("hdfs_datanode")[0]
    found: dict[str, float] = {}
    bare = [int(site.ssh(datanode, BARE.format(mib=mib))) / 1e9]
    for line in site.ssh(head(site), FILES.format(mib=mib)).splitlines():
        what, nanoseconds = line.split()
        found[what] = min(int(nanoseconds) / 1e9, found.get(what, float("inf")))
    bare.append(int(site.ssh(datanode, BARE.format(mib=mib))) / 1e9)
    return Speeds(mib / (found["put"] - found["start_put"]), mib / (found["get"] - found["start_get"]), mib / min(bare))


@contextlib.contextmanager
def writing(site: Site, host: str, path: str, mib: int, seconds: int) -> Iterator[subprocess.Popen[str]]:
    """A client on a node that is writing a file slowly, the same bytes again and again; it has ended well when the block ends."""
    line = "x" * 1023
    script = f"for i in $(seq {mib}); do yes {line} | head -c 1048576; sleep {seconds / mib:.3f}; done | hdfs dfs -put -f - {path}"
    process = subprocess.Popen(
        f"{shell(site, host, USER)} '{script}'", shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        temporary = f"{path}._COPYING_"  # its name until it is complete
        eventually("the client is writing", page(site), lambda _seen: files(site).status(temporary), 60)
        time.sleep(2)  # its first block
        yield process
        said, _none = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert (files(site).status(path) or {}).get("length") == mib << 20, said
    finally:
        process.kill()


def guide_commands() -> list[str]:
    """The commands in the guide's section on HDFS, each with the mark of who types it: ``#`` for root, ``$`` for the cluster's user."""
    section = GUIDE.read_text(encoding="utf-8").partition("\nHDFS\n----")[2].partition("\nObject stores\n----")[0]
    return re.findall(r"(?m)^   ([$#] \S.*)$", section)


def typed(site: Site, line: str) -> str:
    """What such a command says on the head, in a folder with a file ``words.txt``."""
    user = "root" if line.startswith("#") else USER
    folder = "cd $(mktemp -d) && cp /usr/share/common-licenses/GPL-3 words.txt && {"
    script = f"{folder} {line[2:]}\n}} 2>&1"
    done = subprocess.run(f"{shell(site, head(site), user)} bash -s", shell=True, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


@contextlib.contextmanager
def overheard(port: int) -> Iterator[Callable[[], bytes]]:
    """What goes from or to a TCP port on the networks of this machine while the block runs; to be asked after it."""
    found, ended = bytearray(), threading.Event()

    def listen(place: socket.socket) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                packet = place.recv(1 << 17)
                segment = packet[14 + 4 * (packet[14] & 15) :]  # after the headers of Ethernet and IPv4
                if packet[12:14] == b"\x08\x00" and packet[23] == socket.IPPROTO_TCP and port.to_bytes(2, "big") in (segment[:2], segment[2:4]):
                    found.extend(segment[4 * (segment[12] >> 4) :])

    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL)) as place:
        place.settimeout(0.2)
        ear = threading.Thread(target=listen, args=(place,))
        ear.start()
        try:
            yield lambda: bytes(found)
        finally:
            time.sleep(0.5)  # what is on its way
            ended.set()
            ear.join()
