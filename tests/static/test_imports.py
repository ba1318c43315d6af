# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run one way, the planner is pure, and no code outside the providers knows a provider's name."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS

COLLECTION = ("ansible_collections", "sky", "clusters")
UTILS = ("plugins", "module_utils")

# From the bottom up: a file may import from its own folder and from those below it.
FOLDERS = ("_base", "_systems", "_clouds", "_cluster_file", "_engine", "_views")
# What modules on nodes share is sent to the nodes with them: it knows nothing else.
ALONE = {"_nodes"}
# Within the engine, from the bottom up. A file may import from lower rows only; one in no row is on top.
ENGINE = (
    {"_in_use", "_numbers"},
    {"_plan_model"},
    {"_draft", "_forecast"},
    {"_candidates", "_objections"},
    {"_pools"},
    {"_plan"},
    {"_stream"},
    {"_retry"},
    {"_gateway"},
    {"_probe", "_lock", "_results", "_calls", "_fleet"},
    {"_work", "_outcome"},
    {"_deletion", "_host_keys", "_look", "_record", "_removal"},
    {"_waiting"},
    {"_launching"},
    {"_apply"},
)
# A provider knows the contract and how options are declared; that it is one of several is none of its business.
PROVIDER_KNOWS = {("_base", "_schema"), ("_clouds", "_contract"), ("_clouds", "_common")}
PURE = (
    "_base/_schema",
    "_systems/_system",
    "_systems/_checks",
    "_systems/_nfs",
    "_systems/_spark",
    "_systems/_spark_settings",
    "_systems/_table",
    "_systems/_torque",
    "_clouds/_contract",
    "_cluster_file/_cluster",
    "_cluster_file/_network",
    "_engine/_candidates",
    "_engine/_draft",
    "_engine/_forecast",
    "_engine/_in_use",
    "_engine/_numbers",
    "_engine/_objections",
    "_engine/_plan",
    "_engine/_plan_model",
    "_engine/_pools",
)
OUTSIDE_WORLD = {
    "asyncio", "concurrent", "datetime", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "platform", "queue", "random",
    "secrets", "select", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval"}
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def plugin_files(root: Path) -> list[Path]:
    return sorted((root / "plugins").rglob("*.py"))


def imported(path: Path, root: Path) -> Iterator[tuple[tuple[str, ...], int]]:
    """Every dotted name that a file imports, and its line; names within the collection start at ``plugins``."""
    here = path.relative_to(root).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split(".")), node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else ()
            if here[-1] == "__init__" and node.level:
                base = here[:-1][: len(here) - node.level]
            name = base + tuple((node.module or "").split(".") if node.module else ())
            name = name[len(COLLECTION) :] if name[: len(COLLECTION)] == COLLECTION else name
            for alias in node.names:
                yield (*name, alias.name), node.lineno


def place_of(name: tuple[str, ...]) -> tuple[str, ...]:
    """``plugins.module_utils._engine._plan.Plan`` is in ``("_engine", "_plan", "Plan")``; empty outside of module_utils."""
    return name[2:] if name[:2] == UTILS else ()


def place(path: Path, root: Path) -> tuple[str, ...]:
    return place_of(path.relative_to(root).with_suffix("").parts)


def utils(root: Path, folder: str = "") -> list[Path]:
    return sorted((root / "plugins/module_utils" / folder).rglob("*.py"))


def test_every_file_is_in_a_folder_of_the_order(root: Path) -> None:
    assert {place(path, root)[0] for path in utils(root)} == {*FOLDERS, *ALONE}


def test_imports_run_one_way_between_folders(root: Path) -> None:
    wrong = []
    for path in utils(root):
        own = place(path, root)[0]
        below = set(FOLDERS[: FOLDERS.index(own)]) if own in FOLDERS else set()
        for name, line in imported(path, root):
            other = place_of(name)
            if other and other[0] not in {own, *below}:
                wrong.append(f"{path.relative_to(root)}:{line}: {own} may not know {other[0]}")
    assert not wrong, "\n".join(wrong)


def rank(file: str) -> int:
    return next((number for number, row in enumerate(ENGINE) if file in row), len(ENGINE))


def test_imports_run_one_way_within_the_engine(root: Path) -> None:
    wrong = []
    for path in utils(root, "_engine"):
        own = place(path, root)[1]
        for name, line in imported(path, root):
            other = place_of(name)
            if other[:1] != ("_engine",) or len(other) < 2 or other[1] == own:
                continue
            if rank(own) < len(ENGINE) and rank(other[1]) >= rank(own):
                wrong.append(f"{path.relative_to(root)}:{line}: {own} may not know {other[1]}")
    assert not wrong, "\n".join(wrong)


def test_only_the_fleet_knows_the_list_of_providers(root: Path) -> None:
    knowing = {
        path.relative_to(root).as_posix()
        for path in plugin_files(root)
        for name, _line in imported(path, root)
        if place_of(name)[:2] == ("_clouds", "_providers")
    }
    assert knowing == {"plugins/module_utils/_engine/_fleet.py"}


def test_providers_know_the_contract_only(root: Path) -> None:
    wrong = []
    for path in utils(root, "_clouds"):
        own = place(path, root)[1]
        if own == "_providers":
            continue
        for name, line in imported(path, root):
            other = place_of(name)
            if other and other[:2] not in {*PROVIDER_KNOWS, ("_clouds", own)}:
                wrong.append(f"{path.relative_to(root)}:{line}: {own} may not know {'.'.join(other)}")
    assert not wrong, "\n".join(wrong)


def test_module_utils_do_not_know_plugins(root: Path) -> None:
    wrong = []
    for path in utils(root):
        for name, line in imported(path, root):
            if name[0] == "plugins" and name[:2] != UTILS:
                wrong.append(f"{path.relative_to(root)}:{line}: {'.'.join(name)}")
            if name[0] == "ansible" and name[:2] != ("ansible", "module_utils"):
                wrong.append(f"{path.relative_to(root)}:{line}: {'.'.join(name)} is not there where modules run")
    assert not wrong, "\n".join(wrong)


def test_only_ansible_and_the_standard_library_are_needed_to_load(root: Path) -> None:
    """An SDK is imported inside the functions that need it, so that a list of providers needs none."""
    wrong = []
    for path in plugin_files(root):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            wrong += [
                f"{path.relative_to(root)}:{node.lineno}: {name}"
                for name in names
                if name.split(".")[0] not in {*sys.stdlib_module_names, "ansible", "ansible_collections", "jinja2", "yaml"}
            ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("util", PURE)
def test_the_planner_and_what_it_knows_are_pure(root: Path, util: str) -> None:
    path = root / "plugins/module_utils" / f"{util}.py"
    wrong = [f"{path.name}:{line}: imports {'.'.join(name)}" for name, line in imported(path, root) if name[0] in OUTSIDE_WORLD | {"ansible"}]
    wrong += [
        f"{path.name}:{node.lineno}: calls {node.func.id}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
    ]
    assert not wrong, "\n".join(wrong)


def documentation(tree: ast.Module) -> set[ast.AST]:
    """The strings of a plugin that only people and ansible-doc read."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        assigned = any(isinstance(target, ast.Name) and target.id in DOCUMENTATION for target in targets)
        if assigned or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            found.update(ast.walk(node))
    return found


def words_of_code(path: Path) -> Iterator[tuple[str, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = documentation(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias):
            yield node.name, node.lineno


def providers(root: Path) -> set[str]:
    clouds = root / "plugins/module_utils/_clouds"
    return {path.name for path in clouds.iterdir() if path.is_dir() and not path.name.startswith("_")}


def test_no_plugin_names_a_provider(root: Path) -> None:
    known = re.compile("|".join(sorted(providers(root))), re.IGNORECASE)
    wrong = []
    for path in plugin_files(root):
        if "_clouds" in path.parts:
            continue
        wrong += [f"{path.relative_to(root)}:{line}: {text[:60]!r}" for text, line in words_of_code(path) if known.search(text)]
    assert not wrong, "\n".join(wrong)


def system_words() -> re.Pattern[str]:
    """The names of all systems and of their roles, but for the network between the nodes, which all others stand on."""
    own = [system for system in SYSTEMS.values() if not system.every_node]
    return re.compile("|".join(sorted({*(system.name for system in own), *(role for system in own for role in system.roles)})), re.IGNORECASE)


def of_a_system(path: Path) -> bool:
    """Whether a file belongs to one system: by its name, as a module, an action or a play of it, or by its folder."""
    return any(part.lstrip("_").startswith((*SYSTEMS, *STORES)) for part in path.parts) or path.name in (OF_SPARK | OF_URLS)


# Programs of one system whose names do not say so
OF_SPARK = {"_table.py"}
# What file systems of jobs begin with, which belong to Spark
STORES = ("s3a",)
# Knows the schemes of URLs, one of which is called as its system
OF_URLS = {"data_transfer.py"}


def test_generic_code_names_no_system(root: Path) -> None:
    known = system_words()
    wrong = [
        f"{path.relative_to(root)}:{line}: {text[:60]!r}"
        for path in plugin_files(root)
        if not of_a_system(path.relative_to(root))
        for text, line in words_of_code(path)
        if known.search(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_generic_playbooks_and_roles_name_no_system(texts: dict[Path, str]) -> None:
    known = system_words()
    wrong = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        if path.parts[0] in {"playbooks", "roles"} and path.suffix != ".md" and not of_a_system(path) and path.name != "cluster.yml"
        for number, line in enumerate(text.splitlines(), 1)
        if known.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_playbook_or_role_names_a_provider(root: Path, texts: dict[Path, str]) -> None:
    known = re.compile("|".join(sorted(providers(root))), re.IGNORECASE)
    wrong = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        if path.parts[0] in {"playbooks", "roles"} and path.suffix != ".md"
        for number, line in enumerate(text.splitlines(), 1)
        if known.search(line)
    ]
    assert not wrong, "\n".join(wrong)
