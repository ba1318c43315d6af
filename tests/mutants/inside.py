# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest in a copy of the tree: inside.py ARGUMENT... Ends with pytest's exit code, or FOREIGN if code from elsewhere was tested.

The environment's own link leads to the tree that the copy was made from; a defect in the copy would not be seen through it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOREIGN = 70


def strangers(copy: Path) -> Iterator[str]:
    """Files of the collection that were imported from outside the copy."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.startswith("ansible_collections.sky.clusters.") and file and not Path(file).resolve().is_relative_to(copy):
            yield file


def main() -> int:
    code = int(pytest.main(sys.argv[1:]))
    foreign = list(strangers(Path.cwd().resolve()))
    if foreign:
        print("imported from outside the copy:", *foreign[:3])
    return FOREIGN if foreign else code


if __name__ == "__main__":
    sys.exit(main())
