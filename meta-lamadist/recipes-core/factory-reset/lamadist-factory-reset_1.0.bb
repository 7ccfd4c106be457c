# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Makes the data partition anew when it is asked to"
DESCRIPTION = "systemctl start factory-reset.target, as root, restarts the node without any of its data."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://factory-reset file://lamadist-factory-reset.service"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd"
SYSTEMD_SERVICE:${PN} = "lamadist-factory-reset.service"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${WORKDIR}/factory-reset ${D}${libexecdir}/lamadist/factory-reset
    install -D -m 0644 ${WORKDIR}/lamadist-factory-reset.service ${D}${systemd_system_unitdir}/lamadist-factory-reset.service
}

FILES:${PN} += "${libexecdir}/lamadist"
RDEPENDS:${PN} = "e2fsprogs lamadist-repart systemd-extra-utils"
