#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# In the cloud, once, when it is built: configure.sh identity, then configure.sh services. README.md says why things are as they are.
# Besides this file: secrets.sh (API_ADDRESS, STATE, RESOLVERS, *_PASSWORD), the drivers and what else is named below.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC1091 # made for each cloud
. "$HERE/secrets.sh"
export LC_ALL=C.UTF-8
PACKAGES=/usr/lib/python3/dist-packages

as() { runuser -u "$1" -- "${@:2}"; }

# background NAME COMMAND...: goes on beside; finish NAME waits for it, and shows what it said if it failed.
declare -A jobs_by_name=()
background() {
  local name=$1
  shift
  (set -e; "$@") >"/tmp/$name.log" 2>&1 &
  jobs_by_name[$name]=$!
}
finish() {
  local name
  for name in "$@"; do
    wait "${jobs_by_name[$name]}" || {
      tail -n 20 "/tmp/$name.log" >&2
      echo "$name: failed" >&2
      exit 1
    }
  done
}

# --- parts of configuration files -------------------------------------------------------------------------------------------------------------

# One thread in each privileged daemon: eventlet's locks know no threads, so one of two may wait for ever, and a network is without DHCP for minutes.
privsep() { printf '[%s]\nthread_pool_size = 1\n' "$@"; }

database() {
  cat <<E
connection = mysql+pymysql://os:$DATABASE_PASSWORD@127.0.0.1/$1
max_pool_size = 10
max_overflow = 50
E
}

login() {
  cat <<E
auth_type = password
auth_url = http://$API_ADDRESS:5000
project_name = service
project_domain_name = Default
user_domain_name = Default
username = $1
password = $SERVICE_PASSWORD
region_name = RegionOne
E
}

tokens() {
  echo "[keystone_authtoken]"
  login "$1"
  cat <<E
www_authenticate_uri = http://$API_ADDRESS:5000
memcached_servers = 127.0.0.1:11211
service_token_roles = service
service_token_roles_required = true
E
}

caching() {
  cat <<E
[cache]
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = 127.0.0.1:11211
E
}

# workers NAME PROCESSES THREADS: of a service under uwsgi.
# Its plain http socket knows no keep-alive, so clients must be told; and it must read a request's body even if nobody wants it, or who sends one
# to a place that is not there sees 'Connection reset by peer' in place of the answer.
workers() {
  local file
  file=$(echo /etc/*/"$1"-uwsgi.ini)
  sed -i "/^apparmor-profile/d; s/^plugins = .*/plugins = python3/; s/^processes = .*/processes = $2/; s/^threads = .*/threads = $3/" "$file"
  grep -q '^add-header' "$file" || echo 'add-header = Connection: close' >>"$file"
  [ "$1" = glance-api ] || echo 'post-buffering = 65536' >>"$file"
}

# --- what the services stand on ---------------------------------------------------------------------------------------------------------------

configure_base() {
  cat >/etc/mysql/mariadb.conf.d/99-sky.cnf <<E
[mysqld]
bind-address=127.0.0.1
max_connections=4000
skip-log-bin
skip-name-resolve
innodb_flush_log_at_trx_commit=0
innodb_doublewrite=0
innodb_buffer_pool_size=512M
innodb_log_file_size=64M
character-set-server=utf8mb3
collation-server=utf8mb3_general_ci
E
  cat >/etc/rabbitmq/rabbitmq.conf <<E
listeners.tcp.default = 127.0.0.1:5672
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
log.file.level = warning
E
  sed -i 's/^-m .*/-m 256/; s/^-l .*/-l 127.0.0.1/' /etc/memcached.conf
}

make_databases() {
  local name
  for name in keystone glance placement nova nova_api nova_cell0 neutron cinder; do
    echo "CREATE DATABASE $name CHARACTER SET utf8mb3; GRANT ALL ON $name.* TO 'os'@'127.0.0.1' IDENTIFIED BY '$DATABASE_PASSWORD';"
  done | mysql
}

start_queue() {
  systemctl start rabbitmq-server
  rabbitmqctl -q change_password guest "$QUEUE_PASSWORD"
}

# --- keystone, glance, placement --------------------------------------------------------------------------------------------------------------

configure_keystone() {
  # bcrypt's 12 rounds, the default, cost 0.3 s of CPU for each token of each service
  cat >/etc/keystone/keystone.conf <<E
[DEFAULT]
log_file = keystone.log
log_dir = /var/log/keystone
[database]
$(database keystone)
$(caching)
[token]
expiration = 86400
[identity]
password_hash_rounds = 4
[oslo_policy]
policy_dirs = /etc/keystone/policy.d
E
  workers keystone 2 8
}

configure_glance() {
  cat >/etc/glance/glance-api.conf <<E
[DEFAULT]
bind_host = 0.0.0.0
workers = 1
enabled_backends = file:file
[database]
$(database glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = /var/lib/glance/images
[paste_deploy]
flavor = keystone
[oslo_concurrency]
lock_path = /var/lock/glance
$(tokens glance)
E
  workers glance-api 2 4
}

configure_placement() {
  cat >/etc/placement/placement.conf <<E
[DEFAULT]
[api]
auth_strategy = keystone
[placement_database]
$(database placement)
[oslo_policy]
policy_dirs = /etc/placement/policy.d
$(tokens placement)
E
  workers placement-api 1 8
}

# --- nova -------------------------------------------------------------------------------------------------------------------------------------

configure_nova() {
  cat >/etc/nova/nova.conf <<E
[DEFAULT]
my_ip = $API_ADDRESS
host = sky-openstack
transport_url = $QUEUE
state_path = /var/lib/nova
instances_path = $STATE/instances
log_dir = /var/log/nova
enabled_apis = osapi_compute,metadata
allow_resize_to_same_host = true
reserved_host_memory_mb = 0
reserved_host_disk_mb = 0
initial_cpu_allocation_ratio = 64
initial_ram_allocation_ratio = 16
initial_disk_allocation_ratio = 64
# a fake server's ports are bound without an agent, so no event comes for them
vif_plugging_timeout = 30
vif_plugging_is_fatal = false
service_down_time = 180
[api]
auth_strategy = keystone
[api_database]
$(database nova_api)
[database]
$(database nova)
$(caching)
[vnc]
enabled = false
[spice]
enabled = false
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 5
[filter_scheduler]
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter
[quota]
instances = -1
cores = -1
ram = -1
key_pairs = -1
server_groups = -1
server_group_members = -1
metadata_items = 256
[glance]
api_servers = http://$API_ADDRESS:9292
[cinder]
catalog_info = volumev3::publicURL
os_region_name = RegionOne
$(login cinder)
[neutron]
timeout = 120
service_metadata_proxy = true
metadata_proxy_shared_secret = $METADATA_PASSWORD
$(login neutron)
[placement]
$(login placement)
[service_user]
send_service_user_token = true
$(login nova)
[oslo_concurrency]
lock_path = /var/lock/nova
[oslo_policy]
policy_dirs = /etc/nova/policy.d
$(tokens nova)
$(privsep nova_sys_admin privsep_osbrick vif_plug_linux_bridge_privileged)
E
  cat >/etc/nova/nova-compute.conf <<E
[DEFAULT]
host = fake1
compute_driver = skyfake.FakeDriver
max_concurrent_builds = 40
[api_database]
connection =
E
  # libvirt-lxc: two that start at the same time fight for the names of veths
  cat >/etc/nova/nova-compute-real.conf <<E
[DEFAULT]
host = sky-openstack
compute_driver = skylxc.LibvirtDriver
force_raw_images = true
use_cow_images = false
max_concurrent_builds = 1
[api_database]
connection =
[libvirt]
virt_type = lxc
images_type = raw
disk_prefix = vd
inject_partition = -2
device_detach_timeout = 1
E
  cat >/etc/systemd/system/nova-compute-real.service <<E
[Unit]
After=libvirtd.service rabbitmq-server.service
[Service]
User=nova
Group=nova
SupplementaryGroups=libvirt
Type=notify
NotifyAccess=all
RuntimeDirectory=nova lock/nova
RuntimeDirectoryPreserve=yes
WorkingDirectory=/var/lib/nova
ExecStart=/usr/bin/nova-compute --config-file /etc/nova/nova.conf --config-file /etc/nova/nova-compute-real.conf \
  --log-file /var/log/nova/nova-compute-real.log
Restart=on-failure
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
E
  mv /usr/lib/libvirt/libvirt_lxc /usr/lib/libvirt/libvirt_lxc.real
  install -m 755 "$HERE/libvirt_lxc.sh" /usr/lib/libvirt/libvirt_lxc
  install -d -o nova -g nova "$STATE/instances"
  cp "$HERE/skyfake.py" "$HERE/skylxc.py" "$PACKAGES/nova/virt/"
  workers nova-api 2 1
  workers nova-api-metadata 1 1
}

# --- neutron ----------------------------------------------------------------------------------------------------------------------------------

configure_neutron() {
  cat >/etc/neutron/neutron.conf <<E
[DEFAULT]
auth_strategy = keystone
core_plugin = ml2
service_plugins = router
transport_url = $QUEUE
host = sky-openstack
state_path = /var/lib/neutron
interface_driver = linuxbridge
dhcp_agents_per_network = 1
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
rpc_workers = 1
rpc_state_report_workers = 0
api_workers = 1
max_allowed_address_pair = 100
agent_down_time = 150
[agent]
root_helper = sudo neutron-rootwrap /etc/neutron/rootwrap.conf
root_helper_daemon = sudo neutron-rootwrap-daemon /etc/neutron/rootwrap.conf
[experimental]
linuxbridge = true
$(privsep privsep privsep_dhcp_release privsep_namespace privsep_conntrack privsep_link)
[database]
$(database neutron)
[nova]
$(login nova)
[placement]
$(login placement)
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
[oslo_concurrency]
lock_path = /var/lock/neutron
[oslo_policy]
policy_dirs = /etc/neutron/policy.d
$(tokens neutron)
E
  cat >/etc/neutron/plugins/ml2/ml2_conf.ini <<E
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,sky
extension_drivers = port_security
[ml2_type_flat]
flat_networks = external
[ml2_type_vxlan]
vni_ranges = 1:2000
[securitygroup]
enable_security_group = true
enable_ipset = true
E
  cat >/etc/neutron/plugins/ml2/linuxbridge_agent.ini <<E
[linux_bridge]
physical_interface_mappings = external:eth1
[vxlan]
enable_vxlan = true
local_ip = $API_ADDRESS
l2_population = false
[securitygroup]
enable_security_group = true
firewall_driver = iptables
enable_ipset = true
[agent]
polling_interval = 2
E
  cat >/etc/neutron/dhcp_agent.ini <<E
[DEFAULT]
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = true
# whom the servers of networks without name servers of their own ask
dnsmasq_dns_servers = $RESOLVERS
E
  cat >/etc/neutron/l3_agent.ini <<E
[DEFAULT]
interface_driver = linuxbridge
E
  cat >/etc/neutron/metadata_agent.ini <<E
[DEFAULT]
nova_metadata_host = $API_ADDRESS
metadata_proxy_shared_secret = $METADATA_PASSWORD
metadata_workers = 1
E
  # threads must be 1: eventlet's code deadlocks in native threads
  workers neutron-api 3 1
  # It cannot delete rules with '--among' on nft, and the agent then sees no new port for minutes: no protection from forged ARP in this cloud.
  rm -f /usr/sbin/ebtables
  ln -s /bin/true /usr/sbin/ebtables
  cp "$HERE/skymech.py" "$PACKAGES/"
  mkdir -p "$PACKAGES/sky-1.0.dist-info"
  printf 'Metadata-Version: 2.1\nName: sky\nVersion: 1.0\n' >"$PACKAGES/sky-1.0.dist-info/METADATA"
  printf '[neutron.ml2.mechanism_drivers]\nsky = skymech:Driver\n' >"$PACKAGES/sky-1.0.dist-info/entry_points.txt"
  wait_for_neutron
}

# Agents that call the server before it listens lose 60 s to a time-out.
wait_for_neutron() {
  local agent
  cat >/etc/systemd/system/sky-neutron-ready.service <<'E'
[Unit]
After=neutron-rpc-server.service rabbitmq-server.service
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=300
ExecStart=/bin/bash -c 'until rabbitmqctl -q list_queues name consumers 2>/dev/null | grep -qE "^q-reports-plugin[[:space:]]+[1-9]"; do sleep 2; done'
E
  for agent in linuxbridge dhcp l3 metadata; do
    mkdir -p "/etc/systemd/system/neutron-$agent-agent.service.d"
    printf '[Unit]\nWants=sky-neutron-ready.service\nAfter=sky-neutron-ready.service\n' \
      >"/etc/systemd/system/neutron-$agent-agent.service.d/ready.conf"
  done
}

# --- cinder -----------------------------------------------------------------------------------------------------------------------------------

configure_cinder() {
  cat >/etc/cinder/cinder.conf <<E
[DEFAULT]
auth_strategy = keystone
my_ip = $API_ADDRESS
host = sky-openstack
transport_url = $QUEUE
glance_api_servers = http://$API_ADDRESS:9292
enabled_backends = sky
default_volume_type = __DEFAULT__
state_path = /var/lib/cinder
log_dir = /var/log/cinder
quota_volumes = -1
quota_gigabytes = -1
quota_snapshots = -1
[sky]
volume_driver = cinder.volume.drivers.skyloop.LoopDriver
volume_backend_name = sky
sky_folder = $STATE/volumes
[database]
$(database cinder)
[service_user]
send_service_user_token = true
$(login cinder)
[nova]
interface = public
$(login nova)
[oslo_concurrency]
lock_path = /var/lib/cinder/tmp
[oslo_policy]
policy_dirs = /etc/cinder/policy.d
$(tokens cinder)
$(privsep cinder_sys_admin privsep_osbrick)
E
  # losetup without sudo
  mkdir -p /etc/systemd/system/cinder-volume.service.d
  printf '[Service]\nUser=root\nGroup=root\n' >/etc/systemd/system/cinder-volume.service.d/root.conf
  install -d -o cinder -g cinder /var/lib/cinder/tmp
  cp "$HERE/skyloop.py" "$PACKAGES/cinder/volume/drivers/"
  workers cinder-api 2 1
}

# --- schemas ----------------------------------------------------------------------------------------------------------------------------------

sync_keystone() {
  keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
  keystone-manage credential_setup --keystone-user keystone --keystone-group keystone
  chown -R keystone: /var/log/keystone # root's by now, where keystone cannot write
  as keystone keystone-manage db_sync
  OS_BOOTSTRAP_PASSWORD=$ADMIN_PASSWORD as keystone keystone-manage bootstrap --bootstrap-region-id RegionOne \
    --bootstrap-admin-url "http://$API_ADDRESS:5000/v3" --bootstrap-internal-url "http://$API_ADDRESS:5000/v3" \
    --bootstrap-public-url "http://$API_ADDRESS:5000/v3"
}

sync_nova() {
  as nova nova-manage api_db sync
  as nova nova-manage cell_v2 map_cell0 --database_connection "mysql+pymysql://os:$DATABASE_PASSWORD@127.0.0.1/nova_cell0"
  as nova nova-manage db sync
  as nova nova-manage cell_v2 create_cell --name cell1
}

sync_others() {
  as glance glance-manage db_sync
  as placement placement-manage db sync
  as cinder cinder-manage db sync
}

sync_neutron() {
  as neutron neutron-db-manage --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini upgrade head
}

# --- what is done -----------------------------------------------------------------------------------------------------------------------------

# Until keystone answers.
identity() {
  local service
  configure_base
  background queue start_queue
  systemctl start memcached mariadb
  make_databases
  configure_keystone
  configure_glance
  configure_placement
  configure_nova
  configure_neutron
  configure_cinder
  for service in keystone glance placement nova neutron cinder; do
    chgrp -R "$service" "/etc/$service"
    chmod -R g+rX,o-rwx "/etc/$service"
  done
  systemctl daemon-reload
  background keystone sync_keystone
  finish keystone
  systemctl start keystone
  finish queue
}

# What the rest of the building needs, while users and endpoints are made from outside. Agents and volumes come with the first start.
services() {
  background nova sync_nova
  background others sync_others
  background neutron sync_neutron
  finish others
  systemctl start glance-api placement-api
  finish neutron
  systemctl start --no-block neutron-api
  finish nova
  systemctl start libvirtd
  systemctl start --no-block nova-conductor nova-scheduler nova-api nova-compute nova-compute-real
}

# From now on it all starts by itself. What keeps data ends in order; the rest may be killed, which is a matter of half a minute less.
freeze() {
  systemctl -q enable mariadb rabbitmq-server memcached keystone glance-api placement-api nova-api nova-api-metadata nova-conductor nova-scheduler \
    nova-compute nova-compute-real neutron-api neutron-rpc-server neutron-linuxbridge-agent neutron-dhcp-agent neutron-l3-agent \
    neutron-metadata-agent cinder-api cinder-scheduler cinder-volume libvirtd 2>/dev/null
  systemctl stop mariadb rabbitmq-server
  truncate -s 0 /var/log/*/*.log # it is asked of the next start what it says
  rm -f /tmp/*.log
}

QUEUE=rabbit://guest:$QUEUE_PASSWORD@127.0.0.1:5672/
"$1"
