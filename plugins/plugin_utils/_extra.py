# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a run takes beside the cluster file: each is checked before anything is done, and a misspelt one is not passed over."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_int, check_type_list

PREFIX = "sky_"
DISRUPTIONS = ("drain", "refuse", "force")


@dataclass(frozen=True)
class Kind:
    """What a variable may hold."""

    check: Callable[[Any], Any]  # raises TypeError or ValueError
    words: str


def _text(value: Any) -> None:
    if isinstance(value, (dict, list)) or value is None:
        raise TypeError


def _disruption(value: Any) -> None:
    if value not in DISRUPTIONS:
        raise ValueError


TEXT = Kind(_text, "a text")
LIST = Kind(check_type_list, "a list")
SWITCH = Kind(check_type_bool, "true or false")
MAPPING = Kind(check_type_dict, "a mapping in JSON")
EXTRAS: Mapping[str, Kind] = {
    "sky_application": TEXT,
    "sky_arguments": LIST,
    "sky_class": TEXT,
    "sky_confirm": TEXT,
    "sky_counts": MAPPING,
    "sky_destroy_data": SWITCH,
    "sky_disruption": Kind(_disruption, f"one of {', '.join(DISRUPTIONS)}"),
    "sky_files": LIST,
    "sky_full": SWITCH,
    "sky_look": SWITCH,
    "sky_remove": LIST,
    "sky_require_ready": SWITCH,
    "sky_show_info": SWITCH,
    "sky_spark_conf": MAPPING,
    "sky_status_file": TEXT,
    "sky_strict": SWITCH,
    "sky_submission": TEXT,
    "sky_timeout": Kind(check_type_int, "a whole number of seconds"),
}
PRIVATE = ("sky_arguments", "sky_spark_conf")  # may hold secrets


def wrong(variables: Mapping[str, Any]) -> Iterator[str]:
    """What cannot be used, one sentence each.

    Args:
        variables: values by name; names that are not ours are passed over.
    """
    for name, kind in EXTRAS.items():
        if name in variables:
            try:
                kind.check(variables[name])
            except (TypeError, ValueError):
                got = "something else" if name in PRIVATE else repr(variables[name])
                yield f"{name}: must be {kind.words}, got {got}"


def misspelt(names: Iterable[str]) -> Iterator[str]:
    """Extra variables that are nearly one of ours: Ansible alone takes them, and nobody looks at them."""
    for name in names:
        near = difflib.get_close_matches(name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in EXTRAS], 1, 0.75)
        if name.startswith(PREFIX) and name not in EXTRAS and near:
            yield f"{name}: no such variable; did you mean '{PREFIX}{near[0]}'?"
