# SPDX-License-Identifier: Apache-2.0
SUMMARY = "dm-integrity below the file system of the data partition"
DESCRIPTION = "For disks that are not trusted to give back what they were given. Part of the initramfs of kas/extras/overlay-root."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://data-integrity file://integrity.conf file://lamadist-data-integrity.service"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "systemd"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${WORKDIR}/data-integrity ${D}${libexecdir}/lamadist/data-integrity
    install -D -m 0644 ${WORKDIR}/lamadist-data-integrity.service ${D}${systemd_system_unitdir}/lamadist-data-integrity.service
    install -D -m 0644 ${WORKDIR}/integrity.conf ${D}${systemd_system_unitdir}/sysroot-var.mount.d/integrity.conf
}

FILES:${PN} += "${libexecdir}/lamadist ${systemd_system_unitdir}"
RDEPENDS:${PN} = "cryptsetup e2fsprogs-dumpe2fs e2fsprogs-mke2fs grep lamadist-etc-overlay-initramfs lamadist-repart-initramfs"
