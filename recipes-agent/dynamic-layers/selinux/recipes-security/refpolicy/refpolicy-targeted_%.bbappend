# SPDX-License-Identifier: Apache-2.0
FILESEXTRAPATHS:prepend := "${THISDIR}:"
SRC_URI += "file://lamadist-agent"

# A module becomes part of the policy by its three files being there.
do_configure:append() {
    install -m 0644 ${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}/lamadist-agent/lamadist_agent.* ${S}/policy/modules/services/
}
