# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a cloud or a file as variables that Ansible does not template."""

from __future__ import annotations

from typing import Any

from ansible.utils.unsafe_proxy import wrap_var


def untemplated(value: Any) -> Any:
    """Plain data of built-in types, marked as unsafe: braces in a cloud's answer are never run as a template."""
    return wrap_var(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value
