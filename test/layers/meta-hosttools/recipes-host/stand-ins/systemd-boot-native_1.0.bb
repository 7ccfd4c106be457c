# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Debian's ukify, run by the build host's Python"
require stand-in.inc

inherit native nopackages

do_install() {
    install -d ${D}${bindir}
    printf '#!/bin/sh\nexec /usr/bin/python3 %s "$@"\n' ${HOST_PARTS}/ukify > ${D}${bindir}/ukify
    chmod 0755 ${D}${bindir}/ukify
}
