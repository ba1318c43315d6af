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
  - The answers are the extra variables whose names begin with C(answer_). C(answer_name) is the name of the cluster, and required. C(answer_offer)
    chooses the offer if there are several. An empty answer counts as none.
  - Answers are data. They are never a part of a template or of YAML.
  - Where nobody has answered, a cluster that exists keeps the count, the flavor and the cloud of its pools. A new one has what the offer says.
  - Nothing is written if the result is not a valid cluster file. The file is also written in check mode.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  offers:
    description:
      - Folder with the offers, files whose names end in C(.yml). The name of an offer is that of its file.
      - By default C(offers) beside the playbook that was called.
    type: path
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
  returned: always
  type: str
  sample: demo
"""
