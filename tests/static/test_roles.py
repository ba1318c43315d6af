# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has the same shape, and its documented options are its defaults."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import EVERY_NODE, ROLES, SYSTEMS
from ansible_collections.sky.clusters.tests.support import tree

ROLE_NAMES = sorted(path.name for path in (tree.ROOT / "roles").iterdir() if path.is_dir())
NEEDED = ("README.md", "defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml")
FOLDERS = {"defaults", "files", "handlers", "meta", "tasks", "templates", "vars"}


def load(role: str, file: str) -> dict[str, Any]:
    path = tree.ROOT / "roles" / role / file
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def options(role: str) -> dict[str, Any]:
    found: dict[str, Any] = load(role, "meta/argument_specs.yml")["argument_specs"]["main"].get("options") or {}
    return found


def public_defaults(role: str) -> dict[str, Any]:
    return {name: value for name, value in load(role, "defaults/main.yml").items() if not name.startswith("__")}


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_shape(role: str) -> None:
    missing = [name for name in NEEDED if not (tree.ROOT / "roles" / role / name).is_file()]
    strange = [path.name for path in (tree.ROOT / "roles" / role).iterdir() if path.is_dir() and path.name not in FOLDERS]
    assert not missing, f"roles/{role} lacks {missing}"
    assert not strange, f"roles/{role} has {strange}"


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_default_is_an_option_and_every_option_has_a_default(role: str) -> None:
    optional = {name for name, option in options(role).items() if not option.get("required")}
    assert optional == set(public_defaults(role))


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_documented_defaults_are_the_real_ones(role: str) -> None:
    """Left out of the documentation are only defaults that are computed, where the description says how, and empty lists and mappings."""
    real = public_defaults(role)
    said = {name: option["default"] for name, option in options(role).items() if "default" in option}
    unsaid = {name: value for name, value in real.items() if name not in said and "{{" not in str(value) and value not in ({}, [])}
    assert said == {name: real.get(name) for name in said}
    assert not unsaid, f"roles/{role}/meta/argument_specs.yml does not say these defaults: {unsaid}"


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_names_and_descriptions(role: str) -> None:
    wrong = [name for name in options(role) if not name.startswith(f"{role}_")]
    wrong += [name for name in public_defaults(role) if not name.startswith(f"{role}_")]
    wrong += [
        name for name in load(role, "defaults/main.yml") | load(role, "vars/main.yml") if name.startswith("__") and not name.startswith(f"__{role}_")
    ]
    assert not wrong, f"names in roles/{role} that do not start with {role}_ or __{role}_: {wrong}"
    bare = [name for name, option in options(role).items() if not option.get("description") or not option.get("type")]
    assert not bare, f"options of roles/{role} without description or type: {bare}"


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_the_keys_of_mappings_in_lists_are_declared(role: str) -> None:
    """Keys that are not declared are refused."""
    bare = [name for name, option in options(role).items() if option.get("elements") == "dict" and not option.get("options")]
    assert not bare, f"options of roles/{role} whose entries have no keys: {bare}"


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_variables_of_a_role_are_its_own(role: str) -> None:
    public = [name for name in load(role, "vars/main.yml") if not name.startswith(f"__{role}_")]
    assert not public, f"roles/{role}/vars/main.yml: {public} are not internal"


def test_the_table_of_systems_names_roles_that_exist() -> None:
    named = {*EVERY_NODE, *(step for role in ROLES.values() for step in role.steps), *(system.proof for system in SYSTEMS.values() if system.proof)}
    assert named <= set(ROLE_NAMES)


def test_roles_that_leave_have_leave_tasks() -> None:
    declared = {role.own for role in ROLES.values() if role.drains}
    written = {role for role in ROLE_NAMES if (tree.ROOT / "roles" / role / "tasks/leave.yml").is_file()}
    assert declared | set(EVERY_NODE) == written


@pytest.mark.parametrize("name", SYSTEMS)
def test_ports_of_a_system_are_those_of_its_roles(name: str) -> None:
    """Generic code cannot see the defaults of roles, so the system's file has the values."""
    for role in SYSTEMS[name].roles.values():
        defaults = {variable: value for step in role.steps for variable, value in public_defaults(step).items()}
        assert role.ports == {variable: defaults[variable] for variable in role.ports}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_has_its_play_and_its_next_steps(name: str) -> None:
    assert (tree.ROOT / f"playbooks/systems/{name}.yml").is_file()
    # the last lines of a run are shown on heads
    assert not SYSTEMS[name].head or (tree.ROOT / f"playbooks/templates/{name}_next_steps.j2").is_file()


def test_systems_are_set_up_in_the_order_of_their_table() -> None:
    plays = yaml.safe_load((tree.ROOT / "playbooks/cluster.yml").read_text(encoding="utf-8"))
    imported = [play["ansible.builtin.import_playbook"] for play in plays]
    assert [name for name in imported if name.startswith("systems/")] == [f"systems/{name}.yml" for name in SYSTEMS]
