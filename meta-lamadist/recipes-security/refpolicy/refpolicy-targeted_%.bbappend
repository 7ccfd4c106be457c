# SPDX-License-Identifier: Apache-2.0
# Only in LamaDist's own distribution: elsewhere the policy stays as it is.
FILESEXTRAPATHS:prepend:lamadist := "${THISDIR}:"
SRC_URI:append:lamadist = " file://lamadist-system"

do_configure:append:lamadist() {
    install -m 0644 ${WORKDIR}/lamadist-system/lamadist_system.* ${S}/policy/modules/system/
    # The upper layer of /etc holds files of /etc.
    printf '/var/lib/etc/upper /etc\n/var/lib/etc/work /etc\n' >> ${S}/config/file_contexts.subs_dist
}
