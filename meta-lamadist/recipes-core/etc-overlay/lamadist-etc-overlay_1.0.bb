# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The node's data, and its configuration over the image's"
DESCRIPTION = "Mounts the data partition and an overlay over /etc in the initramfs; both stay when the root is switched."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://label-data file://lamadist-etc-overlay.service file://sysroot-etc.mount file://sysroot-var.mount"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "systemd"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    for unit in lamadist-etc-overlay.service sysroot-etc.mount sysroot-var.mount; do
        install -D -m 0644 ${WORKDIR}/$unit ${D}${systemd_system_unitdir}/$unit
    done
    # Enabled by hand: these are units of the initramfs, which systemctl preset would not reach.
    install -d ${D}${systemd_system_unitdir}/initrd-fs.target.requires
    for mount in sysroot-etc.mount sysroot-var.mount; do
        ln -s ../$mount ${D}${systemd_system_unitdir}/initrd-fs.target.requires/$mount
    done
    install -d ${D}${localstatedir}
    # Run in the root that the initramfs has mounted.
    install -D -m 0755 ${WORKDIR}/label-data ${D}${libexecdir}/lamadist/label-data
}

PACKAGES = "${PN}-initramfs ${PN}"
FILES:${PN}-initramfs = "${systemd_system_unitdir}"
FILES:${PN} = "${libexecdir}/lamadist ${localstatedir}"
RDEPENDS:${PN} = "policycoreutils-setfiles"
RDEPENDS:${PN}-initramfs = "systemd util-linux-mount"
