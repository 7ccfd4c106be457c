# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Hardware that restarts a node which hangs"
DESCRIPTION = "Has systemd feed the watchdog from the initramfs on, and set it for the time of a shutdown."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://watchdog.conf"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "systemd"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0644 ${WORKDIR}/watchdog.conf ${D}${systemd_unitdir}/system.conf.d/50-lamadist-watchdog.conf
}

FILES:${PN} = "${systemd_unitdir}/system.conf.d"
RDEPENDS:${PN} = "systemd"
