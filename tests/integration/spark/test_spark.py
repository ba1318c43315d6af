# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster on this machine, used as its users would: built, proved, given jobs, resized under load, broken, taken away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.interruptions import ctrl_c, until
from ansible_collections.sky.clusters.tests.support.site import Played, Site, lasting
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("first")]

ZONE = "tspark"
TASKS = 12
TICKING = 15  # seconds that an application ticks
# Each of its tasks ends once the file `gate` beside the driver holds a higher number than its own; then a shuffle of what they found.
# The gate of an earlier job is root's.
JOB = """
import socket, sys, threading, time
from operator import add
from pathlib import Path
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("resized").getOrCreate()
Path("gate").unlink(missing_ok=True)
Path("gate").write_text("0")
tasks = int(sys.argv[1])
door = socket.create_server((spark.conf.get("spark.driver.host"), 0))
address = door.getsockname()
def tell():
    while True:
        asking, _whose = door.accept()
        with asking:
            asking.sendall(Path("gate").read_bytes())
threading.Thread(target=tell, daemon=True).start()
def held(number):
    while True:
        with socket.create_connection(address) as gate:
            if number < int(gate.makefile().read()):
                return number % 3, number
        time.sleep(0.2)
print("answer", sorted(spark.sparkContext.parallelize(range(tasks), tasks).map(held).reduceByKey(add, 2).collect()))
"""
ANSWER = "answer [(0, 18), (1, 22), (2, 26)]"
SUM = """
import os, sys
from helper import twice
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("words", sys.argv[1:])
print("sum", spark.sparkContext.parallelize(range(10)).map(twice).sum())
print("modes", oct(os.stat(".").st_mode), oct(os.stat(__file__).st_mode))
print("lines", b"".join(open(f"/proc/{pid}/cmdline", "rb").read() for pid in os.listdir("/proc") if pid.isdigit()))
"""
TICKS = """
import sys, time
for number in range(int(sys.argv[1])):
    print("tick", number, flush=True)
    time.sleep(1)
sys.exit(int(sys.argv[2]))
"""
# nobody listens there; and no connection that is open already is used
ELSEWHERE = ("-e", "ansible_host=127.0.0.9", "-e", "ansible_port=9", "-e", "ansible_ssh_args='-o ControlPath=none'")
SQL = "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver"
DRAINING = r"^  tspark-worker-\d: draining, "
FOLDERS = "ls -A /var/lib/sky-submit"
# of a job that has ended, only its output is kept
REMAINS = "find /var/lib/sky-submit -mindepth 2 ! -name std??? ! -name end ! -name outcome ! -name about"


@pytest.fixture(scope="module")
def first(site: Site) -> Played:
    """The first run."""
    return site.must("spark_cluster")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file: each test takes it as the one before left it, but for its own sizes."""
    with lasting(tmp_path_factory.mktemp("spark"), ZONE, spark(ZONE, 2)) as site:
        yield site


def test_the_first_run_proves_the_cluster_and_says_how_to_use_it(first: Played) -> None:
    said = first.output
    assert "Spark is ready: 2 worker(s), master tspark-master-0" in said
    assert "tasks on 2 worker(s)" in said
    assert max(tasks for host, tasks in first.tasks.items() if "worker" in host) <= 40
    login = next(line.strip() for line in said.splitlines() if line.strip().startswith("ssh ") and " -N " not in line)
    answer = subprocess.run(f"{login} whoami", shell=True, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert answer.stdout.strip() == "sky", answer.stderr


def test_a_second_run_changes_nothing_and_visits_no_node(site: Site, figure: Callable[[str], None]) -> None:
    begun = time.monotonic()
    played = site.must("spark_cluster")
    figure(f"a second run takes {time.monotonic() - begun:.1f} s")
    assert set(played.changed.values()) == {0}
    looks = {"tspark-worker-0": 1, "tspark-worker-1": 1, "tspark-master-0": 3}  # the master's page, and where to go next
    assert {host: tasks for host, tasks in played.tasks.items() if host != "localhost"} == looks
    assert re.search(r"proved by a job at \d{4}-\d\d-\d\d \d\d:\d\d UTC: pi 3.1416, \d+ words counted, tasks on 2 worker\(s\)", played.output)


@pytest.fixture
def job(site: Site) -> Iterator[subprocess.Popen[str]]:
    """One that holds every core until it is told to go on; it ends with the test."""
    started = submit(site)
    yield started
    if started.poll() is None:
        gate(site, TASKS)
        started.communicate(timeout=120)


def test_a_job_of_the_clusters_user_survives_growth_and_shrinking(site: Site, job: subprocess.Popen[str], figure: Callable[[str], None]) -> None:
    """2 -> 4 -> 3 -> 1 workers under one job: a drain that it lets end, and one that is cut short. It loses no other executors than theirs."""
    site.must("spark_cluster", *workers(4))
    assert site.hosts("spark_worker") == names(4)
    grown = addresses(site)
    master = grown["tspark-master-0"]
    application = running(master)
    eventually("all workers are at work", lambda: at_work(master) == 4)
    shrunk_by_a_drain(site, figure)
    eventually("the others are at work", lambda: at_work(master) == 3)
    shrunk_by_force(site, figure)
    gate(site, TASKS)
    output, _none = job.communicate(timeout=120)
    assert ANSWER in output, output[-3000:]
    eventually("the history server knows its end", lambda: application in history(master, "?status=completed"))
    told = json.loads(history(master, f"/{application}/allexecutors"))
    lost = [executor["hostPort"].partition(":")[0] for executor in told if not executor["isActive"]]
    assert sorted(lost) == sorted(grown[name] for name in names(4)[1:]), told
    figure(f"a job on 2, 4, 3 and 1 workers lost {len(lost)} of its {len(told) - 1} executors, one of each removed worker")  # one is the driver


def shrunk_by_a_drain(site: Site, figure: Callable[[str], None]) -> None:
    """4 -> 3: the drain tells its bound, and ends when the task does that keeps the executor."""
    begun = time.monotonic()
    with site.start("spark_cluster", *workers(3)) as run:
        said = until(run, DRAINING)
        gate(site, 4)  # the four tasks that run
        let_go = time.monotonic()
        said += until(run, r"^  tspark-worker-3 +deleted ")
        gone = time.monotonic()
        said += run.communicate(timeout=300)[0]
    assert run.returncode == 0, said[-3000:]
    told = re.findall(r"^  tspark-worker-3: draining, 1 executor still runs \(resized\), at most (\d+) s more; (.*)$", said, re.MULTILINE)
    assert told, said[-3000:]
    assert [left for left, _how in told if not 0 < int(left) < 600] == []
    assert {how for _left, how in told} == {"to cut it short: Ctrl-C, then run again with -e sky_disruption=force"}
    assert re.search(r"^  tspark-worker-3: drained in \d+ s$", said, re.MULTILINE)
    assert site.hosts("spark_worker") == names(3)
    figure(f"a worker under a job is gone {gone - begun:.0f} s after the run began, {gone - let_go:.0f} s after the task ended that kept it")


def shrunk_by_force(site: Site, figure: Callable[[str], None]) -> None:
    """3 -> 1: the drain, which no task lets end, is interrupted; the next run does not wait for it."""
    with site.start("spark_cluster", *workers(1)) as run:
        until(run, DRAINING)
        interrupted = time.monotonic()
        ctrl_c(run)
        run.communicate(timeout=60)
        ended = time.monotonic() - interrupted
    assert run.returncode != 0
    assert site.hosts("spark_worker") == names(3)
    begun = time.monotonic()
    forced = site.must("spark_cluster", *workers(1), "-e", "sky_disruption=force")
    figure(f"a drain of 2 workers that a job keeps ends {ended:.0f} s after Ctrl-C; the run with force takes {time.monotonic() - begun:.0f} s")
    assert "draining, " not in forced.output
    assert site.hosts("spark_worker") == names(1)


def test_a_worker_whose_pool_loses_the_role_is_drained_under_a_job(site: Site, job: subprocess.Popen[str]) -> None:
    """The node stays, and the job loses that executor only."""
    site.content["pools"]["former"] = {"cloud": "here", "count": 1, "roles": ["spark_worker"]}
    site.must("spark_cluster", *workers(1), *UNPROVED)
    grown = addresses(site)
    master = grown["tspark-master-0"]
    eventually("both workers are at work", lambda: at_work(master) == 2)
    application = running(master)
    site.content["pools"]["former"]["roles"] = []
    with site.start("spark_cluster", *workers(1), *UNPROVED) as run:
        said = until(run, r"^  tspark-former-0: draining, 1 executor still runs \(resized\)")
        gate(site, 2)  # the tasks that run
        said += run.communicate(timeout=300)[0]
    assert run.returncode == 0, said[-3000:]
    gate(site, TASKS)
    output, _none = job.communicate(timeout=120)
    assert ANSWER in output, output[-3000:]
    eventually("the history server knows its end", lambda: application in history(master, "?status=completed"))
    told = json.loads(history(master, f"/{application}/allexecutors"))
    assert [executor["hostPort"].partition(":")[0] for executor in told if not executor["isActive"]] == [grown["tspark-former-0"]], told
    assert site.ssh("tspark-former-0", "test -e /etc/systemd/system/spark-worker.service || echo removed").strip() == "removed"
    del site.content["pools"]["former"]
    site.must("spark_cluster", *workers(1), "-e", "sky_confirm=tspark", *UNPROVED)


def test_two_applications_at_once_give_each_its_own_output(site: Site) -> None:
    """A file with one beside it and odd arguments, and a class of Spark's own, side by side on one core each."""
    write(site, **{"sum.py": SUM, "helper.py": "def twice(number):\n    return 2 * number\n"})
    one_core = {"spark.cores.max": 1, "spark.extra": "secret of a setting"}
    file = site.start("spark_submit", *asked(application="sum.py", arguments=["10", "a $HOME b"], files=["helper.py"], spark_conf=one_core))
    words = ["-e", "select 6 * 7, '$HOME'"]
    sql = site.start("spark_submit", *asked(application=SQL, arguments=words, spark_conf={"spark.cores.max": 1}))
    of_file, of_sql = (run.communicate(timeout=400)[0] for run in (file, sql))
    assert (file.returncode, sql.returncode) == (0, 0), of_file[-3000:] + of_sql[-3000:]
    assert "words ['10', 'a $HOME b']" in of_file
    assert "sum 90" in of_file
    assert "modes 0o40700 0o100600" in of_file
    assert "42\t$HOME" in of_sql
    assert "sum 90" not in of_sql
    assert "42\t" not in of_file
    (lines,) = [line for line in of_file.splitlines() if line.startswith("  lines ")]
    secret = site.ssh("tspark-master-0", "cat /var/lib/sky/secrets/spark").strip()
    assert [word for word in ("sum.py", secret, "secret of a setting") if word in lines] == ["sum.py"]
    ids = [set(re.findall(r"succeeded after .* s \((app-\S+)\)", output)) for output in (of_file, of_sql)]
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert site.ssh("tspark-master-0", REMAINS).strip() == ""


def test_the_exit_code_of_an_application_is_told(site: Site) -> None:
    write(site, **{"ticks.py": TICKS})
    played = site.play("spark_submit", *asked(application="ticks.py", arguments=["2", "3"]))
    assert played.code == 2
    assert "ticks.py ended with exit code 3: tick 0 | tick 1" in played.last(16)
    assert played.output.count("tick 0") == 3  # as it came, in Ansible's words, and in its result


def test_a_time_that_is_over_stops_the_application(site: Site) -> None:
    write(site, **{"ticks.py": TICKS})
    played = site.play("spark_submit", *asked(application="ticks.py", arguments=["600", "0"], timeout=8))
    assert played.code == 2
    assert "ticks.py was stopped after 8 seconds (sky_timeout)" in played.last(16)
    assert site.ssh("tspark-master-0", "pgrep -fc [t]icks.py || true").strip() == "0"


def kill_group(run: subprocess.Popen[str]) -> None:
    os.killpg(run.pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [ctrl_c, kill_group])
def test_an_application_outlives_the_run_that_submitted_it(site: Site, end: Callable[[subprocess.Popen[str]], None]) -> None:
    write(site, **{"ticks.py": TICKS})
    run = site.start("spark_submit", *asked(application="ticks.py", arguments=[str(TICKING), "0"]))
    said = until(run, "tick 3")
    end(run)
    rest, _none = run.communicate(timeout=60)
    assert run.returncode != 0
    assert f"tick {TICKING - 1}" not in rest
    (job,) = re.findall(r"follow it again: sky.clusters.spark_submit with -e sky_submission=(\w+)", said)
    played = site.must("spark_submit", "-e", f"sky_submission={job}")
    assert re.findall(r"^  tick (\d+)$", played.output, re.MULTILINE) == [str(number) for number in range(TICKING)]
    again = site.must("spark_submit", "-e", f"sky_submission={job}")
    assert re.findall(r"^  tick (\d+)$", again.output, re.MULTILINE) == [str(number) for number in range(TICKING)]


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (["-e", "sky_application=none.py"], "sky_application: no such file none.py, and it is not a class name"),
        (["-e", "sky_application=a.B", "-e", "sky_argments=1"], "sky_argments: no such variable; did you mean 'sky_arguments'?"),
        (
            ["-e", "sky_application=a.B", "-e", "node_user=nobody-here"],
            "user 'nobody-here' does not exist here: run sky.clusters.spark_cluster first",
        ),
        (
            ["-e", "sky_application=a.B", "-e", '{"sky_spark_conf": {"spark.executor.memmory": "2g"}}'],
            "sky_spark_conf.spark.executor.memmory: no such setting; did you mean 'spark.executor.memory'?",
        ),
        (["-e", "sky_submission=00000000"], "there is no job sky-submit-00000000 here"),
        (["-e", "sky_application=a.B", *ELSEWHERE], "tspark-master-0 does not answer by ssh"),
    ],
)
def test_what_cannot_be_submitted_is_said_before_anything_is_begun(site: Site, wish: list[str], sentence: str) -> None:
    before = site.ssh("tspark-master-0", FOLDERS)
    played = site.play("spark_submit", *wish)
    assert played.code == 2
    assert sentence in played.last(8)
    assert site.ssh("tspark-master-0", FOLDERS) == before


def test_check_mode_says_what_it_would_submit(site: Site) -> None:
    write(site, **{"ticks.py": TICKS})
    played = site.must("spark_submit", *asked(application="ticks.py", arguments=["a b"]), "--check")
    assert "would submit to tspark-master-0, as its user sky: ticks.py 'a b'" in played.output


def test_a_cluster_that_cannot_run_a_job_fails_the_play_with_the_reason(site: Site) -> None:
    site.must("spark_cluster")
    master, address = (site.inventory()["_meta"]["hostvars"][name]["sky_address"] for name in ("tspark-master-0", "tspark-worker-1"))
    # it runs, and cannot reach its master: no visit mends that
    site.ssh("tspark-worker-1", f"systemctl stop spark-worker && ip route add blackhole {master} && systemctl start spark-worker")
    played = site.play("spark_cluster", "-e", "spark_proof_force=true", "-e", "spark_proof_seconds=10")
    assert played.code != 0
    assert address in played.last(20), played.last(30)
    assert "spark: proof failure at " in site.must("status").output
    site.ssh("tspark-worker-1", f"ip route del blackhole {master}")
    assert set(site.must("spark_cluster", "-e", "sky_full=true").changed) == {"localhost", "tspark-master-0", "tspark-worker-0", "tspark-worker-1"}
    assert "ready: yes" in site.must("status").output


def asked(**wish: Any) -> list[str]:
    """Extra variables of a submission."""
    return ["-e", json.dumps({f"sky_{name}": value for name, value in wish.items()})]


def write(site: Site, **files: str) -> None:
    for name, text in files.items():
        (site.folder / name).write_text(text)


def names(workers: int) -> list[str]:
    return [f"tspark-worker-{index}" for index in range(workers)]


def workers(count: int) -> tuple[str, str]:
    """Another size for one run."""
    return "-e", f'{{"sky_counts": {{"worker": {count}}}}}'


def addresses(site: Site) -> dict[str, str]:
    return {name: variables["sky_address"] for name, variables in site.inventory()["_meta"]["hostvars"].items()}


def page(url: str) -> str:
    """What a node of this test shows; nothing where it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read(), "utf-8")
    except OSError:
        return ""


def history(master: str, path: str) -> str:
    return page(f"http://{master}:18080/api/v1/applications{path}")


def running(master: str) -> str:
    """Spark's name of the one application that runs; empty if there is none."""
    return "".join(application["id"] for application in json.loads(page(f"http://{master}:8080/json/") or '{"activeapps": []}')["activeapps"])


def at_work(master: str) -> int:
    """How many tasks of that application run, as its driver knows."""
    told = page(f"http://{master}:4040/api/v1/applications/{running(master)}/executors")
    return sum(executor["activeTasks"] for executor in json.loads(told or "[]"))


def gate(site: Site, number: int) -> None:
    """Let the tasks with lower numbers end."""
    site.ssh("tspark-master-0", f"cd /home/sky && echo {number} > gate.new && mv gate.new gate")


def submit(site: Site) -> subprocess.Popen[str]:
    """Start the job as the cluster's user, and wait until the cluster runs it."""
    site.ssh("tspark-master-0", f"cat > /home/sky/job.py <<'END'\n{JOB}\nEND")
    host = site.inventory()["_meta"]["hostvars"]["tspark-master-0"]
    command = f"ssh {host['ansible_ssh_common_args']} sky@{host['ansible_host']} spark-submit job.py {TASKS}"
    job = subprocess.Popen(command, shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    eventually("the cluster takes the job", lambda: running(host["sky_address"]))
    return job


def eventually(what: str, holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 90
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within 90 s: {what}")
        time.sleep(1)
