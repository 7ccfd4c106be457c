# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The data partition: made at the first boot, unlocked at every other"
DESCRIPTION = "systemd-repart's definition, the unit that runs it in the initramfs, and the crypttab that opens what it made."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://crypttab file://encrypted.conf file://in-initramfs.conf file://lamadist-repart.service file://make-data file://repart.d"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

# Whether the data is encrypted is the machine's to say.
LAMADIST_DATA_ENCRYPTION ?= "tpm2"
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit features_check

REQUIRED_DISTRO_FEATURES = "systemd tpm2"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${nonarch_libdir}/repart.d
    install -m 0644 ${WORKDIR}/repart.d/*.conf ${D}${nonarch_libdir}/repart.d
    if [ "${LAMADIST_DATA_ENCRYPTION}" = tpm2 ]; then
        install -D -m 0644 ${WORKDIR}/crypttab ${D}${sysconfdir}/crypttab
        install -D -m 0644 ${WORKDIR}/encrypted.conf ${D}${systemd_system_unitdir}/sysroot-var.mount.d/encrypted.conf
    else
        sed -i '/^Encrypt=/d' ${D}${nonarch_libdir}/repart.d/50-var.conf
    fi
    install -D -m 0644 ${WORKDIR}/lamadist-repart.service ${D}${systemd_system_unitdir}/lamadist-repart.service
    install -D -m 0755 ${WORKDIR}/make-data ${D}${libexecdir}/lamadist/make-data
    install -D -m 0644 ${WORKDIR}/in-initramfs.conf ${D}${systemd_system_unitdir}/systemd-repart.service.d/lamadist.conf
    # Enabled by hand: a unit of the initramfs, which systemctl preset would not reach.
    install -d ${D}${systemd_system_unitdir}/initrd-root-fs.target.wants
    ln -s ../lamadist-repart.service ${D}${systemd_system_unitdir}/initrd-root-fs.target.wants/lamadist-repart.service
}

# A factory reset reads the definitions in the running system; the rest is the initramfs's.
PACKAGES = "${PN}-initramfs ${PN}"
FILES:${PN}-initramfs = " \
    ${libexecdir}/lamadist/make-data \
    ${sysconfdir}/crypttab \
    ${systemd_system_unitdir}/initrd-root-fs.target.wants \
    ${systemd_system_unitdir}/lamadist-repart.service \
    ${systemd_system_unitdir}/sysroot-var.mount.d \
"
FILES:${PN} = "${nonarch_libdir}/repart.d ${systemd_system_unitdir}/systemd-repart.service.d"
RDEPENDS:${PN}-initramfs = "cryptsetup e2fsprogs-mke2fs lamadist-repart systemd"
