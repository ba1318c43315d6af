# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real HDFS on local nodes with kept volumes: faults, DataNodes that leave, all nodes lost, and the volume of another cluster.

Checks 25, 26, 28 and 30 of docs/reliability.md for HDFS.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import DEAD, DECOMMISSIONED, RemoteError
from ansible_collections.sky.clusters.tests.integration.storage.store import COPIES, MARK, SECRET, Figure, fill, unchanged
from ansible_collections.sky.clusters.tests.support import guide
from ansible_collections.sky.clusters.tests.support.bare import nodes_folder
from ansible_collections.sky.clusters.tests.support.hdfs import (
    address,
    eventually,
    files,
    head,
    healthy,
    in_service,
    overheard,
    page,
    put,
    typed,
    writing,
)
from ansible_collections.sky.clusters.tests.support.site import STATE, Site
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("filled")]

ZONE = "tstore"
HEAD, WORKER = f"{ZONE}-master-0", f"{ZONE}-worker-0"
WRITER, DATANODE, LAST = (f"{ZONE}-data-{index}" for index in range(3))
MANY = 40  # files: a DataNode hands over a few blocks at each heartbeat, so the run shows how many are left
BLOCKS = "/data/hdfs/data/current"
VERSION = f"{BLOCKS}/VERSION"
# On a DataNode: asks it in plain for a block that it does not have, and prints the answer.
# If it refuses, it leaves the rest unread and resets the connection.
IN_PLAIN = r"""
import pathlib, socket, sys

def field(tag, value):
    return bytes([tag, len(value)]) + value

pool = next(pathlib.Path(sys.argv[2]).glob("BP-*")).name.encode()
block = field(0x0A, pool) + bytes([0x10, 1, 0x18, 1])
request = field(0x0A, field(0x0A, field(0x0A, block)) + field(0x12, b"sky")) + bytes([0x10, 0, 0x18, 1])
with socket.create_connection((sys.argv[1], 9866), 10) as datanode:
    datanode.sendall(b"\x00\x1c\x51" + field(0x0A, request)[1:])
    try:
        print("answer:", datanode.recv(1000))
    except ConnectionResetError:
        print("refused")
"""


def size(data: int) -> tuple[str, str]:
    return "-e", json.dumps({"sky_counts": {"data": data}})


def destroyed(name: str) -> None:
    subprocess.run(["lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", name, "-f"], check=True, capture_output=True)


def refreshed(site: Site, entries: str) -> None:
    """Have the NameNode read another list; ``entries`` is an expression of Python, of those that it has found."""
    path = "/etc/hadoop/datanodes.json"
    script = f"import json; found = json.load(open('{path}')); fresh = {entries}; json.dump(fresh, open('{path}', 'w'))"
    site.ssh(HEAD, f"python3 - <<'END'\n{script}\nEND\nhdfs dfsadmin -refreshNodes")


def answer_in_plain(site: Site) -> str:
    return site.ssh(DATANODE, f"python3 - {address(site, DATANODE)} {BLOCKS} <<'END'\n{IN_PLAIN}END")


@pytest.fixture(scope="module")
def filled(site: Site) -> None:
    site.must("cluster", *UNPROVED)
    fill(site)


def test_a_datanode_that_is_killed_interrupts_no_write(site: Site) -> None:
    with writing(site, DATANODE, "/user/sky/killed", 40, 12):
        site.ssh(WRITER, "systemctl kill --signal=KILL hdfs-datanode")
    eventually("the DataNode is back", page(site), lambda seen: in_service(seen) == 3)
    # The page counts a block that lacks a copy only some time after its file was closed; this waits
    typed(site, f"$ hdfs dfs -setrep -w {COPIES} /user/sky/killed")
    healthy(page(site))
    unchanged(site)


def test_a_datanode_answers_in_plain_without_encryption(site: Site) -> None:
    assert "Replica not found" in answer_in_plain(site)


def test_a_namenode_that_is_killed_comes_back(site: Site, figure: Figure) -> None:
    site.ssh(HEAD, "systemctl kill --signal=KILL hdfs-namenode")
    began = time.monotonic()
    eventually("the NameNode is back", page(site), lambda seen: in_service(seen) == 3)
    figure(f"a killed NameNode takes changes again after {time.monotonic() - began:.0f} s")
    unchanged(site)


def test_a_list_that_a_killed_run_left_unread_reaches_the_namenode(site: Site) -> None:
    """The run wrote a list with one DataNode more, and ended before the NameNode read it."""
    site.ssh(HEAD, "cp /etc/hadoop/datanodes.json whole")
    refreshed(site, f"[each for each in found if each['hostName'] != '{address(site, LAST)}']")
    site.ssh(HEAD, "touch /etc/hadoop/datanodes.pending; mv whole /etc/hadoop/datanodes.json")
    eventually("it is not accepted", page(site), lambda seen: in_service(seen) == 2)
    site.must("cluster", "-e", "sky_full=true", *UNPROVED)
    eventually("it is accepted", page(site), lambda seen: in_service(seen) == 3)
    assert site.ssh(HEAD, "ls /etc/hadoop/*.pending 2> /dev/null || echo none").strip() == "none"
    assert set(site.must("cluster", *UNPROVED).changed.values()) == {0}


def test_a_shrink_that_was_killed_after_the_datanode_had_stopped_is_repeated(site: Site) -> None:
    """The NameNode reports it dead by then."""
    place = address(site, LAST)
    refreshed(site, f"[each | ({{'adminState': 'DECOMMISSIONED'}} if each['hostName'] == '{place}' else {{}}) for each in found]")
    eventually("its blocks are elsewhere", page(site), lambda seen: (node := seen.of(place)) and node.state == DECOMMISSIONED)
    site.ssh(LAST, "systemctl disable --now hdfs-datanode")
    eventually("it is dead", page(site), lambda seen: (node := seen.of(place)) and node.state == DEAD, 240)
    site.must("cluster", *size(2), *UNPROVED)
    assert sorted(site.hosts("hdfs_datanode")) == [WRITER, DATANODE]
    healthy(page(site))
    unchanged(site)
    site.must("cluster", *UNPROVED)


def test_a_datanode_leaves_under_load_without_losing_a_block(site: Site, figure: Figure) -> None:
    for number in range(MANY):
        put(site, f"/user/sky/many{number}", SECRET, COPIES)
    put(site, "/user/sky/wanted", SECRET, COPIES + 1)  # by a client of another cluster: more copies than there will be DataNodes
    blocks = eventually("there are blocks", page(site), lambda seen: seen.values).of(address(site, LAST))
    with writing(site, WRITER, "/user/sky/leaving", 60, 30):
        shrunk = site.must("cluster", *size(2), *UNPROVED)
    took = re.search(rf"{LAST}: handed over its blocks \((\d+)\) in (\d+) s", shrunk.output)
    assert took is not None, shrunk.output[-5000:]
    site.ssh(HEAD, "hdfs dfs -rm -skipTrash /user/sky/wanted")
    figure(f"decommissioning 1 of 3 DataNodes with {blocks.used / 2**30 if blocks else 0:.2f} GiB takes {took[2]} s")
    assert "handing over its blocks, " in shrunk.output
    assert sorted(site.hosts("hdfs_datanode")) == [WRITER, DATANODE]
    seen = eventually("it is forgotten", page(site), lambda seen: len(seen.datanodes) == 2)
    assert {node.state for node in seen.datanodes} == {"In Service"}
    healthy(page(site))
    unchanged(site)


def test_a_datanode_whose_pool_loses_the_role_hands_over_its_blocks(site: Site) -> None:
    """Its node stays, as a worker. Of some blocks it has the only copy."""
    worker, content = site.content["pools"]["worker"], os.urandom(40 << 20)
    worker["roles"] = ["hdfs_datanode", "spark_worker"]
    worker["volumes"]["hdfs"] = 1
    site.must("cluster", *size(2), *UNPROVED)
    put(site, "/user/sky/alone", content, 1, WORKER)
    worker["roles"] = ["spark_worker"]
    said = site.must("cluster", *size(2), *UNPROVED).output
    assert re.search(rf"{WORKER}: handed over its blocks \([1-9]\d*\) in \d+ s", said), said[-5000:]
    seen = eventually("it is forgotten", page(site), lambda seen: len(seen.datanodes) == 2)
    assert {node.state for node in seen.datanodes} == {"In Service"}
    healthy(page(site))
    unchanged(site)
    assert files(site).call("/user/sky/alone", "OPEN") == content
    assert site.ssh(WORKER, "systemctl is-active hdfs-datanode spark-worker || true").split() == ["inactive", "active"]
    assert set(site.must("cluster", *size(2), *UNPROVED).changed.values()) == {0}


def test_fewer_datanodes_than_copies_are_refused(site: Site) -> None:
    refused = site.play("cluster", *size(1), *UNPROVED)
    assert refused.code != 0
    assert "hdfs_replication: files are kept in 2 copies, and 1 DataNode(s) would remain: the node stays; to keep fewer copies, set" in refused.output
    assert sorted(site.hosts("hdfs_datanode")) == [WRITER, DATANODE]
    assert in_service(eventually("both serve", page(site), lambda seen: in_service(seen) == 2)) == 2


def test_a_full_hdfs_says_so_and_keeps_its_files(site: Site) -> None:
    leave = 96 << 20  # less than a block, for which the NameNode wants room
    for node in site.hosts("hdfs_datanode"):
        site.ssh(node, f"fallocate -l $(( $(df --output=avail -B1 /data/hdfs | tail -1) - {leave} )) /data/hdfs/fill")
    eventually("it is nearly full", page(site), lambda seen: max(node.remaining for node in seen.live) < 128 << 20)
    with pytest.raises(RemoteError, match=r"could only be written to \d of the 1 minReplication nodes|[Oo]ut of space|does not answer|HTTP status"):
        put(site, "/user/sky/fill", bytes(64 << 20), COPIES)
    files(site).call("/user/sky/fill", "DELETE", "DELETE")
    unchanged(site)
    for node in site.hosts("hdfs_datanode"):
        site.ssh(node, "rm /data/hdfs/fill")
    eventually("there is room again", page(site), lambda seen: min(node.remaining for node in seen.live) > 128 << 20)
    put(site, "/user/sky/after", b"after", COPIES)


def test_all_nodes_are_lost_and_a_run_brings_everything_back(site: Site, figure: Figure) -> None:
    place = page(site)
    for name in site.hosts("all"):
        destroyed(name)
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        run = pool.submit(site.must, "cluster", *size(2), "-e", f"sky_confirm={ZONE}", *UNPROVED)
        eventually("both DataNodes serve again", place, lambda seen: in_service(seen) == 2, 300)
        served = time.monotonic() - began
        back = run.result()
    figure(f"all nodes lost: HDFS serves again after {served:.0f} s, and the run, of Spark too, has ended after {time.monotonic() - began:.0f} s")
    assert "written, read and compared on each of 2 DataNode(s)" in back.output
    unchanged(site)
    healthy(page(site))


def test_the_volume_of_another_cluster_is_refused_by_name_and_left_as_it_is(site: Site) -> None:
    version = site.ssh(DATANODE, f"systemctl stop hdfs-datanode; cat {VERSION}")
    own = re.findall("clusterID=.*", version)[0]
    site.ssh(DATANODE, f"sed -i 's/^clusterID=.*/clusterID=elsewhere-0a1b2c3d/' {VERSION}; find {BLOCKS} -type f | sort > /root/before")
    refused = site.play("cluster", *size(2), *UNPROVED, "-e", "hdfs_proof_seconds=5")
    assert refused.code != 0
    assert f"holds blocks of the HDFS elsewhere-0a1b2c3d of cluster 'elsewhere', and that of cluster '{ZONE}' is {ZONE}-" in refused.output
    site.ssh(DATANODE, f"grep -q elsewhere {VERSION} && find {BLOCKS} -type f | sort | diff /root/before -")
    site.ssh(DATANODE, f"sed -i 's/^clusterID=.*/{own}/' {VERSION}")
    site.must("cluster", *size(2), *UNPROVED)
    unchanged(site)
    healthy(page(site))


def test_it_is_built_again_with_other_addresses_from_a_copy_of_the_namenode_s_volume(site: Site) -> None:
    """In the steps of the guide. Without Spark this time: storage alone."""
    lost = site.folder / "delete.yml"
    lost.write_text(guide.file("guide_data", lost.name).replace("demo-head-0-hdfs", f"{HEAD}-hdfs"), encoding="utf-8")
    site.must("destroy", str(lost))
    assert not list((STATE / ZONE / "volumes").glob(f"{HEAD}-hdfs.*"))
    site.content["clouds"]["here"]["network"] = "10.97.3.0/24"
    site.content["pools"]["master"]["roles"] = ["hdfs_namenode"]
    site.content["pools"]["worker"]["count"] = 0
    site.must("cluster", *size(2), *UNPROVED, "-e", '{"hdfs_encryption": true}')
    assert address(site, head(site)).startswith("10.97.3.")
    unchanged(site)
    healthy(page(site))


def test_blocks_are_encrypted_on_their_way(site: Site) -> None:
    """Since the last run. A client of Hadoop needs no setting for it, and one that does not encrypt is given nothing."""
    with overheard(9866) as heard:
        put(site, "/user/sky/encrypted", SECRET, COPIES)
    said = heard()
    assert len(said) > len(SECRET)
    assert MARK not in said
    assert typed(site, "$ hdfs dfs -cat /user/sky/encrypted | md5sum").split()[0] == hashlib.md5(SECRET, usedforsecurity=False).hexdigest()
    assert answer_in_plain(site).strip() == "refused"
