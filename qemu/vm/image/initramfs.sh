#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the initramfs: Debian's systemd as dracut collects it, with the units, links and definitions of the layers' own initramfs.
# usage, in the root that the kernel is from: initramfs.sh TREE OUT MODULE…; TREE is copied into it, and the kernel's modules are
# those of every machine and these.
set -eu
tree=$1 out=$2
shift 2
release=$(ls /usr/lib/modules)
library=/usr/lib/$(uname -m)-linux-gnu
TMPDIR=$(mktemp -d)
export TMPDIR

dracut --quiet --force --no-hostonly --no-hostonly-cmdline --kver "$release" --reproducible --no-early-microcode --no-compress \
  --tmpdir "$TMPDIR" \
  --modules "systemd systemd-initrd systemd-udevd systemd-journald systemd-modules-load systemd-veritysetup systemd-pcrphase dm udev-rules tpm2-tss" \
  --drivers "virtio_blk virtio_console virtio_pci dm_mod dm_verity dm_crypt erofs ext4 loop overlay efivarfs nls_ascii nls_cp437 vfat xts algif_skcipher i6300esb qemu_fw_cfg $*" \
  --omit-drivers drm \
  --install "/usr/bin/systemd-cryptsetup /usr/bin/systemd-cryptenroll cryptsetup dmsetup /usr/bin/systemd-repart /usr/lib/systemd/system-generators/systemd-cryptsetup-generator" \
  --install "mke2fs mkfs.ext4 mkdir cat grep sed chattr od rm base64 cp dd head mv readlink tr" \
  --install "$library/cryptsetup/libcryptsetup-token-systemd-tpm2.so $library/libtss2-tcti-device.so.0" \
  --include "$tree" / \
  "$out.raw"
zstd --quiet --force -10 "$out.raw" -o "$out"
rm "$out.raw"
