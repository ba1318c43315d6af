# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the proof's parts covers the repository: nothing that is tested is forgotten, and nothing is named that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof.hashes import is_below, is_documentation, is_input
from ansible_collections.sky.clusters.tests.proof.parts import CHECKS, PARTS, Part, Tier
from ansible_collections.sky.clusters.tests.proof.record import PROVED
from ansible_collections.sky.clusters.tests.support import tree

CHECKED = Path("docs/reliability.md")
ROW = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)
USED = ("plugins", "roles", "playbooks")
MISSING = "not yet"


def runs(part: Part, path: str) -> bool:
    """Whether a part runs the tests of a file, or, of a conftest, those beside it."""
    if part.name == "unit":
        return is_below(path, "tests/unit")
    if part.name == "molecule":
        return is_below(path, "extensions/molecule")
    return any(word.startswith("tests/") and is_below(path, word) for command in part.commands for word in command)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_what_a_part_names_exists(part: Part, tracked: list[Path]) -> None:
    places = [place.removeprefix("!") for place in part.inputs]
    assert [place for place in places if not any(is_below(str(path), place) for path in tracked)] == []
    named = [word for command in part.commands for word in command if word.startswith("tests/")]
    assert [word for word in named if not (tree.ROOT / word).exists()] == []


def test_checks_that_are_scripts_exist() -> None:
    scripts = [command[0] for command in CHECKS.values() if "/" in command[0]]
    assert [script for script in scripts if not (tree.ROOT / script).is_file()] == []


def test_every_file_of_code_is_an_input(tracked: list[Path]) -> None:
    """What users run is an input of a part with real nodes."""
    code = [str(path) for path in tracked if not is_documentation(str(path)) and str(path) != PROVED]
    real = [part for part in PARTS if part.machine]
    wrong = [path for path in code if not any(is_input(part, path) for part in (real if path.split("/")[0] in USED else PARTS))]
    assert wrong == []


def test_a_part_depends_on_what_it_runs(tracked: list[Path]) -> None:
    wrong = [f"{part.name}: {path}" for part in PARTS for path in map(str, tracked) if runs(part, path) if not is_input(part, path)]
    assert [line for line in wrong if not line.endswith(".md")] == []


IMPORT = re.compile(r"^from ansible_collections\.sky\.clusters\.tests\.support(?:\.(\w+))? import (\([^)]*\)|.*)$", re.MULTILINE)


def _imports(path: str) -> set[str]:
    """The modules of tests/support that a file imports, and those that these import."""
    found: set[str] = set()
    queue = [path]
    while queue:
        text = (tree.ROOT / queue.pop()).read_text(encoding="utf-8")
        names = {name for module, words in IMPORT.findall(text) for name in ([module] if module else re.findall(r"\w+", words))}
        new = {f"tests/support/{name}.py" for name in names} - found
        found |= new
        queue += sorted(new)
    return found


def test_a_part_depends_on_what_its_tests_import(tracked: list[Path]) -> None:
    """A part that uses a system imports what the tests have for it, which are files of this system."""
    tests = [str(path) for path in tracked if path.suffix == ".py" and is_below(str(path), "tests/integration")]
    wrong = [f"{part.name}: {used}" for part in PARTS for path in tests if runs(part, path) for used in _imports(path) if not is_input(part, used)]
    assert sorted(set(wrong)) == []


# How a cluster file of a test names a role
ROLE = re.compile(r"""roles"?: \[[^\]]*\b(spark|hdfs|torque|nfs)_(?:master|worker|server|\w*node)\b""")


def test_a_part_depends_on_the_systems_that_its_tests_name(tracked: list[Path]) -> None:
    tests = [str(path) for path in tracked if path.suffix == ".py" and is_below(str(path), "tests/integration")]
    words = {path: set(ROLE.findall((tree.ROOT / path).read_text(encoding="utf-8"))) for path in tests}
    named = {(part, word) for part in PARTS for path in tests if runs(part, path) for word in words[path]}
    roles = [str(path) for path in tracked if path.parts[0] == "roles" and not is_documentation(str(path))]
    wrong = [f"{part.name}: {path}" for part, word in named for path in roles if is_below(path, f"roles/{word}*") if not is_input(part, path)]
    assert sorted(wrong) == []


INCLUDED = re.compile(r"name: sky\.clusters\.(\w+)")


def test_a_part_depends_on_the_roles_that_its_roles_include(tracked: list[Path]) -> None:
    """Except for what a cluster has to ask for: the roles of Spark include that of the object store where there is one."""
    on_request = {"s3a", "hdfs_client"}
    roles = [str(path) for path in tracked if path.parts[0] == "roles" and path.suffix == ".yml"]
    included = {(path.split("/")[1], name) for path in roles for name in INCLUDED.findall((tree.ROOT / path).read_text(encoding="utf-8"))}
    wrong = [
        f"{part.name}: {role} includes {other}"
        for part in PARTS
        for role, other in sorted(included)
        if other not in on_request
        if is_input(part, f"roles/{role}/tasks/main.yml")
        if not is_input(part, f"roles/{other}/tasks/main.yml")
    ]
    assert wrong == []


def test_every_file_of_tests_is_run(tracked: list[Path]) -> None:
    tests = [str(path) for path in tracked if path.name.startswith("test_") and path.suffix == ".py" and not is_below(str(path), "tests/static")]
    assert [path for path in tests if not any(runs(part, path) for part in PARTS)] == []


def _using(provider: str, tracked: list[Path]) -> set[str]:
    """Names of the parts with real nodes that a provider is an input of."""
    files = [str(path) for path in tracked if is_below(str(path), f"plugins/module_utils/_clouds/{provider}")]
    return {part.name for part in PARTS if part.machine and any(is_input(part, path) for path in files)}


def test_the_provider_stratuslab_is_an_input_of_its_own_parts(tracked: list[Path]) -> None:
    assert _using("stratuslab", tracked) == {"stratuslab", "clouds", "awx"}


@pytest.mark.parametrize("provider", ["lxc", "openstack"])
def test_a_provider_is_an_input_of_its_own_parts_alone(provider: str, tracked: list[Path]) -> None:
    using = _using(provider, tracked)
    assert using == {part.name for part in PARTS if part.machine and (part.name == "clouds" or part.cloud == (provider == "openstack"))}


def test_every_check_of_reliability_names_the_parts_that_run_it() -> None:
    wrong = []
    for row in ROW.finditer((tree.ROOT / CHECKED).read_text(encoding="utf-8")):
        number, _what, where, parts, _figure = [cell.strip() for cell in row[0].strip("|").split("|")]
        files = [link.removeprefix("../") for link in re.findall(r"\]\(([^)#]+)\)", where)]
        running = _column([part for part in PARTS if any(runs(part, file) for file in files)])
        if where.startswith(MISSING):
            running = "-"
        if not running or parts != running:
            wrong.append(f"check {number}: the column Parts is {parts!r}, and what runs its tests is {running!r}")
    assert not wrong, "\n".join(wrong)


def _column(parts: list[Part]) -> str:
    tiers = [(tier, ", ".join(f"`{part.name}`" for part in parts if part.tier is tier)) for tier in Tier]
    return "; ".join(f"{tier.value}: {names}" for tier, names in tiers if names)


def test_no_check_of_reliability_is_left_out() -> None:
    numbers = [int(row[1]) for row in ROW.finditer((tree.ROOT / CHECKED).read_text(encoding="utf-8"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 37
