# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the proof: what each runs, for how long at most, and which files its result depends on. This is the only place that lists them.

Modules of this folder use the standard library alone and run on the system's Python 3.11, so that a plan can be shown before any environment is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .systems import BATCH, CEPH, HDFS, NETWORK, SPARK, SYSTEMS, YARN

Command = tuple[str, ...]


class Tier(StrEnum):
    """When a part runs: in every proof, or if its inputs changed."""

    QUICK = "quick"
    LONG = "long"


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        bound: seconds after which it is killed.
        expected: seconds that it takes on 2 cores, for a plan until a run has recorded what it really takes.
        what: for people.
        inputs: files and folders of the repository, ``*`` for any part of a path; ``!`` before one takes it out again. The last that matches
            decides.
        commands: run in this order until one fails.
        machine: whether it makes nodes on this machine, as root.
        cloud: whether it uses the test cloud of tests/clouds/openstack.
        bare: whether it begins on a machine that is not prepared and has no local clouds.
        documented: whether documentation is among its inputs. Otherwise only documents that are named one by one are.
    """

    name: str
    tier: Tier
    bound: int
    expected: int
    what: str
    inputs: tuple[str, ...]
    commands: tuple[Command, ...]
    machine: bool = True
    cloud: bool = False
    bare: bool = False
    documented: bool = False


@dataclass(frozen=True)
class Step:
    """Something that parts need and that is no proof itself.

    Attributes:
        allowed: seconds that a plan counts for it, and for what the first part builds that needs it, such as images of nodes.
    """

    name: str
    bound: int
    allowed: int
    command: Command


ENVIRONMENT = Step("environment", 900, 40, ("./quickstart.sh", "--dev"))
MACHINE = Step("machine", 600, 60, ("./quickstart.sh", "--host"))
BUILD = Step("build", 1200, 150, ("tests/clouds/openstack/build",))
CLOUD = Step("cloud", 600, 60, ("tests/clouds/openstack/up",))
CLOUD_DOWN = Step("cloud down", 300, 10, ("tests/clouds/openstack/down",))

PROVIDERS = "plugins/module_utils/_clouds"
EVERYTHING = (".",)
# What runs on any cloud, without systems. The providers and the systems are left out, and added to the parts that use them.
COMMON = (
    "plugins",
    f"!{PROVIDERS}",
    f"{PROVIDERS}/__init__.py",
    f"{PROVIDERS}/_contract.py",
    f"{PROVIDERS}/_providers.py",
    f"{PROVIDERS}/_common",
    "roles",
    "playbooks",
    "meta",
    "galaxy.yml",
    "pyproject.toml",
    "quickstart.sh",
    "requirements.txt",
    "requirements-dev.txt",
    "tests/conftest.py",
    "tests/support",
    "!tests/support/awx_job.py",
    "!tests/support/campus_clusters.py",
    "!tests/support/counting_proxy.py",
    "!tests/support/fault_proxy.py",
    "!tests/support/image_root.py",
    "!tests/support/openstack_peers.py",
    "!tests/support/openstack_site.py",
    "!tests/support/screens.py",
    "!tests/support/stratuslab_bench.py",
    "!tests/support/stratuslab_peers.py",
    "!tests/support/stratuslab_race.py",
    "!tests/support/stratuslab_site.py",
    *(f"!{place}" for place in SYSTEMS),
)
LXC = (f"{PROVIDERS}/lxc",)
# The test cloud borrows functions from the provider lxc. The part `clouds` depends on both and starts the test cloud, so it finds what breaks there.
OPENSTACK = (
    f"{PROVIDERS}/openstack",
    "requirements-openstack.txt",
    "tests/clouds/openstack",
    "tests/support/campus_clusters.py",
    "tests/support/counting_proxy.py",
    "tests/support/fault_proxy.py",
    "tests/support/openstack_peers.py",
    "tests/support/openstack_site.py",
)
# The test server's real machines are those of the provider lxc.
STRATUSLAB = (
    f"{PROVIDERS}/stratuslab",
    "requirements-stratuslab.txt",
    "inventories/stratuslab",
    "tests/clouds/stratuslab",
    "tests/support/stratuslab_bench.py",
    "tests/support/stratuslab_peers.py",
    "tests/support/stratuslab_race.py",
    "tests/support/stratuslab_site.py",
)
# Jobs as AWX runs them, and the root file system of the execution environment, which is made as those of the test cloud are.
IMAGE = (
    "execution-environment.yml",
    "bindep.txt",
    "requirements-clouds.txt",
    "tests/clouds/openstack",
    "tests/support/awx_job.py",
    "tests/support/image_root.py",
)
LOCAL = (*COMMON, *LXC)
CAMPUS = (*COMMON, *OPENSTACK)

# Failures are shown at once, and a part where everything fails ends early.
FAILING = ("--instafail", "--maxfail", "10")


def _pytest(marker: str, *words: str) -> Command:
    return ("pytest", "-m", marker, *FAILING, "--durations", "12", *words)


def _files(folder: str, *names: str) -> list[str]:
    return [f"tests/integration/{folder}/{name}.py" for name in names]


OPENSTACK_CLUSTERS = ("test_options", "test_ownership", "test_runs", "test_secure", "test_spark")
# The unit tests that run with the oldest and the newest core and Python: not those of `proof`, and not the long ones of what all others do together
OF_EACH_CORE = tuple(
    f"tests/unit/{name}"
    for name in (
        *("base", "clouds/common", "clouds/lxc", "clouds/test_mark.py", "cluster_file", "engine"),
        *("modules", "nodes", "plugins", "roles", "systems", "views"),
    )
)
# Those of providers that other parts have nothing to do with
CLOUDS_OF_EACH_CORE = ("tests/unit/clouds/openstack", "tests/unit/clouds/stratuslab")
SIDE_BY_SIDE = ("-n", "2", "--no-loadscope-reorder", "--dist")

# In the order in which they run. `contract` is before `unit`, where playbooks look at local clouds: it has this machine prepared for them.
# `quickstart` is the last: it takes back what the others installed.
PARTS: tuple[Part, ...] = (
    Part(
        "static", Tier.QUICK, 700, 270, "checks of the code and the documentation: each is a word of its own, see below",
        EVERYTHING, (("python3", "-ESB", "-m", "tests.proof.checks"),), machine=False, documented=True,
    ),
    Part(
        "contract", Tier.QUICK, 500, 120, "the suite that every provider must pass, on the local cloud",
        (*LOCAL, "tests/contract"), (_pytest("real and not openstack", "tests/contract"),),
    ),
    Part(
        "unit", Tier.QUICK, 900, 320, "tests of the code that touch nothing outside the process",
        EVERYTHING, (("pytest", "-n", "2", "--durations", "8", "-m", "not real", "tests", "--ignore", "tests/static"),), machine=False,
    ),
    Part(
        "mutants", Tier.QUICK, 900, 200, "named defects, each put into a copy of the tree: the tests must find every one",
        EVERYTHING, (("python", "tests/mutants/run.py"),), machine=False,
    ),
    Part(
        "walk", Tier.QUICK, 1400, 780, "the life of one local cluster, from its creation to nothing left",
        (*LOCAL, *SYSTEMS, "tests/support/screens.py", "tests/integration/walk"), (_pytest("real", "tests/integration/walk"),),
    ),
    Part(
        "host", Tier.LONG, 600, 170, "the collection built, installed and used; the local cloud and all that it changes on its machine",
        (*LOCAL, *SYSTEMS, "schemas", "tests/integration/install", "tests/integration/lxc", "inventories"),
        (_pytest("real", "tests/integration/install", "tests/integration/lxc"),),
    ),
    Part(
        "survival", Tier.LONG, 2000, 560, "local clusters of bare nodes that are interrupted, broken, tampered with and resized",
        (*LOCAL, "tests/integration/local"), (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/local"),),
    ),
    Part(
        "spark", Tier.LONG, 2600, 450, "local Spark clusters that are resized under jobs, and used by two runs at once",
        (*LOCAL, *SPARK, *_files("spark", "conftest", "test_spark", "test_two_runs")),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", *_files("spark", "test_spark", "test_two_runs")),),
    ),
    Part(
        "spark_jobs", Tier.LONG, 2600, 450, "jobs of every sort, packages and a notebook on one node; what is open, and who can read what",
        (*LOCAL, *SPARK, "tests/support/screens.py", *_files("spark", "conftest", "test_single", "test_secure")),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", *_files("spark", "test_single", "test_secure")),),
    ),
    Part(
        "spark_changes", Tier.LONG, 2700, 550, "local Spark clusters that are upgraded under a job, or whose nodes fall ill",
        (*LOCAL, *SPARK, "tests/integration/spark_changes", "tests/upgrade"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/spark_changes"),),
    ),
    Part(
        "storage", Tier.LONG, 2700, 900, "data that outlives its cluster: HDFS on kept volumes, with faults and all nodes lost",
        (*LOCAL, *SPARK, *HDFS, "docs/docsite/rst/guide_data.rst", "tests/integration/storage"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/storage"),),
    ),
    Part(
        "yarn", Tier.LONG, 2000, 450, "YARN and MapReduce beside HDFS, with daemons killed in a job and nodes that leave under one",
        (*LOCAL, *SPARK, *HDFS, *YARN, "tests/integration/yarn"), (_pytest("real", "tests/integration/yarn"),),
    ),
    Part(
        "ceph", Tier.LONG, 1800, 550, "a Spark cluster that uses the object store and the file system of a real Ceph",
        (*LOCAL, *SPARK, *HDFS, *CEPH, "tests/clouds/ceph", "tests/clouds/openstack", "tests/integration/ceph"),
        (_pytest("real", "tests/integration/ceph"),),
    ),
    Part(
        "systems", Tier.LONG, 900, 260, "a system of the tests' own, added to a copy of the collection, beside Spark on one cluster",
        (*LOCAL, *SPARK, "tests/systems", "tests/integration/systems"), (_pytest("real", "tests/integration/systems"),),
    ),
    Part(
        "network", Tier.LONG, 1800, 400, "the agents of nodes on isolated clouds, and clusters over two local clouds, one with a load balancer",
        (*LOCAL, *NETWORK, *SPARK, "tests/integration/network"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/network"),),
    ),
    Part(
        "torque", Tier.LONG, 2100, 650, "a local batch cluster, used, resized under load, broken and rebuilt; one of Debian 13; one on two clouds",
        (*LOCAL, *BATCH, *NETWORK, *SPARK, *HDFS, "tests/integration/torque"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/torque"),),
    ),
    Part(
        "awx", Tier.LONG, 1700, 370,
        "clusters in jobs as AWX runs them, by ansible-runner: bare nodes, Spark, and, from an execution environment, StratusLab",
        (*LOCAL, *SPARK, *NETWORK, *STRATUSLAB, "awx", *IMAGE, "tests/integration/awx"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/awx"),),
    ),
    Part(
        "cores", Tier.LONG, 2300, 800, "plugins and modules, and one node, with the oldest and the newest ansible-core and Python",
        (*LOCAL, *SYSTEMS, "tests/tools", *OF_EACH_CORE, "tests/integration/cores", "tests/integration/torque"),
        (("tests/tools/cores.sh", *OF_EACH_CORE, "tests/integration/cores"),),
    ),
    Part(
        "molecule", Tier.LONG, 2600, 800, "each role on nodes of its own, two scenarios at a time",
        (*LOCAL, *SYSTEMS, "tests/clouds/ceph", "tests/clouds/openstack", "tests/tools/scenarios.py", "extensions"),
        (("python", "tests/tools/scenarios.py"),),
    ),
    Part(
        "openstack", Tier.LONG, 2600, 1000, "clusters on a real OpenStack of the tests' own: whose they are, killed and doubled runs, Spark",
        (*CAMPUS, *SPARK, *_files("openstack", "conftest", *OPENSTACK_CLUSTERS)),
        (_pytest("openstack", *SIDE_BY_SIDE, "loadgroup", *_files("openstack", *OPENSTACK_CLUSTERS)),),
        cloud=True,
    ),
    Part(
        "openstack_faults", Tier.LONG, 3000, 900, "a fault at every kind of call to that OpenStack, quotas, lists that lag and lie",
        (*CAMPUS, *_files("openstack", "conftest", "test_faults")), (_pytest("openstack", *_files("openstack", "test_faults")),), cloud=True,
    ),
    Part(
        "openstack_contract", Tier.LONG, 2000, 700, "the suite that every provider must pass, on that OpenStack",
        (*CAMPUS, "tests/contract"), (_pytest("openstack", "tests/contract"),), cloud=True,
    ),
    Part(
        "stratuslab", Tier.LONG, 1800, 450,
        "clusters on the StratusLab test server: alone, beside the local cloud, on an owner's machine, resized under a job; the lock",
        (*LOCAL, *SYSTEMS, *STRATUSLAB, "tests/integration/stratuslab"),
        (_pytest("real", *SIDE_BY_SIDE, "loadfile", "tests/integration/stratuslab"),),
    ),
    Part(
        "clouds", Tier.LONG, 2500, 900,
        "an overlay over this machine and the OpenStack; images between Marketplace, Glance and this machine; providers with other cores",
        (*LOCAL, *OPENSTACK, *STRATUSLAB, *NETWORK, *SPARK, "tests/tools", *CLOUDS_OF_EACH_CORE, "tests/integration/clouds"),
        (_pytest("real", "tests/integration/clouds"), ("tests/tools/cores.sh", "--without-sanity", *CLOUDS_OF_EACH_CORE)), cloud=True,
    ),
    Part(
        "quickstart", Tier.QUICK, 420, 120, "./quickstart.sh as a user with sudo would run it, then again, then --remove",
        (*LOCAL, *SYSTEMS, "inventories", "tests/integration/quickstart"),
        (("./quickstart.sh", "--undo-host"), _pytest("real", "tests/integration/quickstart")), bare=True,
    ),
)  # fmt: skip
NAMES = tuple(part.name for part in PARTS)

# The checks of the part `static`, the slowest first: they run side by side.
CHECKS: dict[str, Command] = {
    "sanity": ("tests/tools/sanity.sh",),
    "importer": ("tests/tools/importer.sh",),
    "types": ("tests/tools/types.sh",),
    "lint": ("ansible-lint", "--offline", "--nocolor"),
    "tree": ("pytest", "-q", "tests/static"),
    "docs": ("tests/tools/docs.sh",),
    "site": ("tests/tools/site.sh",),
    "changelog": ("antsibull-changelog", "lint"),
    "ruff": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "yaml": ("tests/tools/yaml.sh",),
    "shell": ("tests/tools/shell.sh",),
    "licences": ("reuse", "lint", "--quiet"),
}


def only(checks: Sequence[str]) -> Part:
    """The part `static`, with these checks alone; it proves nothing that is recorded."""
    static = next(part for part in PARTS if part.name == "static")
    return replace(static, name="checks", what="", inputs=(), commands=tuple((*command, *checks) for command in static.commands), documented=False)


def needs(part: Part) -> list[Step]:
    """What a part needs beside itself, in the order in which it is done."""
    prepared = [MACHINE] if part.machine and not part.bare else []
    return [ENVIRONMENT, *prepared, *([BUILD, CLOUD, CLOUD_DOWN] if part.cloud else [])]


def steps(parts: Sequence[Part]) -> list[Step]:
    """What these parts need, each once."""
    return list(dict.fromkeys(step for part in parts for step in needs(part)))
