# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The build host's own pseudo, where a recipe wants one that was built"
require stand-in.inc

PROVIDES = "virtual/fakeroot-native"

inherit native nopackages

do_install() {
    install -d ${D}${datadir}
}
