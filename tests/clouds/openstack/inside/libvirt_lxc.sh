#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# In place of /usr/lib/libvirt/libvirt_lxc. Without systemd-machined every host would inherit libvirtd's cgroup where systemd has its own, so the
# systemd of one host would kill the services of the next: each gets one of its own. Its systemd then stays there for memory too, where
# libvirt's limit does not reach, so the limit is set here.
name='' before=''
for word in "$@"; do
  [ "$before" = --name ] && name=$word
  before=$word
done
memory=$(sed -n "s|.*<memory unit='KiB'>\([0-9]*\)</memory>.*|\1|p" "/run/libvirt/lxc/$name.xml" 2>/dev/null | head -n 1)
for hierarchy in systemd unified pids memory devices; do
  group=/sys/fs/cgroup/$hierarchy/skyhosts/$name
  [ -d "/sys/fs/cgroup/$hierarchy" ] || continue
  mkdir -p "$group"
  if [ "$hierarchy" = memory ] && [ -n "$memory" ]; then
    echo "${memory}K" >"$group/memory.limit_in_bytes"
  fi
  echo $$ >"$group/cgroup.procs"
done 2>/dev/null
exec /usr/lib/libvirt/libvirt_lxc.real "$@"
