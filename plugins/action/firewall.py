# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the firewall of a node, and confirm it over a new connection."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence
from ansible_collections.sky.clusters.plugins.plugin_utils._ruleset import ruleset
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import ssh_message

MODULE = "sky.clusters.firewall"
DROPS = (
    "{node}: another firewall drops what it does not accept itself ({chains} of nftables): it must accept what the cluster needs, or be removed; "
    "nft list ruleset shows it"
)


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        seconds = int(self._task.args.get("seconds", 15))
        network = self._templar.template(variables["sky_network"]) if "sky_network" in variables else {}
        rules = self._task.args.get("ruleset") or ruleset(network)
        args = {"ruleset": rules, "seconds": seconds, "name": self._task.args.get("name") or variables["inventory_hostname"]}
        found = self._execute_module(module_name=MODULE, module_args=args, task_vars=variables)
        if found.get("drops"):
            Display().warning(DROPS.format(node=variables["inventory_hostname"], chains=", ".join(found["drops"])))
        if found.get("failed") or not found.get("pending"):
            return {key: value for key, value in found.items() if key != "invocation"}
        began = time.monotonic()
        try:
            self._connection.reset()  # what is open stays open whatever the rules say
            done = self._execute_module(module_name=MODULE, module_args={"state": "confirmed"}, task_vars=variables)
        except AnsibleConnectionFailure as error:
            done = {"unreachable": True, "msg": str(error)}
        if done.get("unreachable"):
            time.sleep(max(0.0, seconds + 2 - (time.monotonic() - began)))  # then the node is as it was
            why = ssh_message(str(done.get("msg", "")))
            raise AnsibleActionFail(
                f"this controller cannot log in with the new firewall rules ({why}): the node has restored the old ones after {seconds} s; "
                "check that admin_cidrs contains the controller's address"
            )
        return {key: value for key, value in done.items() if key != "invocation"}
