#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ansible-test sanity, all of it, without containers and without ignore files. SKY_ENVIRONMENT names another environment than .venv, of another core.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

# A home of its own: ansible-test keeps its environments and the bootstrap file below in the home folder.
ENVIRONMENT=${SKY_ENVIRONMENT:-$VENV}
export HOME=$CACHE/sanity${SKY_ENVIRONMENT:+-$(basename "$SKY_ENVIRONMENT")}
bootstrap=$HOME/.ansible/test/cache
mkdir -p "$bootstrap"

# ansible-test fetches a script that installs pip; this one installs the same version from a wheel, so that the package index is all it needs.
version=$(sed -nE "s/^ +pip='([0-9.]+)',$/\1/p" "$ENVIRONMENT"/lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py)
script=$bootstrap/get_pip_${version//./_}.py
if [ ! -e "$script" ]; then
  "$ENVIRONMENT/bin/pip" download --quiet --no-deps --dest "$bootstrap" "pip==$version"
  cat >"$script.part" <<PYTHON
import sys
wheel = "$bootstrap/pip-$version-py3-none-any.whl"
sys.path.insert(0, wheel)
from pip._internal.cli.main import main
sys.exit(main(["install", "--quiet", "--no-index", wheel]))
PYTHON
  mv "$script.part" "$script"
fi

cd "$(copy_collection "$HOME")"
git init --quiet --initial-branch=main .
git add --all
# Real interpreters only; a shim on PATH makes ansible-test look for Pythons that are not there.
PATH=$ENVIRONMENT/bin:/usr/bin:/bin exec "$ENVIRONMENT/bin/ansible-test" sanity --color no "$@"
