# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist's command for administrators"
DESCRIPTION = "Speaks to one LamaDist node or to a thousand: states, updates, health, history, attestation and rollouts."
SECTION = "admin"

require recipes-lamadist/lamadist-bundle.inc

SRC_URI += "file://run-ptest"

inherit ptest

do_install() {
    install -D -m 0755 ${FETCHED}/lamactl.js ${D}${bindir}/lamactl
}

RDEPENDS:${PN} = "nodejs"
RDEPENDS:${PN}:class-native = "nodejs-native"
# No layer makes a Node.js for an SDK: there lamactl runs on the host's, of version 20 or later.
RDEPENDS:${PN}:class-nativesdk = ""
INSANE_SKIP:${PN}:class-nativesdk = "file-rdeps"

BBCLASSEXTEND = "native nativesdk"
