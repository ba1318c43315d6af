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
  - Runs C(spark-submit) on the node, which must be the master of a Spark standalone cluster. The job is a transient systemd unit with a private
    folder, which is removed when the job has ended.
  - The output of the job is shown while it runs. An exit code other than 0 fails the task.
  - The job keeps running if the run that submitted it ends, is killed or loses its connection. Use O(submission) to follow it again.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  application:
    description:
      - A file of the controller that ends in C(.py), C(.jar) or C(.R). It is copied to the node for the job.
      - Or C(local:) and the absolute path of such a file on the node, such as V(local:/opt/spark/examples/src/main/python/pi.py).
      - Or the full name of a class on the class path of Spark.
      - Required unless O(submission) is set.
    type: str
    default: ""
  arguments:
    description: Arguments of the application. Users of the node can see them while the job runs.
    type: list
    elements: str
    default: []
  main_class:
    description: The class to run of a C(.jar) file whose manifest does not name one.
    type: str
    default: ""
  files:
    description:
      - Further files of the controller. They are copied to the folder of the job, beside the application.
      - Spark adds C(.py), C(.zip) and C(.egg) files to the path of every Python process and C(.jar) files to every class path, and copies other files
        to every executor.
    type: list
    elements: str
    default: []
  settings:
    description: Spark properties of the job, which override C(spark_master_defaults). They are not shown on any command line.
    type: dict
    default: {}
  timeout:
    description: Seconds after which the job is stopped, even if nobody follows it any more. V(0) is never.
    type: int
    default: 0
  user:
    description: User that runs the job.
    type: str
    default: sky
  show_info:
    description: Whether to show what Spark logs at the level INFO and below. With C(-v) it is always shown.
    type: bool
    default: false
  submission:
    description: Identifier of a running job to follow to its end, instead of submitting a new job.
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

- name: Run a query of Spark SQL
  sky.clusters.spark_submit:
    application: org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver
    arguments: ["-e", "select 6 * 7"]
"""

RETURN = r"""
submission:
  description: Identifier of the job. Its systemd unit is C(sky-submit-<submission>).
  returned: always
  type: str
  sample: 3f9a01bc
rc:
  description: Exit code of the job. It is 128 plus the number of the signal if a signal ended the job, and 124 if O(timeout) did.
  returned: when the job has ended
  type: int
  sample: 0
stdout:
  description: The last 65536 characters of the output.
  returned: when the job has succeeded
  type: str
  sample: "answer 42\n"
stderr:
  description: The last 65536 characters of the error output.
  returned: when the job has succeeded
  type: str
  sample: "26/11/21 04:21:04 INFO SparkContext: Running Spark version 4.3.0\n"
seconds:
  description: How long the job ran.
  returned: when the job has ended
  type: float
  sample: 14.2
application_id:
  description: Identifier of the application in Spark, if the output of the job contains it; else empty.
  returned: when the job has ended
  type: str
  sample: app-20261121042104-0003
"""
