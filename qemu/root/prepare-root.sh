#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes, from Debian packages, the folder TARGET with two roots in it:
#   tools/  a whole root, in which image, bundle and TPM tools run by chroot
#   base/   the same files (hard links) less what an appliance does not carry: every slot image starts from it
# usage: prepare-root.sh TARGET SUITE MIRROR KEYRING APT_CONFIGURATION PACKAGE,PACKAGE…
# The caller holds the lock on TARGET and runs this in a mount namespace of its own.
set -eu
target=$1 suite=$2 mirror=$3 keyring=$4 apt_configuration=$5 packages=$6
umask 022

[ ! -d "$target" ] || exit 0
rm -rf --one-file-system "$target.tmp"
mkdir -p "$target.tmp"
trap 'rm -rf --one-file-system "$target.tmp"' EXIT

mmdebstrap --quiet --variant=minbase --keyring="$keyring" --aptopt="$apt_configuration" --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/nodejs/corepack/*' \
  "$suite" "$target.tmp/tools" "$mirror"

cp -al "$target.tmp/tools" "$target.tmp/base"
cd "$target.tmp/base"
rm -rf dev/* run/* tmp/* var/* root/.[!.]* boot
rm -rf usr/bin/apt* usr/bin/dpkg* usr/bin/perl* usr/bin/sqv usr/bin/localedef
rm -rf usr/lib/apt usr/lib/dpkg usr/lib/init usr/lib/udev/hwdb.bin usr/lib/udev/hwdb.d
rm -rf usr/lib/*-linux-gnu/perl* usr/lib/*-linux-gnu/gconv usr/lib/*-linux-gnu/libapt*
rm -rf usr/share/bash-completion usr/share/bug usr/share/debconf usr/share/dpkg usr/share/gcc usr/share/keyrings \
  usr/share/lintian usr/share/perl5 usr/share/pixmaps usr/share/zoneinfo/right usr/share/zsh
rm -rf etc/apt etc/cron.* etc/dpkg etc/fstab etc/hostname etc/init.d etc/machine-id etc/perl etc/rc*.d
# Debian's timers and log-in prompts belong to a computer that somebody sits at.
rm -rf etc/systemd/system/*.wants usr/lib/systemd/system/*.wants/getty.target
rm -f usr/lib/systemd/system/apt-daily* usr/lib/systemd/system/dpkg-db-backup* usr/lib/systemd/system/e2scrub* \
  usr/lib/systemd/system/*.wants/e2scrub* usr/lib/systemd/system-generators/systemd-getty-generator
# An image is complete when it is built: nothing of it is worked out again on the node.
rm -f usr/lib/systemd/system/sysinit.target.wants/ldconfig.service \
  usr/lib/systemd/system/sysinit.target.wants/systemd-hwdb-update.service \
  usr/lib/systemd/system/sysinit.target.wants/systemd-journal-catalog-update.service \
  usr/lib/systemd/system/sysinit.target.wants/systemd-sysusers.service \
  usr/lib/systemd/system/sysinit.target.wants/systemd-update-done.service
ln -s /usr/lib/systemd/system/multi-user.target etc/systemd/system/default.target

mv "$target.tmp" "$target"
