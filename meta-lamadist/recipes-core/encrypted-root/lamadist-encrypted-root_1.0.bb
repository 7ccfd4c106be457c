# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Root slots inside LUKS2"
DESCRIPTION = "Encrypts both slots when the machine first boots, opens them by its TPM in the initramfs, and has RAUC encrypt one anew that did not open."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = " \
    file://device-timeout.conf \
    file://lamadist-open-slot@.service \
    file://lamadist-seal-first-boot.service \
    file://open-slot \
    file://root-slots.conf \
    file://root-slots.rules \
    file://seal-first-boot \
    file://seal-slot \
    file://seal-targets \
"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "systemd tpm2"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    for program in open-slot seal-first-boot seal-slot seal-targets; do
        install -D -m 0755 ${WORKDIR}/$program ${D}${libexecdir}/lamadist/$program
    done
    install -D -m 0644 ${WORKDIR}/device-timeout.conf ${D}${nonarch_libdir}/systemd/system.conf.d/50-lamadist-device-timeout.conf
    install -D -m 0644 ${WORKDIR}/lamadist-seal-first-boot.service ${D}${systemd_system_unitdir}/lamadist-seal-first-boot.service
    install -m 0644 ${WORKDIR}/lamadist-open-slot@.service ${D}${systemd_system_unitdir}/lamadist-open-slot@.service
    # Behind systemd's own.
    install -D -m 0644 ${WORKDIR}/root-slots.rules ${D}${nonarch_base_libdir}/udev/rules.d/99-zz-lamadist-root-slots.rules
    # Enabled by hand: units of the initramfs, which systemctl preset would not reach.
    install -D -m 0644 ${WORKDIR}/root-slots.conf ${D}${systemd_system_unitdir}/initrd-root-fs.target.d/lamadist-root-slots.conf
}

# What encrypts a slot is on both sides.
PACKAGES = "${PN}-initramfs ${PN}-seal ${PN}"
FILES:${PN}-seal = "${libexecdir}/lamadist/seal-slot"
FILES:${PN}-initramfs = " \
    ${libexecdir}/lamadist/open-slot \
    ${libexecdir}/lamadist/seal-first-boot \
    ${nonarch_base_libdir}/udev/rules.d \
    ${nonarch_libdir}/systemd/system.conf.d \
    ${systemd_system_unitdir} \
"
FILES:${PN} = "${libexecdir}/lamadist/seal-targets"
RDEPENDS:${PN}-seal = "coreutils cryptsetup libdevmapper systemd-crypt"
RDEPENDS:${PN}-initramfs = "${PN}-seal"
RDEPENDS:${PN} = "${PN}-seal"
