# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of each system that a cluster can run. A part whose clusters run without a system does not depend on them.

Every play names all systems, so a file that cannot be read would break other clusters too. The quick proof, which always runs, has all systems.
"""

from __future__ import annotations

NETWORK = (
    "roles/vpn",
    "roles/firewall",
    "roles/load_balancer",
    "plugins/module_utils/_nodes/_agent",
    "plugins/module_utils/_nodes/_load_balancer.py",
    "plugins/module_utils/_nodes/_sandbox.py",
    "plugins/module_utils/_systems/_load_balancer.py",
    "plugins/modules/firewall.py",
    "plugins/modules/load_balancer*",
    "plugins/modules/network_node.py",
    "plugins/modules/network_profile.py",
    "playbooks/*/load_balancer*",
    "tests/support/isolated_clouds.py",
)
HDFS = (
    "roles/hdfs*",
    "plugins/*/hdfs_*",
    "plugins/*/_hdfs*",
    "playbooks/*/hdfs*",
    "tests/support/hdfs.py",
    "tests/support/namenode.py",
)
YARN = (
    "roles/yarn*",
    "plugins/*/yarn_*",
    "plugins/*/_yarn*",
    "playbooks/*/yarn*",
)
SPARK = (
    "roles/spark*",
    "roles/python_packages",
    "plugins/*/spark_*",
    "plugins/*/_spark*",
    "plugins/*/*python_packages.py",
    "plugins/modules/pip_archive.py",
    "roles/jvm_packages",
    "plugins/*/*jvm_packages*",
    "playbooks/spark_*",
    "playbooks/*/spark*",
    "tests/support/spark*",
    "tests/support/browser.py",
)
CEPH = (
    "roles/s3a",
    "roles/cephfs",
    "plugins/*/s3a_*",
    "plugins/*/cephfs_*",
    "plugins/*/_cephfs*",
    "playbooks/*/cephfs*",
)
BATCH = (
    "roles/torque*",
    "roles/nfs*",
    "plugins/*/torque_*",
    "plugins/*/_torque*",
    "plugins/*/_nfs*",
    "playbooks/torque_*",
    "playbooks/*/torque*",
    "playbooks/*/nfs*",
    "tests/support/batch.py",
)
SYSTEMS = (*NETWORK, *HDFS, *YARN, *SPARK, *CEPH, *BATCH)
