#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Switches a node in namespaces on: attaches its disks and becomes the process whose end is the end of this boot.
# usage, in a mount namespace of its own: launch.sh
# Its environment: NODE (the node's folder on the host), CGROUP (its control group), BOOTNAME, BOOT_ID.
#
# Nothing here may outlive this process, however it ends: mounts belong to its mount namespace, loop devices clear
# themselves when their last user is gone, and PID 1 of the node dies with its parent.
set -eu
here=$(dirname "$0")

# Attaches a disk and lets go of it: it stays for as long as the descriptor below (or a mount) has it open.
attach() {
  losetup --find --show "$NODE/$1"
}
LOOP_A=$(attach slot-a.img)
exec 7<"$LOOP_A"
losetup --detach "$LOOP_A"
LOOP_B=$(attach slot-b.img)
exec 8<"$LOOP_B"
losetup --detach "$LOOP_B"
LOOP_VAR=$(attach var.img)
exec 9<"$LOOP_VAR"
losetup --detach "$LOOP_VAR"
CONSOLE=$(tty)
export LOOP_A LOOP_B LOOP_VAR CONSOLE

# A mount of our own shows the whole cgroup2 tree on every kind of host, and in a chroot without /sys/fs/cgroup.
mount -t cgroup2 cgroup2 "$NODE/cgroup"
mkdir -p "$NODE/cgroup/$CGROUP/node"

# PID 1 enters a group of its own before the namespace of groups is made, so that group is the root it sees.
# shellcheck disable=SC2016 # the inner shell expands it
exec setpriv --pdeathsig KILL \
  unshare --pid --ipc --uts --fork --kill-child \
  sh -euc 'echo 0 >"$NODE/cgroup/$CGROUP/node/cgroup.procs"; exec unshare --cgroup sh "$1" 7<&- 8<&- 9<&-' - "$here/boot.sh"
