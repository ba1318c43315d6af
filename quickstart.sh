#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")"
ROOT=$(pwd -P)
VENV=$ROOT/.venv
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sky-clusters
DEMO=inventories/local/demo.sky.yml
BATCH=inventories/local/torque.sky.yml
NOTES=/var/lib/sky-quickstart # what was installed, so that --remove takes away that and nothing else
KEY=$HOME/.ssh/id_ed25519
KEY_COMMENT="sky.clusters quickstart"
PYTHON_PACKAGES=(python3 python3-venv)
MACHINE_PACKAGES=(ca-certificates debian-archive-keyring e2fsprogs iproute2 lxc lxcfs mmdebstrap mount nftables openssh-client xfsprogs)

usage() {
  cat <<'TEXT'
Usage: ./quickstart.sh [torque | --host | --undo-host | --dev | --remove | --help]

Makes a Spark cluster on this machine, runs a job on it, and says how to go on. Run again, it changes nothing that is as it should be.
It is made for Debian 12, as root or as a user with sudo.

  torque       makes a batch cluster instead, with qsub and MPI, and runs a job on it
  --host       only prepares the machine (packages, kernel limit, lxcfs), so that clusters can be made on it
  --undo-host  takes that back, but for the packages; refuses while a cloud on this machine holds something
  --dev        only makes .venv, with the tools that ./test.sh uses
  --remove     destroys the demo clusters, their data included, and undoes what this script did to the machine: packages that nothing else needs
               by now, settings, the ssh key that it made, .venv and what was fetched
  --help       this text

SKY_PYTHON names the Python (3.11 or newer) that .venv is made with, instead of the system's.
TEXT
}

fail() {
  printf 'quickstart.sh: %s\n' "$*" >&2
  exit 1
}

# --- steps, and how they are shown ----------------------------------------------------------------------------------------------------------

tenths() {
  local now=${EPOCHREALTIME/./}
  printf '%s' $((now / 100000))
}
BEGAN=$(tenths)

seconds_since() {
  local passed=$(($(tenths) - $1))
  printf '%d.%d s' $((passed / 10)) $((passed % 10))
}

# step WHAT COMMAND...: runs it, shows what it is and how long it took, and its output only if it fails.
step() {
  local what=$1 began log
  shift
  began=$(tenths)
  log=$(mktemp)
  printf '  ...      %s\n' "$what"
  # In the background and waited for: in an `if` bash would go on after a command that failed inside.
  (set -e; "$@") >"$log" 2>&1 </dev/null &
  if ! wait $!; then
    cat "$log" >&2
    rm -f "$log"
    fail "$what: failed"
  fi
  rm -f "$log"
  printf '%8s   %s\n' "$(seconds_since "$began")" "$what"
}

side_by_side=()
beside() {
  step "$@" &
  side_by_side+=($!)
}

join() {
  local job failed=0
  for job in "${side_by_side[@]}"; do
    wait "$job" || failed=1
  done
  side_by_side=()
  [ "$failed" = 0 ] || exit 1
}

# --- rights ---------------------------------------------------------------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

ask_for_rights() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || fail "run it as root, or install sudo and give $(id -un) the right to use it"
  sudo -n true 2>/dev/null || sudo -v || fail "$(id -un) may not use sudo: run it as root, or as a user who may"
}

# --- packages -------------------------------------------------------------------------------------------------------------------------------

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

installed_packages() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

note_packages() {
  as_root mkdir -p "$NOTES"
  as_root sh -c "cat >>'$NOTES/packages'"
}

install_packages() {
  local before status=0
  before=$(installed_packages)
  apt_get install --no-install-recommends "$@" || status=$?
  comm -13 <(printf '%s\n' "$before") <(installed_packages) | note_packages
  return $status
}

# Words of an apt-get that is only simulated: the packages that it would remove.
would_remove() {
  apt-get -s -o APT::AutoRemove::SuggestsImportant=false "$@" | sed -n -E 's/^(Remv|Purg) ([^ :]+).*/\2/p' | sort -u
}

# Those that were installed for us and that nothing else has come to need; apt itself is asked which these are.
remove_packages() {
  local ours removable
  ours=$(comm -12 <(sort -u "$NOTES/packages") <(installed_packages))
  if [ -n "$ours" ]; then
    # shellcheck disable=SC2086 # names of packages, one word each
    as_root apt-mark auto $ours >/dev/null
    removable=$(comm -12 <(printf '%s\n' "$ours") <(would_remove -o APT::AutoRemove::RecommendsImportant=false autoremove))
    # What was there before and only recommends one of ours must not go with it.
    # shellcheck disable=SC2086
    if [ -n "$removable" ] && [ -n "$(comm -13 <(printf '%s\n' "$ours") <(would_remove purge $removable))" ]; then
      removable=$(comm -12 <(printf '%s\n' "$ours") <(would_remove autoremove))
    fi
    # shellcheck disable=SC2086
    [ -z "$removable" ] || apt_get purge $removable
  fi
  as_root rm -rf "$NOTES"
}

# --- the environment ------------------------------------------------------------------------------------------------------------------------

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# The system's Python comes before a version manager's shim, which means another Python in every folder.
find_python() {
  local python
  for python in "${SKY_PYTHON:-}" /usr/bin/python3 python3; do
    if [ -n "$python" ] && new_enough "$python"; then
      printf '%s\n' "$python"
      return
    fi
  done
  fail "needs Python 3.11 or newer: install one and name it in SKY_PYTHON"
}

environment_is_whole() {
  [ -x "$VENV/bin/python" ] && new_enough "$VENV/bin/python" && [ -x "$VENV/bin/pip" ]
}

# stamp NAME FILE...: the file whose presence says that the requirements in these files are installed.
stamp() {
  local name=$1
  shift
  printf '%s/.sky-%s-%s\n' "$VENV" "$name" "$(cat "$@" | sha256sum | cut -c1-16)"
}

# The collection is used from here: a link at the place where Ansible looks for installed ones.
link_collection() {
  local place
  place=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/sky
  [ "$(readlink "$place/clusters")" = "$ROOT" ] && return
  mkdir -p "$place"
  ln -sfn "$ROOT" "$place/clusters"
}

# environment [dev]: .venv with what is needed to run the collection, or to work on it.
environment() {
  local run_stamp dev_stamp
  run_stamp=$(stamp run requirements.txt)
  dev_stamp=$(stamp dev requirements.txt requirements-dev.txt)
  if ! environment_is_whole; then
    rm -rf "$VENV"
    "$(find_python)" -m venv "$VENV"
  fi
  link_collection
  if [ "${1:-}" = dev ]; then
    [ -e "$dev_stamp" ] || install_requirements requirements-dev.txt "$run_stamp" "$dev_stamp"
  else
    [ -e "$run_stamp" ] || install_requirements requirements.txt "$run_stamp"
  fi
}

install_requirements() {
  local file=$1
  shift
  rm -f "$VENV"/.sky-*
  "$VENV/bin/pip" install --quiet --requirement "$file"
  touch "$@"
}

# Packages that the environment cannot be made without. A Python of the user's own, or an environment that is there, needs none.
python_packages() {
  if [ -z "${SKY_PYTHON:-}" ] && ! environment_is_whole; then
    missing_packages "${PYTHON_PACKAGES[@]}"
  fi
}

# install_missing PACKAGE...: Python's packages and these; the latter while the caller goes on, until `join`.
install_missing() {
  local for_python for_machine
  command -v dpkg-query >/dev/null || fail "installs packages by apt, which this system does not have"
  mapfile -t for_python < <(python_packages)
  mapfile -t for_machine < <(missing_packages "$@")
  [ ${#for_python[@]} = 0 ] && [ ${#for_machine[@]} = 0 ] && return
  ask_for_rights
  step "lists of packages" apt_get update
  [ ${#for_python[@]} = 0 ] || step "packages ${for_python[*]}" install_packages "${for_python[@]}"
  [ ${#for_machine[@]} = 0 ] || beside "packages ${for_machine[*]}" install_packages "${for_machine[@]}"
}

# --- the machine ----------------------------------------------------------------------------------------------------------------------------

# machine prepare|undo: the provider's own step. -B: root leaves no compiled files among the user's.
machine() {
  as_root "$VENV/bin/python" -B -c '
import sys
from pathlib import Path
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import errors, machine
try:
    getattr(machine, sys.argv[1])(Path("/var/lib/sky-clusters"), print)
except errors.HostError as error:
    sys.exit(str(error))
' "$1"
}

prepare() {
  install_missing "${MACHINE_PACKAGES[@]}"
  beside "environment .venv" environment
  join
  step "machine" machine prepare
}

# --- the cluster ----------------------------------------------------------------------------------------------------------------------------

# Nodes are reached by ssh: somebody who has no key gets one.
make_key() {
  local keys=("$HOME"/.ssh/id_*)
  if [ -e "${keys[0]}" ] || ssh-add -l >/dev/null 2>&1; then
    return
  fi
  install -d -m 700 "$HOME/.ssh"
  ssh-keygen -q -t ed25519 -N '' -C "$KEY_COMMENT" -f "$KEY"
}

remove_key() {
  if [ -e "$KEY.pub" ] && [[ $(cat "$KEY.pub") == *" $KEY_COMMENT" ]]; then
    rm -f "$KEY" "$KEY.pub"
    rmdir --ignore-fail-on-non-empty "$HOME/.ssh"
  fi
}

# The Spark archive, of the version that the role wants, into the user's cache, where the role looks for it. It takes as long as the nodes' image does
# and needs none of what that needs.
fetch_spark() {
  "$VENV/bin/ansible" localhost --inventory localhost, --connection local --extra-vars "ansible_python_interpreter=$VENV/bin/python" \
    --extra-vars @roles/spark/defaults/main.yml --module-name sky.clusters.pip_archive \
    --args 'name=pyspark version={{ spark_version }} sha256={{ spark_sha256 }}'
}

# play FILE PLAYBOOK...: a playbook on the cluster of this file.
play() {
  local file=$1
  shift
  ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_STDOUT_CALLBACK=${ANSIBLE_STDOUT_CALLBACK:-sky.clusters.brief} "$VENV/bin/ansible-playbook" -i "$file" "$@"
}

# --- what to do -----------------------------------------------------------------------------------------------------------------------------

make_cluster() {
  ask_for_rights
  prepare
  make_key
  beside "Spark archive" fetch_spark
  play "$DEMO" sky.clusters.spark_cluster
  join
  say_how_to_go_on
}

make_batch_cluster() {
  ask_for_rights
  prepare
  make_key
  play "$BATCH" sky.clusters.torque_cluster
  say_how_to_go_on
}

say_how_to_go_on() {
  printf '\nIn %s. The commands above work after\n\n    . .venv/bin/activate\n' "$(seconds_since "$BEGAN")"
}

remove_all() {
  ask_for_rights
  if environment_is_whole; then
    play "$DEMO" sky.clusters.destroy -e sky_destroy_data=demo
    [ ! -e /var/lib/sky-clusters/batch ] || play "$BATCH" sky.clusters.destroy -e sky_destroy_data=batch
    step "machine" machine undo
  fi
  [ ! -e "$NOTES/packages" ] || step "packages" remove_packages
  remove_key
  rm -rf "$VENV" "$CACHE"
  printf 'The machine is as it was; %s.\n' "$(seconds_since "$BEGAN")"
}

case "${1:-}" in
  "") make_cluster ;;
  torque) make_batch_cluster ;;
  --host)
    ask_for_rights
    prepare
    ;;
  --undo-host)
    ask_for_rights
    step "machine" machine undo
    ;;
  --dev)
    install_missing
    step "environment .venv, for development" environment dev
    ;;
  --remove) remove_all ;;
  -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
