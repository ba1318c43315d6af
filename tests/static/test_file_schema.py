# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema that is shipped for editors is that of the parser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.file_schema import FILE, text

EXAMPLES = sorted(path for path in tree.tracked() if path.parts[0] == "inventories" and path.name.endswith(".sky.yml"))


def test_it_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python tests/tools/file_schema.py"


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_the_examples_have_no_fault(path: Path) -> None:
    validator = jsonschema.Draft7Validator(json.loads(FILE.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(yaml.safe_load((tree.ROOT / path).read_text(encoding="utf-8")))] == []


def test_editors_can_compile_its_patterns() -> None:
    """They use the regular expressions of JavaScript: no anchors, groups or flags of Python's own."""
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', FILE.read_text(encoding="utf-8"))
    assert len(patterns) > 20
    assert not [pattern for pattern in patterns if re.search(r"\\\\[AZ]|\(\?[P#aiLmsux]", pattern)]
