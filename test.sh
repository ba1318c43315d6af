#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/tests/tools/common.sh"
cd "$ROOT"

# The slowest first: they run side by side.
CHECKS=(sanity importer types lint tree docs changelog ruff format yaml shell)
PARTS=(static unit mutants real molecule openstack quickstart)

usage() {
  cat <<TEXT
Usage: ./test.sh [WORD...]

Proves the project, from a clean checkout. Without a word, everything; else what the words name:

  static       all of: ${CHECKS[*]}
  unit         tests of the code, nothing outside it touched
  mutants      named defects, each put into a copy of the tree: the tests must find every one
  real         clusters on this machine, and the collection built, installed and used
  molecule     each role on nodes of its own
  openstack    a real OpenStack of the tests' own, and clusters on it
  quickstart   ./quickstart.sh as a user with sudo would run it, then again, then --remove

All but static, unit and mutants change this machine: they need root, and make nodes.
TEXT
}

LOGS=$(mktemp -d)
BUILDER=
trap '[ -z "$BUILDER" ] || kill "$BUILDER" 2>/dev/null || true; rm -rf "$LOGS"' EXIT
ROWS=$LOGS/rows
: >"$ROWS"

# note PART BEGAN STATUS: one line of the table at the end.
note() {
  local word=ok
  [ "$3" = 0 ] || word=FAILED
  printf '%-12s %6d s   %s\n' "$1" $((SECONDS - $2)) "$word" | tee -a "$ROWS"
}

# part NAME COMMAND...: runs it in full view.
part() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '\n=== %s\n' "$name"
  "$@" </dev/null || status=$?
  note "$name" "$began" "$status"
}

# --- static ---------------------------------------------------------------------------------------------------------------------------------

check_sanity() { tests/tools/sanity.sh; }
check_importer() { tests/tools/importer.sh; }
check_types() { tests/tools/types.sh; }
check_lint() { ansible-lint --offline --nocolor; }
check_tree() { pytest -q tests/static; }
# antsibull-docs copies the collection into a folder with a name of chance, whose path is in the pages that it checks: a name that ends with "_", as one
# of 37 does, reads as a link there. With another name it says what is really wrong, if anything is.
check_docs() {
  local said status
  for _try in 1 2 3; do
    status=0
    said=$(antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self . 2>&1) || status=$?
    [[ "$said" == *'Unknown target name: "antsibull-docs-'* ]] || break
  done
  printf '%s\n' "$said"
  return "$status"
}
check_changelog() { antsibull-changelog lint; }
check_ruff() { ruff check .; }
check_format() { ruff format --check .; }
check_yaml() { tracked_files '*.yml' '*.yaml' .yamllint .ansible-lint | xargs -0 yamllint --strict; }
check_shell() { tracked_files '*.sh' .ci/run tests/clouds/openstack/{up,down,build} | xargs -0 shellcheck --external-sources; }

# One check: its output is shown in full if it fails, else its last line.
check() {
  local name=$1 log=$LOGS/$1 began=$SECONDS status=0
  # In the background and waited for: behind `||` bash would go on after a command that failed inside.
  (set -e; "check_$name") >"$log" 2>&1 </dev/null &
  wait $! || status=$?
  if [ "$status" = 0 ]; then
    tail -n 1 "$log" | cut -c1-120
  else
    sed "s/^/$name: /" "$log"
  fi
  note "$name" "$began" "$status"
}

checks() {
  local name
  for name in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
      wait -n || true
    done
    check "$name" &
  done
  wait
}

# --- the other parts ------------------------------------------------------------------------------------------------------------------------

# Long tests tell each failure at once, and end early where all goes wrong: who waits for a machine far away sees why in any case.
TOLD=(--instafail --maxfail 10)

run_unit() { pytest -n 2 --durations 8 -m "not real" tests --ignore tests/static; }
run_mutants() { python tests/mutants/run.py; }
# last, from a machine that is not prepared: it ends by taking back what the parts before it installed, Python included where that was missing
run_quickstart() { ./quickstart.sh --undo-host && pytest -m real tests/integration/quickstart; }
# the first ones look at the whole machine, so nothing may go on beside them; of the others each file has a zone of its own
run_real() {
  local status=0
  with_key pytest -m "real and not openstack" "${TOLD[@]}" --durations 6 tests/integration/install tests/integration/lxc tests/contract || status=$?
  with_key pytest -m real "${TOLD[@]}" --session-timeout 3000 -n 2 --dist loadfile --no-loadscope-reorder --durations 12 \
    tests/integration/local || status=$?
  return "$status"
}
# What the test cloud starts from takes minutes to build, once: it goes on beside the parts that touch nothing outside the clone.
begin_building() {
  nice tests/clouds/openstack/build >/dev/null 2>&1 &
  BUILDER=$!
  disown # who waits for jobs of their own does not wait for it
}
# Built by now, or built once more, and told why it cannot be.
run_build() {
  tail --pid="$BUILDER" -s 1 -n 0 -f /dev/null
  tests/clouds/openstack/build
}
# the cloud is taken away in the end, whatever came of the tests; those of one project take turns
run_openstack() {
  local status=0
  tests/clouds/openstack/up || return
  with_key pytest -m openstack "${TOLD[@]}" --session-timeout 1800 -n 2 --dist loadgroup --no-loadscope-reorder --durations 12 \
    tests/integration/openstack tests/contract || status=$?
  tests/clouds/openstack/down || status=$?
  return "$status"
}
run_molecule() { with_key molecule test --all --no-command-borders; }

# with_key COMMAND...: nodes are reached by ssh; an agent holds a key of the command's own, so that it needs none of the user's.
with_key() {
  # shellcheck disable=SC2016 # it is the inner shell that has these
  ssh-agent sh -c 'ssh-add -q "$0" && exec "$@"' "$LOGS/key" "$@"
}

# --- what to do -----------------------------------------------------------------------------------------------------------------------------

[ $# -gt 0 ] || set -- "${PARTS[@]}"
wanted=() single=()
for word in "$@"; do
  case " ${PARTS[*]} : ${CHECKS[*]} " in
    *" $word "*:*) wanted+=("$word") ;;
    *:*" $word "*) single+=("$word") ;;
    *)
      usage
      [[ "$word" =~ ^(-h|--help)$ ]] && exit 0 || exit 2
      ;;
  esac
done

has() { [[ " ${wanted[*]} " == *" $1 "* ]]; }

# said now, not after three quarters of an hour by the last part
zones=(/var/lib/sky-clusters/*/zone.json)
if has quickstart && [ -e "${zones[0]}" ]; then
  zones=("${zones[@]%/zone.json}")
  printf "test.sh: part quickstart wants a machine without local clouds, but there is: %s. Destroy their clusters first (the demo's: ./quickstart.sh --remove).\n" \
    "${zones[*]##*/}" >&2
  exit 2
fi

part environment ./quickstart.sh --dev
export PATH="$VENV/bin:$PATH"
[ ${#single[@]} = 0 ] || checks "${single[@]}"
if has real || has molecule || has openstack; then
  part machine ./quickstart.sh --host
  ssh-keygen -q -t ed25519 -N '' -C "sky.clusters test" -f "$LOGS/key"
fi
! has openstack || begin_building
waited=
for name in "${wanted[@]}"; do
  case "$name $BUILDER" in
    "static "* | "unit "* | "mutants "* | *" ") ;;
    *) [ -n "$waited" ] || { waited=yes && part build run_build; } ;;
  esac
  case $name in
    static)
      printf '\n=== static\n'
      checks "${CHECKS[@]}"
      ;;
    *) part "$name" "run_$name" ;;
  esac
done

printf '\n=== in all: %d s\n' "$SECONDS"
cat "$ROWS"
! grep -q FAILED "$ROWS"
