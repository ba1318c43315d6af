# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extra variables of a run: all are validated before anything is done, and a misspelt name is an error."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_int, check_type_list

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import ExtraKind
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS

PREFIX = "sky_"
DRAIN = "drain"
DISRUPTIONS = (DRAIN, "refuse", "force")
NOTHING = ("", "null")  # values of unanswered questions in forms and AWX surveys


@dataclass(frozen=True)
class Kind:
    """The type of a variable."""

    read: Callable[[Any], Any]  # parses a value; raises TypeError or ValueError
    words: str
    default: Any


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise TypeError
    return str(value)


def _data_of(value: Any) -> str:
    """The name of the cluster; an answer that says no is none."""
    return "" if str(value).lower() in ("false", "no") else _text(value)


def _seconds(value: Any) -> int:
    seconds = int(check_type_int(value))
    if seconds < 0:
        raise ValueError
    return seconds


def _list(value: Any) -> list[Any]:
    parsed = json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
    return list(check_type_list(parsed))


def _mapping(value: Any) -> dict[Any, Any]:
    return dict(check_type_dict(value))


def _disruption(value: Any) -> str:
    if value not in DISRUPTIONS:
        raise ValueError
    return str(value)


TEXT = Kind(_text, "a string", "")
LIST = Kind(_list, "a list", ())
SWITCH = Kind(check_type_bool, "true or false", default=False)
MAPPING = Kind(_mapping, "a mapping in JSON", {})
KINDS: Mapping[ExtraKind, Kind] = {
    "file": TEXT,
    "text": TEXT,
    "list": LIST,
    "switch": SWITCH,
    "mapping": MAPPING,
    "name": TEXT,
    "seconds": Kind(check_type_int, "a whole number of seconds", 0),
}
OF_SYSTEMS = {name: KINDS[kind] for system in SYSTEMS.values() for name, kind in system.extras.items()}
SECRET = {name for system in SYSTEMS.values() for name, kind in system.extras.items() if kind in ("text", "list", "mapping")}  # or may be secret
FILES_OF_SYSTEMS = {name for system in SYSTEMS.values() for name, kind in system.extras.items() if kind == "file"}
EXTRAS: Mapping[str, Kind] = OF_SYSTEMS | {
    "sky_confirm": TEXT,
    "sky_costs_file": TEXT,
    "sky_counts": MAPPING,
    "sky_destroy_data": Kind(_data_of, TEXT.words, ""),
    "sky_disruption": Kind(_disruption, f"one of {', '.join(DISRUPTIONS)}", DRAIN),
    "sky_from": TEXT,
    "sky_full": SWITCH,
    "sky_look": Kind(check_type_bool, "true or false", default=True),
    "sky_node": TEXT,
    "sky_plan_file": TEXT,
    "sky_remove": LIST,
    "sky_replace": LIST,
    "sky_require_ready": SWITCH,
    "sky_sbom_file": TEXT,
    "sky_ssh_config": TEXT,
    "sky_status_file": TEXT,
    "sky_strict": SWITCH,
    "sky_timeline": TEXT,
    "sky_to": TEXT,
    "sky_usage_file": TEXT,
    "sky_wait": Kind(_seconds, "a whole number of seconds, 0 or more", 0),
}

# of the controller, each written at the end of a run
OUTPUT_FILES = (
    "sky_costs_file",
    "sky_plan_file",
    "sky_sbom_file",
    "sky_ssh_config",
    "sky_status_file",
    "sky_timeline",
    "sky_usage_file",
    *sorted(FILES_OF_SYSTEMS),
)


def given(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values of the variables, by their names without the prefix; an empty variable has its default.

    Args:
        variables: values by name; other names are ignored.

    Returns:
        The values, and one sentence for each invalid value.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, kind in EXTRAS.items():
        value = variables.get(name)
        try:
            values[name.removeprefix(PREFIX)] = kind.default if is_nothing(value) else kind.read(value)
        except (TypeError, ValueError):
            faults.append(f"{name}: must be {kind.words}, got {'another value' if name in SECRET else repr(value)}")
    return values, faults


def is_nothing(value: Any) -> bool:
    """Whether a value is that of a question that nobody has answered."""
    return value is None or (isinstance(value, str) and value.strip() in NOTHING)


def misspelt(names: Iterable[str]) -> Iterator[str]:
    """Extra variables with a name close to one of ours, which Ansible would accept and nothing would read."""
    for name in names:
        near = difflib.get_close_matches(name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in EXTRAS], 1, 0.75)
        if name.startswith(PREFIX) and name not in EXTRAS and near:
            yield f"{name}: no such variable; did you mean '{PREFIX}{near[0]}'?"
