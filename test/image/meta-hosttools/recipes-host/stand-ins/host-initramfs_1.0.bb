# SPDX-License-Identifier: Apache-2.0
SUMMARY = "An initramfs of Debian packages with the layers' units, where an image wants the one that was built"
require stand-in.inc

PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit deploy nopackages

do_install[noexec] = "1"

# The task that an image waits for.
do_image_complete[file-checksums] += "${HOST_PARTS}/initramfs.cpio.zst:True"
do_image_complete() {
    install -D -m 0644 ${HOST_PARTS}/initramfs.cpio.zst ${DEPLOY_DIR_IMAGE}/${PN}-${MACHINE}.${INITRAMFS_FSTYPES}
}
addtask image_complete after do_install before do_build
