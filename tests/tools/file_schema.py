# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update ``schemas/cluster_file.json``: python tests/tools/file_schema.py."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.tests.support.file_schema import FILE, text  # noqa: E402

if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
