#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Before anything else starts in the cloud: systemd wants cpu and cpuacct as one hierarchy; where the machine has them apart, both are missing in
# here, and libvirt needs them. And the devices that libvirt and nova use.
set -eu
if [ -d /sys/fs/cgroup/memory ]; then
  mount -o remount,rw /sys/fs/cgroup
  for controller in cpu cpuacct; do
    mountpoint -q "/sys/fs/cgroup/$controller" && continue
    rm -f "/sys/fs/cgroup/$controller"
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
  [ ! -d /sys/fs/cgroup/cpu,cpuacct ] || rmdir /sys/fs/cgroup/cpu,cpuacct 2>/dev/null || true
  mount -o remount,ro /sys/fs/cgroup
fi
for number in $(seq 0 255); do
  [ -e "/dev/loop$number" ] || mknod "/dev/loop$number" b 7 "$number"
done
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
[ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200
