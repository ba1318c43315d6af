# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster of a single node on this machine: built, broken, grown by a second pool, and its roles taken away again."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ansible_collections.sky.clusters.tests.support import guide, screens
from ansible_collections.sky.clusters.tests.support.browser import chromium, run_a_cell, tunnel
from ansible_collections.sky.clusters.tests.support.site import Played, Site, lasting
from ansible_collections.sky.clusters.tests.support.spark_jobs import eventually
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE = "tone"
SCREENS = Path(__file__).resolve().parent / "screens"
HELD = ("jobs", "submit-failed", "submitted-colour")
NODE, MORE = "tone-node-0", "tone-more-0"
WORK = "/var/lib/spark/work"
UNITS = "systemctl list-unit-files --no-legend 'spark-*' | cut -d' ' -f1"
LEFT = "ls -d /opt/spark* /opt/python-* /opt/jvm-* /etc/spark /var/lib/spark 2>/dev/null; true"
JVM = "ls -d /opt/jvm-* 2>/dev/null; true"
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


WRITES = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(100).write.csv("file:///data/sets/rows")
open("/data/sets/driver", "w").close()
print("rows", spark.read.csv("file:///data/sets/rows").count())
"""


def content() -> dict[str, Any]:
    """The example of the guide, in a zone of this test, and with a data volume."""
    file = yaml.safe_load((ROOT / "inventories/local/single.sky.yml").read_text(encoding="utf-8"))
    cloud = file["clouds"]["here"] | {"zone": ZONE}
    node = file["pools"]["node"] | {"volumes": {"sets": 1}}
    return dict(file | {"cluster": ZONE, "clouds": {"here": cloud}, "pools": {"node": node}})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file: each test takes it as the one before left it."""
    with lasting(tmp_path_factory.mktemp("single"), ZONE, content()) as site:
        yield site


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("spark_cluster")


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """What was on the screens, to be compared at the end: one that has changed keeps no other test from running."""
    return {}


def status(site: Site) -> dict[str, Any]:
    path = site.folder / "status.json"
    site.must("status", "-e", f"sky_status_file={path}")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_one_node_is_master_and_worker_and_is_proved(site: Site, built: Played) -> None:
    assert f"Spark is ready: 1 worker(s), master {NODE}" in built.output
    assert "tasks on 1 worker(s)" in built.output
    facts = status(site)["systems"]["spark"]["facts"]
    # of 2 cores and 2048 MiB: room for the master and a driver, and for a job's default executor
    assert (facts["cores"], facts["memory MiB"]) == (1, 1024)


def test_people_and_jobs_write_to_a_data_volume_of_which_the_file_says_nothing(site: Site) -> None:
    (site.folder / "writes.py").write_text(WRITES, encoding="utf-8")
    assert "rows 100" in site.must("spark_submit", "-e", "sky_application=writes.py").output
    of_executors, of_the_driver = site.ssh(NODE, "stat -c '%U %G' /data/sets/rows/part-* /data/sets/driver | sort -u").splitlines()[::-1]
    assert (of_the_driver.split()[0], of_executors.split()[0]) == ("sky", "spark")
    assert site.ssh(NODE, "stat -c '%U:%G %a' /data/sets").strip() == "sky:spark 775"


def test_a_second_run_changes_nothing_and_visits_nobody(site: Site, figure: Callable[[str], None]) -> None:
    begun = time.monotonic()
    played = site.must("spark_cluster")
    figure(f"a second run of a single node takes {time.monotonic() - begun:.1f} s")
    assert set(played.changed.values()) == {0}
    assert played.tasks[NODE] == 3  # two looks, and where to go next
    assert re.search(rf"proved by a job at {MOMENT}: pi 3\.1416", played.output)


# --- packages, a notebook, and the list of jobs ---------------------------------------------------------------------------------------------

PACKAGE = "humanize==4.12.0 --hash=sha256:106a7436a2d545d742c147c469716b3a08424aa143a82103630147c489a89f48"
USES_PACKAGE = """
import sys
from pyspark.sql import SparkSession
def named(number):
    import humanize
    return sys.executable, humanize.intcomma(number)
found = SparkSession.builder.getOrCreate().sparkContext.parallelize([1234567], 1).map(named).collect()
print("python", sys.executable)
print("found", found)
"""
USES_NUMBERS = """
from pyspark.sql import SparkSession
def versions(_number):
    import numpy, pandas
    return f"numpy=={numpy.__version__}", f"pandas=={pandas.__version__}", int(pandas.Series(numpy.arange(101)).sum())
print("numbers", SparkSession.builder.getOrCreate().sparkContext.parallelize([1], 1).map(versions).collect())
"""
COORDINATE = "org.apache.commons:commons-csv:1.14.1"
JAR = "32be0e1e76673092f5d12cb790bd2acb6c2ab04c4ea6efc69ea5ee17911c24fe"
# The driver uses the class; the executor's JVM, which is the parent of its Python, has the jar on its class path and open
USES_CLASS = """
import os
from pyspark.sql import SparkSession
def opened(_number):
    process = os.getpid()
    while b"CoarseGrainedExecutorBackend" not in open(f"/proc/{process}/cmdline", "rb").read():
        process = int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
    files = {os.path.basename(os.readlink(f"/proc/{process}/fd/{fd}")) for fd in os.listdir(f"/proc/{process}/fd")}
    return sorted(name for name in files if "commons-csv" in name)
spark = SparkSession.builder.getOrCreate()
text = spark._jvm.org.apache.commons.csv.CSVFormat.DEFAULT.format(spark._jvm.java.util.List.of("a b", "c,d").toArray())
print("text", text)
print("executor", spark.sparkContext.parallelize([1], 1).map(opened).collect())
"""
LONG = """
import time
from pyspark.sql import SparkSession
SparkSession.builder.appName("long").getOrCreate()
print("begun", flush=True)
time.sleep(600)
"""
# A task takes all memory of its node; a task does to its executor what the kernel would do
KILLED = {
    "eats.py": """
from pyspark.sql import SparkSession
def eat(_number):
    held = []
    while True:
        held.append(b"x" * (32 << 20))
SparkSession.builder.getOrCreate().sparkContext.parallelize([1], 1).map(eat).collect()
""",
    "ends.py": """
import os
import signal
from pyspark.sql import SparkSession
def end(_number):
    process = os.getpid()
    while b"CoarseGrainedExecutorBackend" not in open(f"/proc/{process}/cmdline", "rb").read():
        process = int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
    os.kill(process, signal.SIGKILL)
SparkSession.builder.getOrCreate().sparkContext.parallelize([1], 1).map(end).collect()
""",
}
CELL = """from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("notebook").getOrCreate()
print("the sum is", spark.range(1001).selectExpr("sum(id)").first()[0])"""
TOKEN = "/var/lib/spark-notebook/token"


def variables(site: Site, **values: Any) -> None:
    """The variables of the site, beside its cluster file."""
    (site.folder / "group_vars").mkdir(exist_ok=True)
    (site.folder / "group_vars/all.yml").write_text(yaml.safe_dump(values), encoding="utf-8")


def jobs(site: Site) -> list[list[str]]:
    """The lines of the list of jobs, in words."""
    output = site.must("spark_jobs").output
    return [line.split() for line in output.splitlines() if line.startswith(("  sky-submit-", "  app-"))]


def forgotten(site: Site, job: str) -> list[str]:
    """The jobs whose output is there after it was looked through for what is a week old, as this job is made to be."""
    folder = f"/var/lib/sky-submit/{job.removeprefix('sky-submit-')}"
    return site.ssh(NODE, f"touch -d '8 days ago' {folder} && systemctl start sky-forget-jobs.service && ls {Path(folder).parent}").split()


def test_the_line_of_the_guide_brings_python_packages_to_a_standing_cluster(site: Site, shown: dict[str, str], figure: Callable[[str], None]) -> None:
    playbook, more = guide.command("guide_spark", "spark_python_packages")
    begun = time.monotonic()
    site.must(playbook, *more)
    figure(f"numpy and pandas come to a standing node in {time.monotonic() - begun:.0f} s")
    (site.folder / "figures.py").write_text(USES_NUMBERS, encoding="utf-8")
    output = site.must("spark_submit", "-e", "sky_application=figures.py").output
    wanted = json.loads(more[1])["spark_python_packages"]
    assert f"numbers [{(*wanted, 5050)}]" in output
    shown["jobs"] = screens.seen(site, screens.PLAIN).must("spark_jobs").output


def test_python_packages_and_a_notebook_come_to_a_standing_cluster(site: Site, figure: Callable[[str], None]) -> None:
    (site.folder / "requirements.txt").write_text(f"{PACKAGE[:-1]}0\n", encoding="utf-8")
    variables(site, spark_python_packages="requirements.txt", spark_notebook=True)
    refused = site.play("spark_cluster")
    assert refused.code == 2
    assert "spark_python_packages: pip refused humanize==4.12.0: its SHA-256 is 106a7436" in refused.output
    (site.folder / "requirements.txt").write_text(f"{PACKAGE}\n", encoding="utf-8")
    begun = time.monotonic()
    played = site.must("spark_cluster")
    figure(f"Python packages and a notebook come to a standing node in {time.monotonic() - begun:.0f} s")
    assert "open notebooks at http://localhost:8888 through a tunnel" in played.output
    again = site.must("spark_cluster")
    assert set(again.changed.values()) == {0}
    assert again.tasks[NODE] == 3  # nobody is visited


def test_a_job_uses_the_packages(site: Site) -> None:
    (site.folder / "uses.py").write_text(USES_PACKAGE, encoding="utf-8")
    output = site.must("spark_submit", "-e", "sky_application=uses.py").output
    assert re.search(r"python /opt/python-jobs-\w{12}/bin/python3", output)
    assert re.search(r"found \[\('/opt/python-jobs-\w{12}/bin/python3', '1,234,567'\)\]", output)


def test_packages_of_the_jvm_come_to_a_standing_cluster_are_used_and_go_again(site: Site, figure: Callable[[str], None]) -> None:
    of_python = {"spark_python_packages": "requirements.txt", "spark_notebook": True}
    (site.folder / "class.py").write_text(USES_CLASS, encoding="utf-8")
    for entry, reason in (
        ("commons-csv:1.14.1", "spark_jvm_packages (group all): entry 0: must be group:artifact:version, such as"),
        (COORDINATE.replace("csv", "cvs"), "spark_jvm_packages: Ivy found no org.apache.commons:commons-cvs:1.14.1 in its repositories"),
        (f"{COORDINATE} --hash=sha256:{JAR[:-1]}0", f"{COORDINATE}: the SHA-256 of its jar is {JAR}, and the list has"),
    ):
        variables(site, **of_python, spark_jvm_packages=[entry])
        refused = site.play("spark_cluster")
        assert refused.code != 0
        assert reason in refused.output, refused.last(30)
    assert site.ssh(NODE, JVM).strip() == ""
    variables(site, **of_python, spark_jvm_packages=[f"{COORDINATE} --hash=sha256:{JAR}"])
    begun = time.monotonic()
    site.must("spark_cluster")
    figure(f"packages of the JVM come to a standing node in {time.monotonic() - begun:.0f} s")
    assert set(site.must("spark_cluster").changed.values()) == {0}
    assert f"{JAR}  jars/org.apache.commons_commons-csv-1.14.1.jar" in site.ssh(NODE, "cat /opt/jvm-jobs/SHA256SUMS")
    assert "FAILED" not in site.ssh(NODE, "cd /opt/jvm-jobs && sha256sum --check SHA256SUMS")
    output = site.must("spark_submit", "-e", "sky_application=class.py").output
    assert 'text a b,"c,d"' in output
    assert "executor [['org.apache.commons_commons-csv-1.14.1.jar']]" in output
    variables(site, **of_python)
    site.must("spark_cluster")
    assert site.ssh(NODE, JVM).strip() == ""
    failed = site.play("spark_submit", "-e", "sky_application=class.py")
    assert failed.code == 2
    variables(site, **of_python, spark_jvm_packages=[COORDINATE])
    site.must("spark_cluster")  # for the last test, which takes the roles away
    assert set(site.must("spark_cluster").changed.values()) == {0}


def test_what_is_installed_is_listed_with_its_origin(site: Site, figure: Callable[[str], None]) -> None:
    path = site.folder / "one.cdx.json"
    begun = time.monotonic()
    site.must("sbom", "-e", f"sky_sbom_file={path}")
    figure(f"the software of a node with Spark is listed in {time.monotonic() - begun:.1f} s")
    bill = json.loads(path.read_text(encoding="utf-8"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text(encoding="utf-8")) is None
    (depends,) = [entry["dependsOn"] for entry in bill["dependencies"] if entry["ref"] == f"node:{NODE}"]
    assert sorted(depends) == sorted(component["bom-ref"] for component in bill["components"] if component["type"] != "device")
    purls = {component["purl"] for component in bill["components"] if "purl" in component}
    assert {"pkg:pypi/humanize@4.12.0", "pkg:maven/org.apache.commons/commons-csv@1.14.1"} <= purls
    assert any(purl.startswith("pkg:pypi/pyspark@") for purl in purls)
    installed = site.ssh(NODE, "dpkg -l | grep -c ^.i")
    assert len([purl for purl in purls if purl.startswith("pkg:deb/debian/")]) == int(installed)
    digests = {content["content"] for component in bill["components"] for content in component.get("hashes", [])}
    assert JAR in digests
    jars = site.ssh(NODE, "find /opt -name '*.jar' -type f | wc -l")
    assert len({component["bom-ref"] for component in bill["components"] if component["bom-ref"].startswith("jar:")}) <= int(jars)
    assert int(jars) > 100


def test_a_notebook_is_opened_in_a_browser_and_runs_a_cell_on_the_cluster(site: Site, figure: Callable[[str], None]) -> None:
    token = site.ssh(NODE, f"cat {TOKEN}").strip()
    login = f"ssh -F {Path('~/.ansible/sky').expanduser() / f'{ZONE}.conf'}"
    begun = time.monotonic()
    with tunnel(login, NODE, 8888) as port, chromium() as driver:
        said = run_a_cell(driver, f"http://localhost:{port}/lab", token, CELL, site.folder / "notebook.png")
        assert said == "the sum is 500500"
        figure(f"a browser opens a notebook and runs a cell on the cluster in {time.monotonic() - begun:.0f} s")
        ((application, name, user, state, *_since),) = [job for job in jobs(site) if job[1] == "notebook"]
        assert (name, user, state) == ("notebook", "sky", "running")
        refused = site.play("spark_jobs", "-e", f"sky_stop={application}")
        assert f"sky_stop: {application} was not submitted with sky.clusters.spark_submit: end the process of user sky" in refused.last(8)
        seen = site.ssh(NODE, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager --output=cat")
        assert token not in seen
    assert site.ssh(NODE, f"stat -c '%U %a' {TOKEN}").strip() == "sky 600"
    assert site.ssh(NODE, "ss -Hltn 'sport = :8888' | awk '{print $4}'").strip() == "127.0.0.1:8888"


def test_a_notebook_that_is_not_wanted_any_more_is_removed(site: Site) -> None:
    variables(site, spark_python_packages="requirements.txt", spark_jvm_packages=[COORDINATE])
    site.must("spark_cluster")
    gone = f"ls -d /opt/python-notebook* /etc/spark-notebook {TOKEN} /etc/systemd/system/spark-notebook.service 2>/dev/null; true"
    assert site.ssh(NODE, gone).strip() == ""
    assert site.ssh(NODE, "ls /home/sky/notebooks").split() == ["Untitled.ipynb"]


def test_a_job_is_listed_and_stopped(site: Site) -> None:
    (site.folder / "long.py").write_text(LONG, encoding="utf-8")
    with (site.folder / "long.txt").open("w+", encoding="utf-8") as said:
        run = site.start("spark_submit", "-e", "sky_application=long.py", output=said)
        eventually("the job runs", lambda: "begun" in (site.folder / "long.txt").read_text(encoding="utf-8"))
        (running,) = [job for job in jobs(site) if job[3] == "running"]
        assert (running[1], running[2]) == ("long.py", "sky")
        assert running[0].removeprefix("sky-submit-") in forgotten(site, running[0])  # it is old, and has not ended
        assert f"would stop {running[0]}" in site.must("spark_jobs", "--check", "-e", f"sky_stop={running[0]}").output
        assert f"{running[0]} was stopped" in site.must("spark_jobs", "-e", f"sky_stop={running[0]}").output
        assert run.wait(60) == 2
    assert "long.py was stopped by sky.clusters.spark_jobs" in (site.folder / "long.txt").read_text(encoding="utf-8")
    listed = {job[1]: job[3] for job in jobs(site)}
    assert (listed["long.py"], listed["uses.py"]) == ("stopped", "succeeded")
    assert f"{running[0]} had ended already" in site.must("spark_jobs", "-e", f"sky_stop={running[0]}").output


def test_the_output_of_a_job_that_ended_a_week_ago_is_removed_though_nobody_submits_another(site: Site) -> None:
    (ended,) = [job[0] for job in jobs(site) if job[1] == "writes.py"]
    assert ended.removeprefix("sky-submit-") not in forgotten(site, ended)
    assert ended not in [job[0] for job in jobs(site)]
    assert site.ssh(NODE, "systemctl is-active sky-forget-jobs.timer").strip() == "active"


def test_an_example_of_spark_runs_and_one_that_is_not_there_is_told(site: Site, shown: dict[str, str]) -> None:
    example = "sky_application=local:/opt/spark/examples/src/main/python/pi.py"
    said = shown["submitted-colour"] = screens.seen(site, screens.COLOUR).must("spark_submit", "-e", example).output
    assert "Pi is roughly 3." in said
    assert " INFO " not in said
    missing = screens.seen(site, screens.PLAIN).play("spark_submit", "-e", "sky_application=org.apache.spark.examples.SparkPi")
    assert missing.code == 2
    assert f"run -e {example} instead" in " ".join(missing.output.split())
    shown["submit-failed"] = missing.output


def test_a_driver_that_takes_more_than_the_memory_is_told_so(site: Site) -> None:
    (site.folder / "eat.py").write_text("held = []\nwhile True:\n    held.append(b'x' * (32 << 20))\n", encoding="utf-8")
    played = site.play("spark_submit", "-e", "sky_application=eat.py")
    assert played.code == 2
    assert "eat.py was killed: out of memory (limit 2048 MiB, the memory of the master, where the driver runs)" in played.last(8)


def test_a_job_that_asks_for_more_than_any_worker_has_is_told_so(site: Site) -> None:
    settings = json.dumps({"sky_spark_conf": {"spark.executor.memory": "8g"}})
    played = site.play("spark_submit", "-e", "sky_application=writes.py", "-e", settings, "-e", "sky_timeout=150")
    assert played.code == 2
    said = played.output.partition("writes.py was stopped after 150 seconds (sky_timeout): ")[2]
    assert "Initial job has not accepted any resources" in said, played.output  # a slow machine makes Spark warn of something else, too


@pytest.mark.parametrize(
    ("name", "words"),
    [("eats.py", f"a Python process of an executor on {NODE} was killed or crashed"), ("ends.py", f"an executor on {NODE} was killed")],
)
def test_executors_that_are_killed_are_told_with_their_node(site: Site, name: str, words: str) -> None:
    (site.folder / name).write_text(KILLED[name], encoding="utf-8")
    played = site.play("spark_submit", "-e", f"sky_application={name}")
    assert played.code == 2
    assert f"{name} ended with exit code 1: {words}, probably because the node had no memory left" in played.last(8)
    assert site.ssh(NODE, "systemctl show --property=OOMPolicy --value spark-worker").strip() == "continue"


def test_a_folder_that_a_worker_cannot_write_to_is_repaired_and_the_cluster_proved_again(site: Site) -> None:
    before = status(site)
    assert before["ready"]
    site.ssh(NODE, f"chown root: {WORK}")
    found = status(site)
    assert (found["ready"], found["visits"]) == (False, [NODE])
    assert found["faults"] == [f"{NODE}: spark-worker cannot work: {WORK} belongs to root instead of spark"]
    site.must("spark_cluster")
    after = status(site)
    assert (after["ready"], after["faults"]) == (True, [])
    assert after["systems"]["spark"]["proof"]["result"]["application"] != before["systems"]["spark"]["proof"]["result"]["application"]
    assert site.ssh(NODE, f"stat -c %U {WORK}").strip() == "spark"


def test_a_proof_that_failed_is_remembered(site: Site) -> None:
    site.ssh(NODE, "chmod 700 /opt/spark/")  # no user but root can submit
    failed = site.play("spark_cluster", "-e", "spark_proof_force=true")
    assert failed.code != 0
    assert re.search(rf"ready: no: the proof of Spark of {MOMENT} failed: The cluster cannot run a job: ", site.must("status").output)
    assert site.play("spark_cluster").code != 0
    site.ssh(NODE, "chmod 755 /opt/spark/")
    site.must("spark_cluster")
    assert "ready: yes" in site.must("status").output


def test_a_role_that_is_taken_from_a_pool_is_removed_from_its_nodes(site: Site) -> None:
    site.content = copy.deepcopy(site.content)
    site.content["pools"]["more"] = {"cloud": "here", "count": 1, "roles": ["spark_worker"], "flavor": "medium"}
    assert "Spark is ready: 2 worker(s)" in site.must("spark_cluster").output
    # pip and Ivy did not run again: the node got the packages of the others
    of_nodes = [site.ssh(name, "ls -d /opt/python-jobs-*/.sha256-* /opt/jvm-jobs-*/.sha256-*").split() for name in (NODE, MORE)]
    assert len(of_nodes[0]) == 2
    assert of_nodes[0] == of_nodes[1]
    site.content["pools"]["more"]["roles"] = []
    site.content["pools"]["node"]["roles"] = ["spark_master"]
    foretold = site.must("status").output
    assert f"    ~ {MORE}  drain, remove spark_worker, spark" in foretold
    assert f"    ~ {NODE}  drain, remove spark_worker" in foretold
    site.must("spark_cluster", "--check")
    assert site.ssh(MORE, UNITS).split() == ["spark-worker.service"]
    site.must("spark_cluster")
    assert site.ssh(MORE, UNITS).split() == []
    assert site.ssh(MORE, LEFT).split() == ["/var/lib/spark"]
    assert site.ssh(NODE, UNITS).split() == ["spark-history-server.service", "spark-master.service"]
    assert "former" not in site.must("status").output
    assert set(site.must("spark_cluster").changed.values()) == {0}
    site.content["pools"]["node"]["roles"] = ["spark_master", "spark_worker"]
    assert f"    ~ {NODE}  configure: add spark_worker" in site.must("status").output
    assert f"  ~ {NODE}  configure: add spark_worker" in site.must("spark_cluster", "--check").output


def test_the_screens_are_what_their_files_hold(site: Site, shown: dict[str, str]) -> None:
    faults = [fault for name in HELD if (fault := screens.fault(SCREENS, name, shown[name], {str(site.folder): "FOLDER"}))]
    assert not faults, "\n\n".join(faults)
