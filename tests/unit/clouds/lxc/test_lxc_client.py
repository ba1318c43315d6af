# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host program's other side makes of one that ends before it has read what was asked."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import _client

LONG = "x" * 1_000_000  # more than a pipe takes


class Late(dict[str, Any]):
    """Takes its time to be written down: until then the other side has ended."""

    def items(self) -> Any:
        time.sleep(0.5)
        return super().items()


@pytest.mark.parametrize("question", [LONG, Late(short="question")], ids=["long", "late"])
@pytest.mark.parametrize(
    ("said", "error", "sentence"),
    [
        ("sudo: a password is required", Denied, "the local cloud needs root on this machine"),
        ("Killed", Unavailable, "ended early .* Killed"),
    ],
)
def test_one_that_reads_nothing_is_explained_by_its_last_words(
    monkeypatch: pytest.MonkeyPatch, question: Any, said: str, error: type[CloudError], sentence: str
) -> None:
    monkeypatch.setattr(_client, "_command", lambda: ["sh", "-c", f"exec <&-; echo '{said}' >&2; exit 1"])
    with pytest.raises(error, match=sentence):
        _client.HostProgram("zone", "/nowhere", "").value("listing", question=question)
