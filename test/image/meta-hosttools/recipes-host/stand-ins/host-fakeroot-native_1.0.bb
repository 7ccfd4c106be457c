# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The build host's own pseudo, where a recipe wants one that was built"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

PROVIDES = "virtual/fakeroot-native"
INHIBIT_DEFAULT_DEPS = "1"

inherit native nopackages

deltask do_fetch
deltask do_unpack
deltask do_patch
deltask do_populate_lic
do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${datadir}
}
