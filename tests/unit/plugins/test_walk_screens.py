# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Screens of real runs are compared without what differs from run to run. Those of real nodes are in tests/integration/walk."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import screens, tree

SCREENS = Path(__file__).parent / "screens/memory"
FAST = """\
\x1b[0;33m  Unpack the distribution                                        2 nodes       \x1b[0m
  demo-worker-0       asked for       0.1 s
  demo-master-0       asked for       0.1 s
  demo-master-0       made            0.6 s  e3cc0a5fb5a3
\x1b[0;32m  demo-master-0       ssh answers     1.2 s  10.88.0.213\x1b[0m
  Spark is ready: 1 worker(s), master demo-master-0 (10.88.0.213)
  spark: http://10.88.0.213:8080, 1 member(s), 0 busy, workers alive 1, cores 2,
    cores in use 0, memory MiB 1024
    ssh -F /a/demo.conf demo-master-0
\x1b[0;32mfinished in 9 s\x1b[0m
"""
SLOW = """\
  Unpack the distribution ... 5 s, 1 node done
  Unpack the distribution ... 35 s, 1 node done
\x1b[0;33m  Unpack the distribution                                        2 nodes   41 s\x1b[0m
  Check the node                                                 2 nodes    6 s
\x1b[0;33m  Fetch the archive with pip                                               20 s\x1b[0m
  demo-master-0       asked for      10.1 s
  Create, replace and start nodes ... 12 s
  demo-master-0       made           10.6 s  0123456789ab
\x1b[0;32m  demo-master-0       ssh answers    12.2 s  10.88.0.4\x1b[0m
  demo-worker-0       asked for       0.1 s
  Spark is ready: 1 worker(s), master demo-master-0 (10.88.0.4)
  spark: http://10.88.0.4:8080, 1 member(s), 0 busy, workers alive 1, cores 16,
    cores in use 0, memory MiB 65536
    ssh -F /b/demo.conf demo-master-0
\x1b[0;32mfinished in 109 s\x1b[0m
"""


SPARK = "  Spark is ready: 1 worker(s), master demo-master-0 (10.88.0.4)\n  proved by a job\n\n  see it:\n    sky.clusters.status\n"
HDFS = "  HDFS is ready: 1 DataNode(s), NameNode demo-store-0 (10.88.0.5:8020)\n\n  use it:\n    hdfs dfs -ls /user/sky\n"


def test_the_systems_may_tell_their_next_steps_in_any_order() -> None:
    first, second = (screens.normal(f"  done: 2 created\n{steps}\nfinished in 9 s\n", {}) for steps in (SPARK + HDFS, HDFS + "\n\n" + SPARK))
    assert first == second
    assert first.index("HDFS is ready") < first.index("hdfs dfs") < first.index("Spark is ready") < first.index("sky.clusters.status")
    assert first.endswith("    sky.clusters.status\n\nfinished in N s\n")


def test_a_screen_that_ends_with_next_steps_is_whole() -> None:
    assert screens.normal(SPARK, {}).splitlines()[-2:] == ["    sky.clusters.status", ""]


def test_a_fast_and_a_slow_machine_show_the_same() -> None:
    held = screens.normal(FAST, {"/a": "FOLDER"})
    assert held == screens.normal(SLOW, {"/b": "FOLDER"})
    assert "\x1b[0;33m  Unpack the distribution  2 nodes\x1b[0m\n" in held
    assert "\n    ssh -F FOLDER/demo.conf demo-master-0\n" in held
    assert screens.normal(FAST.replace("2 nodes", "1 node "), {"/a": "FOLDER"}) != held
    assert screens.normal(FAST.replace("0;32mfinished", "0;31mfinished"), {"/a": "FOLDER"}) != held
    assert screens.normal(FAST.replace("is ready", "is not ready"), {"/a": "FOLDER"}) != held


def test_wrapped_lines_are_joined_and_others_are_not() -> None:
    assert "cores 2, cores in use 0, memory MiB 1024\n    ssh -F" in screens.unwrapped(FAST)


def test_prose_that_does_not_fit_is_found_and_commands_are_not() -> None:
    command, prose, row = f"    ssh -F {'a' * 80} demo-master-0", f"  {'word ' * 20}", f"  demo-worker-0  running  {'spark_worker,' * 5}  yes"
    assert screens.too_wide(f"{command}\n{prose}\n{row}\n") == [prose.rstrip(), row]


def test_the_log_of_a_job_is_held_as_it_is() -> None:
    log = f"  26/11/30 22:44:13 WARN TaskSchedulerImpl: {'a long word ' * 8}\n"
    assert screens.too_wide(log) == []
    assert screens.normal(log, {}) == log.replace("26/11/30 22:44:13", "DAY TIME").rstrip() + "\n"


def test_a_list_of_jobs_is_the_same_on_every_machine() -> None:
    rows = [
        f"  sky-submit-{identifier}  job.py  sky   {state}  2026-11-21 04:{minute}  {span}\n"
        for identifier, minute, span, state in (("3f9a01bc", "21", "14 s", "succeeded"), ("c2f7e6d0", "59", "2 h 3 min", "succeeded"))
    ]
    assert screens.normal(rows[0], {}) == screens.normal(rows[1], {}) == "  sky-submit-ID  job.py  sky  succeeded  TIME  N s\n"
    follow = "  to stop it: sky.clusters.spark_jobs with -e sky_stop=3f9a01bc\n"
    assert screens.normal(follow, {}) == follow.replace("3f9a01bc", "ID")


def test_a_screen_without_a_file_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(screens.RENEW, raising=False)
    assert "new.txt is missing: run this once with SKY_RENEW_SCREENS=1" in screens.fault(tmp_path, "new", FAST, {})
    monkeypatch.setenv(screens.RENEW, "1")
    assert screens.fault(tmp_path, "new", FAST, {}) == ""
    monkeypatch.delenv(screens.RENEW)
    assert screens.fault(tmp_path, "new", SLOW.replace("/b", "/a"), {}) == ""
    assert screens.fault(tmp_path, "new", FAST + "  one more line\n", {}).endswith("\n+  one more line")
    assert screens.fault(tmp_path, "new", f"{FAST}  {'word ' * 20}\n", {}).startswith("new: wider than the screen:\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With a cluster file, and a key. Ansible's home has a short name: files for ssh go elsewhere if it is long."""
    made = made_in(tmp_path_factory.mktemp("memory"))
    with tempfile.TemporaryDirectory(prefix="sky-", dir="/tmp") as home:
        (made / "home").symlink_to(home)
        yield made


def made_in(made: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made / "key")], check=True)
    pools = {
        "master": {"cloud": "one", "count": 1, "roles": ["spark_master"], "volumes": {"spark": 1}},
        "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"]},
    }
    clouds = {"one": {"provider": "memory", "path": str(made / "world")}}
    content = {"plugin": "sky.clusters.clouds", "cluster": "demo", "clouds": clouds, "pools": pools}
    (made / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("name", "look", "words"),
    [
        ("check-colour", screens.COLOUR, ["cluster", "--check"]),
        ("failed", screens.PLAIN, ["cluster", "-e", "ansible_connection=local", "-e", "sky_cloud_address=192.0.2.4"]),
        ("destroyed-colour", screens.COLOUR, ["destroy"]),
    ],
)
def test_screens(folder: Path, name: str, look: dict[str, str], words: list[str]) -> None:
    home = str((folder / "home").resolve())
    own = {"ANSIBLE_PRIVATE_KEY_FILE": str(folder / "key"), "ANSIBLE_HOME": home, "ANSIBLE_FORKS": "1"}
    playbook, *more = words
    command = [sys.executable, "-W", "ignore", str(tree.ROOT / "tests/support/play_in_memory.py"), "-i", str(folder / "demo.sky.yml")]
    done = subprocess.run(
        [*command, f"sky.clusters.{playbook}", *more], cwd=folder, env=os.environ | own | look, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == (2 if name.startswith("failed") else 0), done.stdout
    own = {str(folder): "FOLDER", home: "FOLDER/home", f"machine, {platform.node()}": "machine, NAME"}
    assert not (fault := screens.fault(SCREENS, name, done.stdout, own)), fault
