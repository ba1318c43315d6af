#!/bin/sh
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# In a host of the test cloud: what udev does on any other, links to volumes by their serial number, the first 20 characters of their identifier.
# A volume is a file behind a loop device here, and the file bears the identifier.
set -eu
links=/dev/disk/by-id
mkdir -p "$links"
while :; do
  for device in /dev/vd[b-z]; do
    [ -b "$device" ] || continue
    number=$(($(stat -c '0x%t' "$device"))):$(($(stat -c '0x%T' "$device")))
    file=$(cat "/sys/dev/block/$number/loop/backing_file" 2>/dev/null) || continue
    ln -sfn "$device" "$links/virtio-$(basename "$file" | cut -c1-20)"
  done
  for link in "$links"/virtio-*; do
    [ -e "$link" ] || rm -f "$link"
  done
  sleep 1
done
