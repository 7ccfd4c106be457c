# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist's initramfs: systemd, from the kernel to a verified root"
DESCRIPTION = "Sets up dm-verity over the slot that the command line names, makes and unlocks the data partition, lays /etc over it."
HOMEPAGE = "https://lamadist.invalid/"
LICENSE = "Apache-2.0"

inherit lamadist-required core-image

PACKAGE_INSTALL = " \
    base-passwd \
    busybox \
    cryptsetup \
    e2fsprogs-mke2fs \
    lamadist-boot-guard-initramfs \
    lamadist-etc-overlay-initramfs \
    lamadist-repart-initramfs \
    lamadist-watchdog \
    os-release \
    systemd \
    systemd-crypt \
    systemd-extra-utils \
    systemd-initramfs \
    util-linux-mount \
"
PACKAGE_INSTALL += "${@'lamadist-encrypted-root-initramfs' if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else ''}"
BAD_RECOMMENDATIONS += "busybox-syslog udev-hwdb"
# What it needs of the kernel is built in (recipes-kernel): a module would have to be found before the root is.
PACKAGE_EXCLUDE = "kernel-image-*"

IMAGE_FSTYPES = "${INITRAMFS_FSTYPES}"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_NAME_SUFFIX = ""
IMAGE_ROOTFS_SIZE = "8192"
IMAGE_ROOTFS_EXTRA_SPACE = "0"
NO_RECOMMENDATIONS = "1"

# Where systemd sees that it is in an initramfs (a link to nothing would not do), and what it then starts.
ROOTFS_POSTPROCESS_COMMAND += "lamadist_initrd_release;"
lamadist_initrd_release() {
    ln -sf ../usr/lib/os-release ${IMAGE_ROOTFS}${sysconfdir}/initrd-release
    ln -sf initrd.target ${IMAGE_ROOTFS}${systemd_system_unitdir}/default.target
}
