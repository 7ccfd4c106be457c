# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The data partition of a Jetson, in its maker's initramfs"
DESCRIPTION = "Makes the data partition at the first boot, mounts it on /var, and the node's own configuration over /etc."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://platform-pre-switchroot"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"
COMPATIBLE_MACHINE = "^orin-nx$"
PACKAGE_ARCH = "${MACHINE_ARCH}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0644 ${WORKDIR}/platform-pre-switchroot ${D}${sysconfdir}/platform-pre-switchroot
}

RDEPENDS:${PN} = "e2fsprogs-dumpe2fs e2fsprogs-mke2fs gptfdisk tegra-minimal-init util-linux-partx"
