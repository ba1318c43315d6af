# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write an address as the host of a URL."""

from __future__ import annotations

DOCUMENTATION = r"""
name: url_host
short_description: Write an address as the host of a URL
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Encloses an IPv6 address in brackets. Other values are returned unchanged.
options:
  _input:
    description: An address or a host name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the URL of the master
  ansible.builtin.debug:
    msg: "http://{{ sky_address | sky.clusters.url_host }}:8080"
"""

RETURN = r"""
_value:
  description: The same value, in brackets if it is an IPv6 address.
  type: str
  sample: "[fd00::4]"
"""

from collections.abc import Callable


def url_host(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[[str], str]]:
        return {"url_host": url_host}
