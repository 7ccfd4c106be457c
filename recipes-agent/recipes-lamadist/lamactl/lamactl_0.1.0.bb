# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist's command for administrators"
DESCRIPTION = "Speaks to one LamaDist node or to a thousand: states, updates, health, history, attestation and rollouts."
SECTION = "admin"

require recipes-lamadist/lamadist-bundle.inc

# Its manual pages and completion: a folder beside it, or the archive of a release; lamactl wrote them itself.
LAMADIST_SHARE_URI ?= "${@'file://share' if d.getVar('LAMADIST_BUNDLE_FOLDER') else ''}"
SRC_URI += "${LAMADIST_SHARE_URI} file://run-ptest"

inherit ptest

do_install() {
    install -D -m 0755 ${FETCHED}/lamactl.js ${D}${bindir}/lamactl
    if [ -d ${FETCHED}/share ]; then
        install -d ${D}${datadir}
        cp -R --no-dereference --preserve=mode,links ${FETCHED}/share/. ${D}${datadir}
    fi
}

# The shells' own packages make the folders that their completion is looked for in.
PACKAGES =+ "${PN}-bash-completion ${PN}-fish-completion ${PN}-zsh-completion"
FILES:${PN}-bash-completion = "${datadir}/bash-completion"
FILES:${PN}-fish-completion = "${datadir}/fish"
FILES:${PN}-zsh-completion = "${datadir}/zsh"

RDEPENDS:${PN} = "nodejs"
RDEPENDS:${PN}:class-native = "nodejs-native"
# No layer makes a Node.js for an SDK: there lamactl runs on the host's, of version 20 or later.
RDEPENDS:${PN}:class-nativesdk = ""
INSANE_SKIP:${PN}:class-nativesdk = "file-rdeps"

BBCLASSEXTEND = "native nativesdk"
