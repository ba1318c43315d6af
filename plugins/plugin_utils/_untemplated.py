# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a cloud or a file as variables that Ansible does not template."""

from __future__ import annotations

import re
from typing import Any

import ansible.template
from ansible.utils.unsafe_proxy import wrap_var

# What a text needs to be run: a delimiter of templates, also one that another text completes, or else, where `when: "{{ name }}"` makes a condition
# of it, a call or a filter
RUN = re.compile(r"""[{}|]|#jinja2:|[\w\])"']\s*\(""")
# Core 2.19 and newer show a text without this mark as unsafe; 2.18, which does not have it, shows every text plain that is not marked as unsafe
harmless = getattr(ansible.template, "trust_as_template", str)


def untemplated(value: Any) -> Any:
    """Plain data of built-in types, marked as unsafe: braces in a cloud's answer are never run as a template."""
    return wrap_var(plain(value))


def inventory_value(value: Any) -> Any:
    """The same for the inventory, of which C(ansible-inventory) shows every unsafe text as a mapping: only what could be run is unsafe there."""
    return _each_text(plain(value))


def _each_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {wrap_var(key): _each_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_each_text(item) for item in value]
    if isinstance(value, str):
        return wrap_var(value) if RUN.search(value) else harmless(value)
    return value


def plain(value: Any) -> Any:
    """The same value in built-in types, without the tags that Ansible gives to what it reads."""
    if isinstance(value, dict):
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, float) else value


def _text(value: Any) -> str:
    """Of core 2.18's unsafe text, C(str) returns the same."""
    return str.__str__(value) if isinstance(value, str) else str(value)
