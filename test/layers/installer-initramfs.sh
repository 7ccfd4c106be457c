#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the installer's initramfs of Debian's systemd as dracut collects it, with the files of the layers' recipe.
# usage, in the tools' root: installer-initramfs.sh TREE OUT; TREE is copied into it.
set -eu
tree=$1 out=$2
# As the recipe does.
mkdir -p "$tree/etc/systemd/system"
ln -s ../../../usr/lib/systemd/system/lamadist-install.target "$tree/etc/systemd/system/initrd.target"
TMPDIR=$(mktemp -d)
export TMPDIR

dracut --quiet --force --no-hostonly --no-hostonly-cmdline --kver "$(ls /usr/lib/modules)" --reproducible --no-early-microcode --no-compress \
  --tmpdir "$TMPDIR" \
  --modules "systemd systemd-initrd systemd-udevd systemd-journald systemd-modules-load udev-rules" \
  --drivers "virtio_blk virtio_pci xhci_pci usb_storage sd_mod nls_ascii nls_cp437 vfat" \
  --omit-drivers drm \
  --install "awk cat dd grep head lsblk mkdir mount readlink sed sfdisk sh sha256sum sleep sync tr zstd" \
  --include "$tree" / \
  "$out.raw"
zstd --quiet --force -10 "$out.raw" -o "$out"
rm "$out.raw"
