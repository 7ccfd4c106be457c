#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a disk's EFI system partition with the least that boots: the node's kernel, and an initramfs of a shell.
# usage, in the tools' root: bare-initramfs.sh FOLDER SIZE_MIB COMMAND-LINE; FOLDER holds busybox, vmlinuz and keys/, and gets
# esp.img.
set -eu
cd "$1"
mkdir -p tree/bin tree/dev tree/proc
cp busybox tree/bin/busybox
cat >tree/init <<'END'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
read -r uptime rest </proc/uptime
echo "The bare shell is there after $uptime s" >/dev/console
exec /bin/busybox sh </dev/console >/dev/console 2>&1
END
chmod 755 tree/init tree/bin/busybox
(cd tree && find . | cpio --quiet --create --format=newc) | zstd --quiet -10 >bare.zst
ukify build --efi-arch=x64 --linux=vmlinuz --initrd=bare.zst "--cmdline=$3" --signtool=sbsign \
  --secureboot-private-key=keys/secure-boot.key --secureboot-certificate=keys/secure-boot.crt --output=bare.efi >/dev/null
truncate -s "$2M" esp.img
mkfs.vfat -F 32 esp.img >/dev/null
mmd -i esp.img ::/EFI ::/EFI/BOOT
mcopy -i esp.img bare.efi ::/EFI/BOOT/BOOTX64.EFI
# A node's disk has them, too.
truncate -s 1M rootfs.img verity.img
