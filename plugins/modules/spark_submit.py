# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_submit
short_description: Run an application on a Spark cluster, and show its output while it runs
version_added: 0.2.0
description:
  - Runs C(spark-submit) on this node, the master of a Spark standalone cluster, as a transient systemd unit, in a private folder of its own that is
    removed when the job has ended.
  - What the job writes is shown while it runs. An exit code other than 0 fails the task.
  - A job goes on where the run that submitted it is ended or killed, or its connection lost. O(submission) follows it again.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  application:
    description:
      - A file of the controller that ends in C(.py), C(.jar) or C(.R), which is copied to this node for the job.
      - Or the path of a file that is on this node already, after C(local:), such as V(local:/opt/spark/examples/src/main/python/pi.py).
      - Or the full name of a class that is on Spark's class path.
      - Required without O(submission).
    type: str
    default: ""
  arguments:
    description: Arguments of the application. Users of this node can see them while the job runs.
    type: list
    elements: str
    default: []
  main_class:
    description: The class to run of a C(.jar) file whose manifest names none.
    type: str
    default: ""
  files:
    description:
      - Further files of the controller, put into the job's folder beside the application.
      - Spark gives C(.py), C(.zip) and C(.egg) to every Python process, C(.jar) to every class path, and the others to every executor.
    type: list
    elements: str
    default: []
  settings:
    description: Spark properties of this job, over those of C(spark_master_defaults). No command line shows them.
    type: dict
    default: {}
  timeout:
    description: Seconds after which the job is stopped, also where nobody follows it any more; V(0) is never.
    type: int
    default: 0
  user:
    description: User that the job runs as.
    type: str
    default: sky
  show_info:
    description: Whether what Spark itself logs at the levels INFO and below is shown. With C(-v) it always is.
    type: bool
    default: false
  submission:
    description: Follow the job of this identifier to its end instead of submitting one.
    type: str
    default: ""
extends_documentation_fragment: [sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Run a Python file on the cluster
  sky.clusters.spark_submit:
    application: job.py
    arguments: ["10"]
    settings: {spark.cores.max: 2}

- name: Ask Spark SQL
  sky.clusters.spark_submit:
    application: org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver
    arguments: ["-e", "select 6 * 7"]
"""

RETURN = r"""
submission:
  description: The job's identifier. Its unit is C(sky-submit-<submission>).
  returned: always
  type: str
  sample: 3f9a01bc
rc:
  description: The job's exit code; 128 and the signal's number where a signal ended it, 124 where O(timeout) did.
  returned: when the job has ended
  type: int
  sample: 0
stdout:
  description: The last 65536 characters of its output.
  returned: when the job has succeeded
  type: str
  sample: "answer 42\n"
stderr:
  description: The same of its error output.
  returned: when the job has succeeded
  type: str
  sample: "26/11/21 04:21:04 INFO SparkContext: Running Spark version 4.3.0\n"
seconds:
  description: How long it ran.
  returned: when the job has ended
  type: float
  sample: 14.2
application_id:
  description: Spark's name of the application, as the job's output tells it; empty where it does not.
  returned: when the job has ended
  type: str
  sample: app-20261121042104-0003
"""
