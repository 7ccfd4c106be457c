# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What IMA measures on a LamaDist node"
DESCRIPTION = "Everything that root runs or reads, but logs, and what is verified already: the root, and bundles."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "file://ima-policy"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

# SELinux: types of its policy stand in this one, and the kernel refuses all of it where it does not know them.
REQUIRED_DISTRO_FEATURES = "systemd ima selinux"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# systemd gives it to the kernel, in the place of the one that the command line names.
do_install() {
    install -D -m 0644 ${WORKDIR}/ima-policy ${D}${sysconfdir}/ima/ima-policy
}

FILES:${PN} = "${sysconfdir}/ima"
