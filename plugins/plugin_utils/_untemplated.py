# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a cloud or a file as variables that Ansible does not template."""

from __future__ import annotations

from typing import Any

from ansible.utils.unsafe_proxy import wrap_var


def untemplated(value: Any) -> Any:
    """Plain data of built-in types, marked as unsafe: braces in a cloud's answer are never run as a template."""
    return wrap_var(plain(value))


def plain(value: Any) -> Any:
    """The same value in built-in types, without the tags that Ansible gives to what it reads."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
