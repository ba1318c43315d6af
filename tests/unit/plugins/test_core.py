# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ansible-core can run the roles. tests/integration/cores runs them with real ones."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils import _core


@pytest.mark.parametrize(
    ("core", "native", "fits"),
    [("2.18.19", False, False), ("2.18.19", True, True), ("2.19.0", False, True), ("2.21.5", False, True), ("2.21.0.dev0", False, True)],
)
def test_numbers_stay_numbers(monkeypatch: pytest.MonkeyPatch, core: str, native: bool, fits: bool) -> None:
    monkeypatch.setattr(_core, "__version__", core)
    monkeypatch.setattr("ansible.constants.DEFAULT_JINJA2_NATIVE", native, raising=False)
    said = _core.unfit()
    assert (said == "") == fits
    assert fits or said.startswith("jinja2_native: must be true in the section [defaults] of ansible.cfg with ansible-core 2.18.19")
