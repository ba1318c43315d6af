# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what tests need of the documentation of awx.awx: the options of its modules, with their types and choices.

    python tests/tools/awx_modules.py FOLDER > tests/static/awx_modules.json

FOLDER is the collection awx.awx, which the package ``ansible`` contains.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import yaml

MODULES = (
    "credential", "credential_type", "execution_environment", "inventory", "inventory_source", "job_template", "organization", "project", "schedule",
    "workflow_job_template", "workflow_job_template_node",
)  # fmt: skip


def options(path: Path) -> dict[str, Any]:
    """The options of a module, each by all its names."""
    assigned = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)]
    (text,) = [ast.literal_eval(node.value) for node in assigned if getattr(node.targets[0], "id", "") == "DOCUMENTATION"]
    found: dict[str, Any] = {}
    for name, option in yaml.safe_load(text)["options"].items():
        kept = {key: option[key] for key in ("type", "choices", "required") if option.get(key)}
        found |= dict.fromkeys([name, *option.get("aliases", [])], kept)
    return found


def main(folder: Path) -> None:
    """Write the options to the standard output."""
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    modules = {name: options(folder / "plugins/modules" / f"{name}.py") for name in MODULES}
    sys.stdout.write(json.dumps({"version": manifest["collection_info"]["version"], "modules": modules}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
