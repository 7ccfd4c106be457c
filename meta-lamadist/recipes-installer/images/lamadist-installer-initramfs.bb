# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist's installer: the whole of it, in memory"
DESCRIPTION = "systemd, the network and the tools that write a disk."
HOMEPAGE = "https://lamadist.invalid/"

require recipes-core/initramfs/lamadist-initramfs.bb

PACKAGE_INSTALL = "base-passwd bash ca-certificates gawk grep kernel-modules lamadist-installer sed systemd systemd-initramfs util-linux-mount"

lamadist_initrd_release:append() {
    ln -sf lamadist-install.target ${IMAGE_ROOTFS}${systemd_system_unitdir}/default.target
}
