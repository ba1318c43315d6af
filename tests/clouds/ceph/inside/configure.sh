#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes a Ceph of an empty container: a monitor, a manager, three OSDs, a metadata server and a gateway with TLS. Then all of it starts by itself.
#
#     configure.sh ADDRESS
set -euo pipefail
address=$1
work=$(mktemp -d -p /root) # not in /tmp, which the system empties while it starts
caps=(--cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *')

fsid=$(cat /proc/sys/kernel/random/uuid)
cat > /etc/ceph/ceph.conf <<CONF
[global]
fsid = $fsid
mon host = [v2:$address:3300,v1:$address:6789]
mon initial members = a
public network = ${address%.*}.0/24
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
mon allow pool delete = true
mon data avail warn = 1
mon warn on pool no redundancy = false
osd crush chooseleaf type = 0
osd pool default size = 2
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
bluestore block create = true
bluestore block size = 21474836480
bluestore cache autotune = false
bluestore cache size = 134217728
osd memory target = 939524096

[client.rgw.a]
rgw frontends = beast port=7480 ssl_port=7443 ssl_certificate=/etc/ceph/rgw.pem
log file = /var/log/ceph/rgw.log
CONF
# Each daemon of a container has the process numbers of the one that it follows, and peers would take it for that one
echo CEPH_USE_RANDOM_NONCE=1 >> /etc/default/ceph

# A unit of this container cannot have a /dev of its own
for unit in ceph-mgr@ ceph-mds@ ceph-radosgw@; do
  mkdir -p "/etc/systemd/system/$unit.service.d"
  printf '[Service]\nPrivateDevices=no\n' > "/etc/systemd/system/$unit.service.d/container.conf"
done
systemctl daemon-reload

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=sky test Ceph" \
  -keyout "$work/ca.key" -out /etc/ceph/ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$address" -keyout "$work/rgw.key" -out "$work/rgw.csr" 2>/dev/null
openssl x509 -req -in "$work/rgw.csr" -CA /etc/ceph/ca.pem -CAkey "$work/ca.key" -CAcreateserial -days 30 -out "$work/rgw.crt" \
  -extfile <(echo "subjectAltName=IP:$address") 2>/dev/null
cat "$work/rgw.crt" "$work/rgw.key" > /etc/ceph/rgw.pem

ceph-authtool --create-keyring "$work/mon.keyring" --gen-key -n mon. --cap mon 'allow *' > /dev/null
ceph-authtool --create-keyring /etc/ceph/ceph.client.admin.keyring --gen-key -n client.admin "${caps[@]}" > /dev/null
ceph-authtool "$work/mon.keyring" --import-keyring /etc/ceph/ceph.client.admin.keyring > /dev/null
monmaptool --create --fsid "$fsid" --addv a "[v2:$address:3300,v1:$address:6789]" "$work/monmap" > /dev/null
mkdir -p /var/lib/ceph/{mon/ceph-a,mgr/ceph-a,mds/ceph-a,osd,radosgw/ceph-rgw.a}
ceph-mon --mkfs -i a --monmap "$work/monmap" --keyring "$work/mon.keyring"
chown -R ceph:ceph /var/lib/ceph /etc/ceph
run() { systemctl enable --quiet --now "$@"; }
run ceph-mon@a

ceph auth get-or-create mgr.a mon 'allow profile mgr' osd 'allow *' mds 'allow *' -o /var/lib/ceph/mgr/ceph-a/keyring
ceph auth get-or-create mds.a mon 'profile mds' osd 'allow *' mds 'allow' mgr 'profile mds' -o /var/lib/ceph/mds/ceph-a/keyring
ceph auth get-or-create client.rgw.a mon 'allow rw' osd 'allow rwx' -o /var/lib/ceph/radosgw/ceph-rgw.a/keyring
chown -R ceph:ceph /var/lib/ceph
run ceph-mgr@a

for id in 0 1 2; do
  uuid=$(cat /proc/sys/kernel/random/uuid)
  secret=$(ceph-authtool --gen-print-key)
  echo "{\"cephx_secret\": \"$secret\"}" | ceph osd new "$uuid" "$id" -i - > /dev/null
  mkdir "/var/lib/ceph/osd/ceph-$id"
  ceph-authtool --create-keyring "/var/lib/ceph/osd/ceph-$id/keyring" --name "osd.$id" --add-key "$secret" > /dev/null
  ceph-osd -i "$id" --mkfs --osd-uuid "$uuid" 2> /dev/null
  chown -R ceph:ceph "/var/lib/ceph/osd/ceph-$id"
  run "ceph-osd@$id"
done

for pool in cephfs_data cephfs_metadata volumes; do
  ceph osd pool create "$pool" 8 > /dev/null 2>&1
done
ceph fs new shared cephfs_metadata cephfs_data > /dev/null 2>&1
rbd pool init volumes
run ceph-mds@a ceph-radosgw@rgw.a
rm -rf "$work"
