# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The build host's own rauc, where a class looks for the one that was built"
require stand-in.inc

inherit native nopackages

do_install() {
    install -d ${D}${bindir}
    printf '#!/bin/sh\nexec /usr/bin/rauc "$@"\n' > ${D}${bindir}/rauc
    chmod 0755 ${D}${bindir}/rauc
}
