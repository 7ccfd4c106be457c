# SPDX-License-Identifier: Apache-2.0
SUMMARY = "A boot that hangs or fails ends by itself"
DESCRIPTION = "A deadline for the initramfs, a restart when it cannot go on, and, with UEFI, a count of boots that leads to the other slot."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = " \
    file://boot-attempts \
    file://deadline.conf \
    file://lamadist-boot-attempts.service \
    file://lamadist-boot-succeeded.service \
    file://lamadist-root-scrub.service \
    file://restart.conf \
"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd"
SYSTEMD_SERVICE:${PN} = "lamadist-boot-succeeded.service lamadist-root-scrub.service"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${WORKDIR}/boot-attempts ${D}${libexecdir}/lamadist/boot-attempts
    install -D -m 0644 ${WORKDIR}/lamadist-boot-succeeded.service ${D}${systemd_system_unitdir}/lamadist-boot-succeeded.service
    install -D -m 0644 ${WORKDIR}/lamadist-root-scrub.service ${D}${systemd_system_unitdir}/lamadist-root-scrub.service
    install -D -m 0644 ${WORKDIR}/lamadist-boot-attempts.service ${D}${systemd_system_unitdir}/lamadist-boot-attempts.service
    install -D -m 0644 ${WORKDIR}/deadline.conf ${D}${systemd_system_unitdir}/initrd-root-fs.target.d/lamadist-deadline.conf
    install -D -m 0644 ${WORKDIR}/restart.conf ${D}${systemd_system_unitdir}/emergency.service.d/lamadist-restart.conf
    # Enabled by hand: a unit of the initramfs, which systemctl preset would not reach.
    install -d ${D}${systemd_system_unitdir}/initrd.target.wants
    ln -s ../lamadist-boot-attempts.service ${D}${systemd_system_unitdir}/initrd.target.wants/lamadist-boot-attempts.service
}

# Attempts are counted on one side of the switch to the root, and forgotten on the other.
PACKAGES = "${PN}-both ${PN} ${PN}-initramfs"
FILES:${PN}-both = "${libexecdir}/lamadist"
FILES:${PN} = " \
    ${systemd_system_unitdir}/lamadist-boot-succeeded.service \
    ${systemd_system_unitdir}/lamadist-root-scrub.service \
"
FILES:${PN}-initramfs = "${systemd_system_unitdir}"
RDEPENDS:${PN}-both = "coreutils e2fsprogs systemd"
RDEPENDS:${PN} = "${PN}-both"
RDEPENDS:${PN}-initramfs = "${PN}-both"
