# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_file
short_description: Write a cluster file from the answers to a form
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Writes C(answers.sky.yml) into the folder that is the inventory of the run. M(ansible.builtin.meta) with C(refresh_inventory) then reads it.
  - An offer is a file with a cluster file under the key C(file), and under C(answers) the places in it that each answer sets. C(*) stands for
    every pool.
  - Also writes C(project_group_vars.yml) there, with the variables of the folder C(group_vars) beside the playbook that was called. Ansible reads
    that folder only for plays that are in the playbook itself, not for those of a playbook that it imports.
  - The answers are the extra variables whose names begin with C(answer_). C(answer_name) is the name of the cluster, and required. C(answer_offer)
    chooses the offer if there are several; for a cluster that exists, it is only needed if several offers have all of its pools. An empty answer
    counts as none.
  - Answers are data. They are never a part of a template or of YAML.
  - In a job of AWX, the answer C(owner) is the user who started the job, if the offer has this answer and nobody gave it, and the keys of the job's
    agent are added to C(ssh_keys), if the offer or an answer has any.
  - Where nobody has answered, a cluster that exists keeps the count, the flavor and the cloud of its pools. A new one has what the offer says.
  - It keeps its keys by two further steps. The return value C(asked) names nodes that know them. The content of their C(authorized_keys), registered
    on them as C(sky_authorised), is added to the file by a second task with O(asked).
  - Nothing is written if the result is not a valid cluster file. The file is also written in check mode.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  offers:
    description:
      - Folder with the offers, files whose names end in C(.yml). The name of an offer is that of its file.
      - By default C(offers) beside the playbook that was called.
    type: path
  asked:
    description: Only add the keys of the first of these nodes that has an answer to the file that was written before.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write the cluster file from the answers
  sky.clusters.cluster_file:
    offers: /srv/offers

- name: Read the cluster file
  ansible.builtin.meta: refresh_inventory
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
  sample: /runner/inventory/answers.sky.yml
cluster:
  description: The name of the cluster.
  returned: without O(asked)
  type: str
  sample: demo
offer:
  description: The name of the offer.
  returned: without O(asked)
  type: str
  sample: spark
asked:
  description: Nodes that know the keys of the cluster, if the offer has an answer for C(ssh_keys) and nobody gave it. At most three.
  returned: without O(asked)
  type: list
  elements: str
  sample: [demo-master-0]
"""
