# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server of a counter knows of its members and of its work."""

from __future__ import annotations

import json
import urllib.request

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule({"address": {"type": "str", "required": True}, "port": {"type": "int", "default": 7300}}, supports_check_mode=True)
    page = f"http://{module.params['address']}:{module.params['port']}"
    try:
        with urllib.request.urlopen(page, timeout=5) as answer:
            found = json.load(answer)
    except OSError:
        found = {"members": [], "work": [], "facts": {}}
    module.exit_json(changed=False, answers=bool(found["facts"]), page=page, **found)


if __name__ == "__main__":
    main()
