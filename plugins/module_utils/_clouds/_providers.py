# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The providers. A new one is one file or package beside this one and its line here.

The list is static on purpose: a module is shipped with what it imports by name, and nothing else is found there. A provider imports its SDK
inside its functions, so that reading the list needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import lxc, openstack, stratuslab
from ._contract import Cloud, Options


@dataclass(frozen=True)
class Provider:
    """One provider: the dataclass of its options, and its cloud."""

    options: type[Options]
    cloud: type[Cloud]

    def __post_init__(self) -> None:
        if missing := self.options.missing():
            raise TypeError(f"{self.options.__name__} does not declare {', '.join(missing)}, which the options of every provider have")


PROVIDERS: Mapping[str, Provider] = {
    "lxc": Provider(lxc.LxcOptions, lxc.LxcCloud),
    "openstack": Provider(openstack.OpenStackOptions, openstack.OpenStackCloud),
    "stratuslab": Provider(stratuslab.StratusLabOptions, stratuslab.StratusLabCloud),
}
