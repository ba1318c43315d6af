# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A walk through the life of one cluster on this machine, with volumes that are kept. The systems that take part are in `systems.py`.

Checks 1, 5, 7, 19, 22, 25 and 30 of docs/reliability.md, once each; tests/integration/local has them in full.
"""

from __future__ import annotations

import copy
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.integration.walk.systems import PACKAGES, SYSTEMS, UNPROVED, pools
from ansible_collections.sky.clusters.tests.support import screens
from ansible_collections.sky.clusters.tests.support.bare import containers, folders, ids, nodes_folder
from ansible_collections.sky.clusters.tests.support.interruptions import kill_at
from ansible_collections.sky.clusters.tests.support.logins import Logins
from ansible_collections.sky.clusters.tests.support.screens import seen
from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.two_runs import FAILURE, REFUSED

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE = "twalk"
PLAYBOOK = "spark_cluster"
WORKER = f"{ZONE}-worker-0"
AT_ONCE = (1, 2)  # how many workers each of two runs wants; the parts `survival` and `spark` have 30 trials with pauses between them

SCREENS = Path(__file__).resolve().parent / "screens"
HELD = (
    "built-again",
    "built-colour",
    "check",
    "check-colour",
    "destroy-check",
    "destroyed-colour",
    "failed-colour",
    "grown-colour",
    "refused",
    "status",
    "status-colour",
)
LOOKS = [("", screens.PLAIN), ("-colour", screens.COLOUR)]
FAILS = """
- name: Fail
  ansible.builtin.command: sh -c 'echo complained >&2; exit 3'
  changed_when: true
"""

State = dict[str, set[str]]
Shown = dict[str, str]
Figure = Callable[[str], None]


def workers(count: int) -> tuple[str, str]:
    """Another size for one run."""
    return "-e", json.dumps({"sky_counts": {"worker": count}})


def names(count: int) -> list[str]:
    return [f"{ZONE}-worker-{index}" for index in range(count)]


@pytest.fixture(scope="module")
def untouched() -> State:
    """What the machine shows before the first run."""
    return machine_state(ZONE)


@pytest.fixture(scope="module")
def site(untouched: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: ARG001  # looked at before anything is made
    content = spark(ZONE, 0)
    content["clouds"]["here"]["packages"] = list(PACKAGES)
    content["pools"] = pools(ZONE)
    made = Site(tmp_path_factory.mktemp("walk"), ZONE, content)
    yield made
    made.must("destroy", *made.with_data)


@pytest.fixture(scope="module")
def shown() -> Shown:
    """What was on the screens, to be compared at the end: one that has changed keeps no other test from running."""
    return {}


@pytest.fixture(scope="module")
def first(site: Site, shown: Shown) -> Played:
    """The first run, on a screen."""
    made = seen(site, screens.COLOUR).must(PLAYBOOK)
    shown["built-colour"] = made.output
    return made


@pytest.fixture(scope="module")
def built(first: Played) -> Played:
    """The same in whole lines."""
    return Played(first.code, screens.unwrapped(first.output))


def is_whole(site: Site, count: int, *more: str) -> None:
    """So many workers and all other nodes are there once, and nothing is left to do."""
    again = site.must(PLAYBOOK, *workers(count), *more)
    assert set(again.changed.values()) == {0}, again.output
    everything = sorted(site.hosts("all"))
    assert len(site.hosts("spark_worker")) == count
    assert folders(ZONE) == containers(ZONE) == everything


def test_a_cluster_is_built_and_proved(built: Played) -> None:
    for system in SYSTEMS:
        system.is_proved(built)


@pytest.mark.parametrize(("name", "look"), LOOKS, ids=["plain", "colour"])
def test_a_plan_is_shown(site: Site, shown: Shown, name: str, look: dict[str, str]) -> None:
    said = shown[f"check{name}"] = seen(site, look).must(PLAYBOOK, "--check", *workers(2)).output
    assert f"+ {ZONE}-worker-1 " in said


@pytest.mark.parametrize(("name", "look"), LOOKS, ids=["plain", "colour"])
def test_the_status_is_shown(site: Site, shown: Shown, name: str, look: dict[str, str]) -> None:
    said = shown[f"status{name}"] = seen(site, look).must("status").output
    assert "ready: yes" in said


def test_a_second_run_changes_nothing(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    is_whole(site, 1)
    figure(f"a second run takes {time.monotonic() - began:.0f} s")


def test_status_says_that_it_is_ready(site: Site) -> None:
    path = site.folder / "status.json"
    said = site.must("status", "-e", f"sky_status_file={path}", "-e", "sky_require_ready=true")
    assert set(said.changed.values()) == {0}
    assert "a run would: change nothing" in said.output
    assert "ready: yes" in said.output
    status = json.loads(path.read_text(encoding="utf-8"))
    assert {node["name"]: node["health"] for node in status["nodes"]} == dict.fromkeys(site.hosts("all"), "ok")


def test_its_ssh_configuration_serves_ssh_scp_rsync_and_tunnels(site: Site, figure: Figure) -> None:
    site.must("status", "-e", "sky_ssh_config=walk.ssh")
    master = f"{ZONE}-master-0"
    logins = Logins(site.folder / "walk.ssh", site.folder)
    began = time.monotonic()
    assert logins.ssh(master, "whoami; hostname").split() == ["sky", master]
    assert logins.ssh(WORKER, "whoami; hostname", "-l", "root").split() == ["root", WORKER]
    (site.folder / "sent" / "deep").mkdir(parents=True)
    (site.folder / "sent/deep/a file").write_text("sent by rsync\n", encoding="utf-8")
    (site.folder / "one").write_text("sent by scp\n", encoding="utf-8")
    logins.scp("one", f"{master}:two")
    logins.scp(f"{master}:two", "three")
    logins.rsync("sent", f"{master}:")
    logins.rsync(f"{master}:sent/", "back")
    assert logins.ssh(master, "rm -r two sent; ls").split() == []
    assert (site.folder / "three").read_text(encoding="utf-8") == "sent by scp\n"
    assert (site.folder / "back/deep/a file").read_text(encoding="utf-8") == "sent by rsync\n"
    address = site.inventory()["_meta"]["hostvars"][master]["sky_address"]
    with logins.held(master, "-L", f":{address}:8080") as port:
        assert f"Spark Master at spark://{address}:7077" in logins.page(f"http://localhost:{port}/")
    with logins.held(WORKER, "-D", "") as port:  # any node leads to all pages
        assert f"Spark Master at spark://{address}:7077" in logins.page(f"http://{address}:8080/", "--socks5-hostname", f"localhost:{port}")
    with logins.held(master, "-D", "") as port:  # a head knows the names, too
        assert "Spark Master at" in logins.page(f"http://{master}:8080/", "--socks5-hostname", f"localhost:{port}")
    figure(f"ssh, scp, rsync, a tunnel and a SOCKS proxy by the ssh configuration take {time.monotonic() - began:.0f} s")


def test_a_failure_is_explained(site: Site, shown: Shown) -> None:
    """A role of somebody else fails on one node. No other role is touched, and the next run applies what the file then says."""
    role = site.folder / "collections/ansible_collections/acme/walk/roles/fails/tasks/main.yml"
    role.parent.mkdir(parents=True)
    role.write_text(FAILS, encoding="utf-8")
    content = copy.deepcopy(site.content)
    content["pools"]["worker"]["roles"].append("acme.walk.fails")
    failing = replace(site, content=content)
    failed = seen(failing, screens.COLOUR, ANSIBLE_COLLECTIONS_PATH=str(site.folder / "collections")).play(PLAYBOOK, *UNPROVED)
    assert failed.code == 2, failed.output
    shown["failed-colour"] = failed.output
    said = screens.unwrapped(failed.output)
    assert said.count("twalk-worker-0 failed at 'Apply roles of other collections' (task 'Fail'): exit code 3; the log ends with:") == 1
    login = next(line.strip().removeprefix("look: ") for line in said.splitlines() if line.strip().startswith("look: "))
    answer = subprocess.run(f"{login} whoami", shell=True, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert answer.stdout.strip() == "root", answer.stderr


def test_a_file_with_faults_is_refused(site: Site, shown: Shown) -> None:
    content = copy.deepcopy(site.content)
    content["pools"]["worker"] |= {"count": -1, "roles": ["spark_wroker"]}
    refused = seen(replace(site, content=content), screens.PLAIN).play(PLAYBOOK)
    assert refused.code != 0
    shown["refused"] = refused.output


def test_it_grows_and_proves_that_the_new_node_works(site: Site, shown: Shown) -> None:
    before = ids(site)
    shown["grown-colour"] = seen(site, screens.COLOUR).must(PLAYBOOK, *workers(2)).output
    assert "tasks on 2 worker(s)" in screens.unwrapped(shown["grown-colour"])
    assert before.items() < ids(site).items()
    assert site.hosts("spark_worker") == names(2)


def test_it_shrinks_under_work_that_goes_on(site: Site, figure: Figure) -> None:
    before = ids(site)
    with ExitStack() as work:
        for system in SYSTEMS:
            work.enter_context(system.work(site, "shrunk"))
        began = time.monotonic()
        site.must(PLAYBOOK, *UNPROVED)
        figure(f"a worker leaves under work: {time.monotonic() - began:.0f} s")
        assert site.hosts("spark_worker") == names(1)
    assert ids(site).items() < before.items()


def test_a_node_that_is_killed_is_replaced(site: Site) -> None:
    before = ids(site)
    subprocess.run(["lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", WORKER, "-f"], check=True, capture_output=True)
    site.must(PLAYBOOK)
    assert {name for name, identifier in ids(site).items() if identifier != before[name]} == {WORKER}
    assert folders(ZONE) == containers(ZONE) == sorted(before)


def test_a_run_that_is_killed_is_continued(site: Site) -> None:
    before = ids(site)
    kill_at(site.start(PLAYBOOK, *workers(2)), " booted ")
    site.must(PLAYBOOK, *workers(2), *UNPROVED)
    is_whole(site, 2, *UNPROVED)
    assert site.hosts("spark_worker") == names(2)
    assert before.items() < ids(site).items()


def two_runs(site: Site) -> list[Played]:
    """Both to their ends."""
    with site.start(PLAYBOOK, *workers(AT_ONCE[0]), *UNPROVED) as first, site.start(PLAYBOOK, *workers(AT_ONCE[1]), *UNPROVED) as second:
        said = [run.communicate(timeout=300)[0] for run in (first, second)]
    return [Played(run.returncode, text) for run, text in zip((first, second), said, strict=True)]


def ended_as_it_may(run: Played) -> bool:
    """Well, or with the one sentence that says who is at work, before its first change."""
    failures = FAILURE.findall(run.output)
    refused = len(failures) == 1 and REFUSED.search(failures[0]) is not None and set(run.changed.values()) <= {0}
    return run.code == 0 or refused


def test_two_runs_at_once_make_no_doubles(site: Site, figure: Figure) -> None:
    runs = two_runs(site)
    assert [run.output[-3000:] for run in runs if not ended_as_it_may(run)] == []
    assert len(site.hosts("spark_worker")) in AT_ONCE
    assert folders(ZONE) == containers(ZONE) == sorted(site.hosts("all"))
    site.must(PLAYBOOK, *UNPROVED)
    is_whole(site, 1, *UNPROVED)
    figure(f"exits of two runs at once: {runs[0].code} and {runs[1].code}; one more run ends well")


@pytest.fixture(scope="module")
def kept(site: Site, shown: Shown, built: Played) -> list[str]:  # noqa: ARG001  # there has to be a cluster
    """The data of each system, before its cluster was destroyed."""
    before = [system.data(site) for system in SYSTEMS]
    assert all(before)
    shown["destroy-check"] = seen(site, screens.PLAIN).must("destroy", "--check").output
    said = shown["destroyed-colour"] = seen(site, screens.COLOUR).must("destroy").output
    assert "kept" in said
    return before


@pytest.mark.usefixtures("kept")
def test_it_is_destroyed_and_its_volume_is_kept(site: Site) -> None:
    assert site.hosts("all") == containers(ZONE) == []
    assert not list(nodes_folder(ZONE).glob("*"))
    volumes = sum(pool["count"] * len(pool.get("volumes", ())) for pool in site.content["pools"].values())
    assert f"kept: {volumes} data volume(s), {volumes} GiB in all" in site.must("status").output


def test_it_is_built_again_with_its_data(site: Site, shown: Shown, kept: list[str]) -> None:
    shown["built-again"] = seen(site, screens.PLAIN).must(PLAYBOOK).output
    for system, before in zip(SYSTEMS, kept, strict=True):
        assert set(before.splitlines()) <= set(system.data(site).splitlines())


def test_nothing_is_left(site: Site, untouched: State) -> None:
    assert "nothing of it is left" in site.must("destroy", *site.with_data).output
    assert machine_state(ZONE) == untouched


def test_the_screens_are_what_their_files_hold(site: Site, shown: Shown) -> None:
    own = {str(site.folder): "FOLDER", str(Path("~/.ansible").expanduser()): "~/.ansible"}
    faults = [fault for name in HELD if (fault := screens.fault(SCREENS, name, shown[name], own))]
    assert not faults, "\n\n".join(faults)
