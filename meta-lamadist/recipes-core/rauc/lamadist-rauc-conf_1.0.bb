# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What RAUC knows of a LamaDist machine"
DESCRIPTION = "system.conf, made of the part that every machine shares and the machine's own, and the authority that bundles answer to."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "admin"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

# machine.conf comes with the machine, from the boards' layer: a board is data.
SRC_URI = "file://system.conf file://machine.conf file://backend.sh file://keep-addons file://encrypted-root.conf file://nbd.conf"

S = "${WORKDIR}"
PACKAGE_ARCH = "${MACHINE_ARCH}"
INHIBIT_DEFAULT_DEPS = "1"
COMPATIBLE_MACHINE = "^$"

# Whether the root slots are inside LUKS2 is the machine's to say.
LAMADIST_ROOT_ENCRYPTION ?= "off"
LAMADIST_RAUC_ROOT_DEVICE = "${@'/dev/mapper/root-' if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else '/dev/disk/by-partlabel/root-'}"
LAMADIST_ENCRYPTED_ROOT_CONF = "${@'${WORKDIR}/encrypted-root.conf' if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else ''}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[file-checksums] += "${RAUC_KEYRING_FILE}:True"

do_install() {
    if [ ! -f "${RAUC_KEYRING_FILE}" ]; then
        bbfatal "Cannot say which bundles are trusted: RAUC_KEYRING_FILE is \"${RAUC_KEYRING_FILE}\", which is not there; docs/KEYS.md says how keys are made and named"
    fi
    install -d ${D}${sysconfdir}/rauc
    sed -e 's/@COMPATIBLE@/lamadist-${MACHINE}/' -e 's,@ROOT_DEVICE@,${LAMADIST_RAUC_ROOT_DEVICE},' ${WORKDIR}/system.conf ${WORKDIR}/machine.conf ${LAMADIST_ENCRYPTED_ROOT_CONF} > ${D}${sysconfdir}/rauc/system.conf
    chmod 0644 ${D}${sysconfdir}/rauc/system.conf
    install -m 0644 ${RAUC_KEYRING_FILE} ${D}${sysconfdir}/rauc/keyring.pem
    install -D -m 0644 ${WORKDIR}/nbd.conf ${D}${nonarch_libdir}/modules-load.d/lamadist-nbd.conf
    # Only where machine.conf names them: a board with EFI system partitions, and one whose boot loader RAUC does not know.
    if grep -q /usr/libexec/lamadist/keep-addons ${WORKDIR}/machine.conf; then
        install -D -m 0755 ${WORKDIR}/keep-addons ${D}${libexecdir}/lamadist/keep-addons
    fi
    if grep -q /usr/lib/lamadist/boot-loader-backend ${WORKDIR}/machine.conf; then
        install -D -m 0755 ${WORKDIR}/backend.sh ${D}${nonarch_libdir}/lamadist/boot-loader-backend
    fi
}

FILES:${PN} += "${libexecdir}/lamadist ${nonarch_libdir}/lamadist ${nonarch_libdir}/modules-load.d"
RPROVIDES:${PN} = "virtual-rauc-conf"
