# SPDX-License-Identifier: Apache-2.0
SUMMARY = "UEFI boot entries of a LamaDist machine"
DESCRIPTION = "A fresh disk starts through the removable path; its first boot makes the entries that RAUC then orders."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://boot-entries file://lamadist-boot-entries.service"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd"
SYSTEMD_SERVICE:${PN} = "lamadist-boot-entries.service"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${WORKDIR}/boot-entries ${D}${libexecdir}/lamadist/boot-entries
    install -D -m 0644 ${WORKDIR}/lamadist-boot-entries.service ${D}${systemd_system_unitdir}/lamadist-boot-entries.service
}

FILES:${PN} += "${libexecdir}/lamadist"
RDEPENDS:${PN} = "coreutils efibootmgr"
