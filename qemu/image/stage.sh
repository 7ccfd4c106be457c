#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a slot image: the base root, a tree of files over it, users and units set up, packed as EROFS.
# usage, in a mount namespace of its own: stage.sh TOOLS LAYERS IMAGE UNITS [PATH TO LEAVE OUT…]
# TOOLS is the root whose tools are used; LAYERS are trees by colons, an earlier one over a later one. Nothing in any of
# them is written to. UNITS is one word, by commas.
set -eu
tools=$1 layers=$2 image=$3 units=$4
shift 4

mount --bind "$tools" "$tools"
mount -o remount,bind,ro "$tools"
mount -t tmpfs tmpfs "$tools/mnt"
mkdir "$tools/mnt/upper" "$tools/mnt/work" "$tools/mnt/image" "$tools/mnt/out"
mount --bind "$(dirname "$image")" "$tools/mnt/out"
mount -t overlay -o "lowerdir=$layers,upperdir=$tools/mnt/upper,workdir=$tools/mnt/work" overlay "$tools/mnt/image"

chroot "$tools" systemd-sysusers --root=/mnt/image
# shellcheck disable=SC2046 # one word a unit
chroot "$tools" systemctl --quiet --root=/mnt/image enable $(echo "$units" | tr , ' ')
for path in "$@"; do rm -rf "$tools/mnt/image/${path#/}"; done

# An image with a policy of SELinux is labelled by it.
contexts=etc/selinux/default/contexts/files/file_contexts
labels=
if [ -f "$tools/mnt/image/$contexts" ]; then labels=--file-contexts=/mnt/image/$contexts; fi

# lz4 in clusters of 64 KiB is no slower to pack than no compression, and halves what RAUC writes. Times and the UUID are
# fixed, so the same files give the same image.
chroot "$tools" mkfs.erofs --quiet -zlz4 -C65536 -T0 --all-time -U 6c616d61-6469-4074-8000-000000000000 ${labels:+"$labels"} \
  "/mnt/out/$(basename "$image")" /mnt/image
