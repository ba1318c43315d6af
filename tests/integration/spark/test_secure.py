# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Spark cluster on this machine shows to others: ports, secrets, nodes that left. Checks 32, 34, 36 and 37 of docs/reliability.md."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES
from ansible_collections.sky.clusters.tests.support import scan
from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.sampled import Sampled
from ansible_collections.sky.clusters.tests.support.site import STATE, Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED, spark
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE, OTHER_ZONE = "tsec", "tsec2"
MASTER, WORKERS = "tsec-master-0", ["tsec-worker-0", "tsec-worker-1"]
SECRET = "/var/lib/sky/secrets/spark"
# By role variable: a setting that has a secret for its value, in the second one by way of a vault
SECRET_SETTINGS = {"spark_daemon_settings": "spark.hadoop.fs.s3a.secret.key", "spark_master_defaults": "spark.hadoop.fs.azure.account.key.site"}
SETTING_CANARIES = {
    "spark_daemon_settings": "canary-of-daemons-19fe",
    "spark_master_defaults": "canary-of-jobs-c04d",
    "sky_spark_conf": "canary-of-a-job-7be2",
    "sky_arguments": "canary-of-an-argument-33a8",  # which processes show, as is documented
}
SUM = "from pyspark import SparkContext\nprint('sum', SparkContext().parallelize(range(10)).sum())\n"
CANARIES = {"OS_PASSWORD": "canary-of-openstack-5d1f", "STRATUSLAB_PASSWORD": "canary-of-stratuslab-77ab"}
SSH = 22


class Built:
    """The cluster, what was seen while it was built, and two nodes that are not its members."""

    def __init__(self, folder: Path) -> None:
        kept = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache"), "ANSIBLE_LOG_PATH": str(folder / "log")}
        self.folder = folder
        (folder / "vault").write_text("word")
        self.site = Site(folder, ZONE, spark(ZONE, 2), kept | CANARIES | {"ANSIBLE_VAULT_PASSWORD_FILE": str(folder / "vault")})
        self.neighbour = Site(folder, "tnear", bare(ZONE, "tnear", 1))  # another cluster in the same zone
        self.stranger = Site(folder, "tfar", bare(OTHER_ZONE, "tfar", 1))
        self.said = ""
        self.called: set[bytes] = set()

    def write(self) -> None:
        """Secrets where users put them: role variables, and settings and arguments of a job."""
        group_vars = self.folder / "group_vars"
        group_vars.mkdir()
        plain, vaulted = ({name: {SECRET_SETTINGS[name]: SETTING_CANARIES[name]}} for name in SECRET_SETTINGS)
        (group_vars / "all.yml").write_text(yaml.safe_dump(plain), encoding="utf-8")
        (group_vars / "spark_master.yml").write_text(yaml.safe_dump(vaulted), encoding="utf-8")
        encrypt = self.site.command("ansible-vault", "encrypt", str(group_vars / "spark_master.yml"))
        subprocess.run(encrypt, cwd=self.folder, env=os.environ | self.site.variables, check=True, capture_output=True)
        wish = {
            "sky_application": "sum.py",
            "sky_arguments": [SETTING_CANARIES["sky_arguments"]],
            "sky_spark_conf": {"spark.hadoop.fs.s3a.session.token": SETTING_CANARIES["sky_spark_conf"]},
        }
        (self.folder / "sum.py").write_text(SUM, encoding="utf-8")
        (self.folder / "wish.json").write_text(json.dumps(wish), encoding="utf-8")

    def build(self) -> None:
        self.write()
        with self.neighbour.start("cluster") as near, self.stranger.start("cluster") as far:
            with Sampled() as self.called:
                self.said = self.site.must("spark_cluster", "-vvv").output
                self.said += self.site.must("spark_submit", "-vvv", "-e", "@wish.json").output
            said = [run.communicate(timeout=300)[0] for run in (near, far)]
        assert (near.returncode, far.returncode) == (0, 0), said

    def addresses(self) -> dict[str, str]:
        return {name: variables["sky_address"] for name, variables in self.site.inventory()["_meta"]["hostvars"].items()}

    def secret(self) -> str:
        return self.site.ssh(MASTER, f"cat {SECRET}").strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """One cluster for the whole file: each test takes it as the one before left it."""
    before = [machine_state(zone) for zone in (ZONE, OTHER_ZONE)]
    made = Built(tmp_path_factory.mktemp("secure"))
    try:
        made.build()
        yield made
    finally:
        for site in (made.site, made.neighbour, made.stranger):
            site.must("destroy", *site.with_data)
    assert [machine_state(zone) for zone in (ZONE, OTHER_ZONE)] == before


# secrets


def test_no_secret_is_shown_by_a_run_that_tells_all(built: Built, figure: Callable[[str], None]) -> None:
    texts = {"the output": built.said.encode(), "the list of processes": b"\n".join(built.called)}
    kept = [built.folder / "log", *(built.folder / "cache").rglob("*"), *nodes_files()]
    texts |= {str(path): path.read_bytes() for path in kept if path.is_file()}
    texts |= {f"the journal of {name}": built.site.ssh(name, "journalctl --no-pager -o cat").encode() for name in (MASTER, *WORKERS)}
    texts |= pages(built.addresses()[MASTER])
    secrets = {"the cluster's secret": built.secret(), **CANARIES, **SETTING_CANARIES}
    shown = [(where, what) for where, text in texts.items() for what, secret in secrets.items() if secret.encode() in text]
    # what a process was started with is everybody's to see, on Spark's pages too
    assert [each for each in shown if each[1] != "sky_arguments" or each[0].startswith("the journal") or each[0] == str(built.folder / "log")] == []
    assert "spark-master" in built.said
    assert any(b"org.apache.spark.executor" in called for called in built.called)
    assert "sum 45" in built.said
    figure(
        f"36 {len(secrets)} canaries in none of {len(texts)} places: -vvv output, log, fact cache, {len(built.called)} command lines, metadata, "
        "journals, pages"
    )


def nodes_files() -> list[Path]:
    """What the cloud keeps of the nodes, their own disks excepted."""
    return [path for zone in (ZONE, OTHER_ZONE) for path in (STATE / zone).rglob("*") if "/disk/" not in f"{path}/" and path.suffix != ".img"]


def test_secrets_stand_where_they_are_declared_and_nowhere_else_on_a_node(built: Built) -> None:
    secret = built.secret()
    settings = "/etc/spark/spark-daemons.conf"
    declared = {
        MASTER: {SECRET: "600 root:root", settings: "640 root:spark", "/etc/spark/spark-defaults.conf": "640 root:spark"},
        **{worker: {settings: "640 root:spark"} for worker in WORKERS},
    }
    found = {name: bearing(name, secret) for name in (MASTER, *WORKERS)}
    assert found == declared
    assert [bearing(name, canary) for name in (MASTER, *WORKERS) for canary in CANARIES.values()] == [{}] * 6
    assert built.site.ssh(MASTER, "stat -c '%a %U' /var/lib/sky/secrets").strip() == "700 root"
    modes = {mode for name in (MASTER, *WORKERS) for what in SECRET_SETTINGS for mode in bearing(name, SETTING_CANARIES[what]).values()}
    assert modes == {"640 root:spark"}
    assert [bearing(name, SETTING_CANARIES["sky_spark_conf"]) for name in (MASTER, *WORKERS)] == [{}] * 3


def pages(master: str) -> dict[str, bytes]:
    """What Spark's daemons show."""
    history = f"http://{master}:18080/api/v1/applications"
    began = time.monotonic()
    while len(jobs := [f"{history}/{application['id']}/environment" for application in json.loads(fetched(history))]) < 2:
        assert time.monotonic() - began < 60, "the history server does not show the proof and the job"
        time.sleep(2)
    return {page: fetched(page).encode() for page in (f"http://{master}:8080/", f"http://{master}:8080/json/", history, *jobs)}


def bearing(name: str, text: str) -> dict[str, str]:
    """The files that a node wrote over its image and that hold a text, with their modes and owners as the node names them."""
    root = STATE / ZONE / "nodes" / name / "disk" / "upper"
    said = subprocess.run(["grep", "-rlF", "--devices=skip", "-e", text, str(root)], capture_output=True, text=True, check=False).stdout
    users = {line.split(":")[2]: line.split(":")[0] for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines()}
    found = {}
    for path in map(Path, said.splitlines()):
        status = path.stat()
        found[f"/{path.relative_to(root)}"] = f"{status.st_mode & 0o7777:o} {users[str(status.st_uid)]}:{users[str(status.st_gid)]}"
    return found


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:  # a node of this test
        return str(answer.read(), "utf-8")


def test_two_clusters_have_two_secrets(built: Built) -> None:
    """The role's own task, run on a node of another cluster."""
    tasks = yaml.safe_load((ROOT / "roles/spark/tasks/configure.yml").read_text(encoding="utf-8"))
    (task,) = [task for task in tasks if task["name"].startswith("Get the secret of the cluster")]
    variables = {"__spark_server": "tnear-box-0", "spark_secret_file": "/root/secret"}
    play = {"hosts": "tnear-box-0", "gather_facts": False, "vars": variables, "tasks": [task]}
    (built.folder / "secret.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    command = built.neighbour.command("ansible-playbook", "-i", str(built.neighbour.file), "secret.yml")
    subprocess.run(command, cwd=built.folder, check=True, capture_output=True)
    assert built.neighbour.ssh("tnear-box-0", "stat -c %a /root/secret").strip() == "600"
    other = built.neighbour.ssh("tnear-box-0", "cat /root/secret").strip()
    assert len(other) == len(built.secret()) == 64
    assert other != built.secret()


def test_no_password_lets_anybody_in(built: Built) -> None:
    for name in (MASTER, *WORKERS):
        daemon = built.site.ssh(name, "sshd -T").splitlines()
        wanted = ["passwordauthentication no", "kbdinteractiveauthentication no", "permitemptypasswords no", "permitrootlogin without-password"]
        assert [line for line in wanted if line not in daemon] == []
        shadow = [line.split(":")[:2] for line in built.site.ssh(name, "cat /etc/shadow").split()]
        assert [user for user, password in shadow if not set(password) <= set("!*") or not password] == []


# ports


def declared(role: str) -> list[int]:
    """The ports of a role as its system declares them, and ssh's."""
    return sorted([SSH, *ROLES[role].ports.values()])


def wanted(built: Built) -> dict[str, list[int]]:
    return {address: declared("spark_master" if name == MASTER else "spark_worker") for name, address in built.addresses().items()}


def from_outside(built: Built) -> dict[str, list[int]]:
    """From this machine, which no rule of the zone's keeps out."""
    return scan.scan(built.addresses().values())


def from_node(site: Site, built: Built) -> dict[str, list[int]]:
    script = Path(scan.__file__).read_text(encoding="utf-8")
    (name,) = site.hosts("pool_box")
    addresses = shlex.join(built.addresses().values())
    return dict(json.loads(site.ssh(name, f"python3 - {addresses} <<'END'\n{script}\nEND")))


def test_the_open_ports_are_those_declared(built: Built, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    assert from_outside(built) == wanted(built)
    took = time.monotonic() - began
    assert from_node(built.neighbour, built) == wanted(built)
    assert from_node(built.stranger, built) == {address: [] for address in wanted(built)}
    sets = sorted({tuple(ports) for ports in wanted(built).values()})
    figure(f"34 TCP 1-65535 of 3 nodes: open are {sets}, from outside ({took:.1f} s) and from a neighbour of the zone; none from another zone")


def test_a_second_run_opens_nothing(built: Built) -> None:
    built.site.must("spark_cluster", "-e", "sky_full=true")
    assert from_outside(built) == wanted(built)
    assert from_node(built.neighbour, built) == wanted(built)


# what is left of a node that left


def test_nothing_of_a_node_that_left_is_left_on_the_others(built: Built) -> None:
    gone = built.site.inventory()["_meta"]["hostvars"][WORKERS[1]]
    key = built.site.ssh(WORKERS[1], "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub").strip()
    built.site.content = spark(ZONE, 1)
    built.site.must("spark_cluster", *UNPROVED)
    words = " ".join(f"-e {shlex.quote(word)}" for word in (WORKERS[1], gone["sky_address"], key))
    for name in (MASTER, WORKERS[0]):
        assert built.site.ssh(name, f"grep -rslwF {words} /etc /root /home /var/lib/sky /opt/spark/conf/ || true").strip() == ""
    known = Path("~/.ssh/known_hosts").expanduser()
    assert not known.exists() or gone["sky_address"] not in known.read_text(encoding="utf-8")


# reboots


def test_spark_is_back_after_reboots_and_takes_a_job(built: Built, figure: Callable[[str], None]) -> None:
    address = built.addresses()[MASTER]
    took = [rebooted(built, names, address) for names in ([WORKERS[0]], [MASTER], [MASTER, WORKERS[0]])]
    began = time.monotonic()
    built.site.must("spark_cluster", "-e", "spark_proof_force=true")
    figure(
        f"32 Spark after a reboot of the worker, of the master, of both: back after {', '.join(f'{seconds:.0f} s' for seconds in took)}; "
        f"a run with a job then took {time.monotonic() - began:.0f} s"
    )
    assert max(took) < 300
    assert from_outside(built) == wanted(built)
    assert from_node(built.neighbour, built) == wanted(built)


def rebooted(built: Built, names: list[str], master: str) -> float:
    """Reboot nodes at once; the seconds until the master that runs then has a worker that began after it."""
    began = time.monotonic()
    for name in names:
        built.site.ssh(name, "touch /run/before-reboot; systemctl --no-block reboot")
    while not all(is_back(built.site, name) for name in names) or alive(master) != 1:
        assert time.monotonic() - began < 300, names
        time.sleep(0.5)
    return time.monotonic() - began


def is_back(site: Site, name: str) -> bool:
    try:
        return site.ssh(name, "ls /run/before-reboot 2>/dev/null || echo new").strip() == "new"
    except AssertionError:
        return False


def alive(master: str) -> int:
    """Workers that the master knows to be alive."""
    try:
        page = json.loads(fetched(f"http://{master}:8080/json/"))
    except OSError:
        return -1
    return sum(worker["state"] == "ALIVE" for worker in page["workers"])
