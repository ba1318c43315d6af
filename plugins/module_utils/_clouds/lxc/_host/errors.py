# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the host program could not do something."""

from __future__ import annotations


class HostError(Exception):
    """One sentence for people, and the kind of error of the contract that it becomes (``error`` is the plain one).

    The program runs alone, as root, and imports nothing of the collection: it names the kind, and the client (``_client.ERRORS``) raises the error.
    """

    def __init__(self, message: str, kind: str = "error", log: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.log = log  # tail of a console, where there is one
