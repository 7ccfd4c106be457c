#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command of the prepared root on a folder of the host, which it sees as /mnt (its working directory).
# usage, in a mount namespace of its own: in-root.sh ROOT FOLDER COMMAND…
set -eu
root=$1 folder=$2
shift 2
mount --bind "$root" "$root"
# The cached root stays as it was made, whatever runs in it.
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind "$folder" "$root/mnt"
exec chroot "$root" /bin/sh -c 'cd /mnt; exec "$@"' in-root "$@"
