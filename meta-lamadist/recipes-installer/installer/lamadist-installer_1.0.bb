# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Writes LamaDist to a disk"
DESCRIPTION = "Asks nothing when the kernel's command line names the disk; asks and confirms on the console otherwise."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://lamadist-install file://lamadist-install.service file://lamadist-install.target"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "systemd"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${WORKDIR}/lamadist-install ${D}${libexecdir}/lamadist/install
    for unit in lamadist-install.service lamadist-install.target; do
        install -D -m 0644 ${WORKDIR}/$unit ${D}${systemd_system_unitdir}/$unit
    done
    # What systemd starts in an initramfs when nothing on the command line says otherwise, as with iPXE's; it does not ask for default.target there.
    install -d ${D}${sysconfdir}/systemd/system
    ln -s ${@os.path.relpath(d.getVar('systemd_system_unitdir'), d.getVar('sysconfdir') + '/systemd/system')}/lamadist-install.target \
        ${D}${sysconfdir}/systemd/system/initrd.target
}

FILES:${PN} += "${libexecdir}/lamadist ${systemd_system_unitdir}"
RDEPENDS:${PN} = "coreutils curl systemd util-linux-lsblk util-linux-sfdisk zstd"
