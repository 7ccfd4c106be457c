# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Debian's rauc, where a class looks for the one that was built"
require stand-in.inc

inherit native nopackages

do_install() {
    install -d ${D}${bindir}
    printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/rauc "$@"\n' ${HOST_PARTS}/rauc ${HOST_PARTS}/rauc ${HOST_PARTS}/rauc > ${D}${bindir}/rauc
    chmod 0755 ${D}${bindir}/rauc
}
