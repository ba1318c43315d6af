#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the documentation as a site, build/site/html: a page of each plugin and role, the guides, and their pictures. A warning, such as a reference
# that leads nowhere, is an error. Then the pages are looked at in a browser.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

environment=$(environment site "$ROOT/tests/tools/requirements-site.txt")
export PATH=$environment/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy_collection "$work" >/dev/null
export ANSIBLE_COLLECTIONS_PATH=$work ANSIBLE_COLLECTIONS_SCAN_SYS_PATH=false ANSIBLE_HOME=$work/home

mkdir -p "$work/site/rst"
antsibull-docs sphinx-init --use-current --dest-dir "$work/site" --fail-on-error --squash-hierarchy sky.clusters >/dev/null
# Nothing is fetched: what leads to Ansible's own documentation is not checked, everything else is.
cat >>"$work/site/conf.py" <<'PYTHON'
project = html_title = html_short_title = "sky.clusters"
intersphinx_mapping = {}
core = "action_plugins|callback_plugins|common_return_values|ansible_configuration_settings|ANSIBLE_.*|ansible_collections\.ansible\..*"
nitpick_ignore_regex = [(".*", core)]
PYTHON
cd "$work/site"
chmod go-w rst
antsibull-docs --config-file antsibull-docs.cfg collection --cleanup everything --fail-on-error --use-current --squash-hierarchy --dest-dir rst sky.clusters
cp -r "$work/ansible_collections/sky/clusters/docs/docsite/rst/images" rst/docsite/ # which antsibull-docs leaves out
sphinx-build -M html rst build -c . -W --keep-going -q
rm -rf "$ROOT/build/site"
mkdir -p "$ROOT/build"
mv build "$ROOT/build/site"
echo "site: $(find "$ROOT/build/site/html" -name '*.html' | wc -l) pages in build/site/html"
"$VENV/bin/python" "$ROOT/tests/tools/look_at_site.py" "$ROOT/build/site/html"
