# SPDX-License-Identifier: Apache-2.0
SUMMARY = "k3s, hardened before its first start"
DESCRIPTION = "SELinux, Pod Security, a network policy, an audit log and encrypted secrets, on by default."
HOMEPAGE = "https://lamadist.invalid/"
SECTION = "admin"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = " \
    file://90-k3s.conf \
    file://agent.yaml \
    file://audit-policy.yaml \
    file://config.yaml \
    file://k3s-agent-lamadist.conf \
    file://k3s-lamadist.conf \
    file://network-policy.yaml \
    file://pod-security.yaml \
"

S = "${WORKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch features_check

REQUIRED_DISTRO_FEATURES = "k3s systemd virtualization"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    for file in agent.yaml audit-policy.yaml config.yaml pod-security.yaml; do
        install -D -m 0600 ${WORKDIR}/$file ${D}${sysconfdir}/rancher/k3s/$file
    done
    install -D -m 0644 ${WORKDIR}/k3s-agent-lamadist.conf ${D}${systemd_system_unitdir}/k3s-agent.service.d/lamadist.conf
    install -D -m 0644 ${WORKDIR}/network-policy.yaml ${D}${datadir}/lamadist/network-policy.yaml
    install -D -m 0644 ${WORKDIR}/90-k3s.conf ${D}${nonarch_libdir}/sysctl.d/90-k3s.conf
    install -D -m 0644 ${WORKDIR}/k3s-lamadist.conf ${D}${nonarch_libdir}/tmpfiles.d/k3s-lamadist.conf
}

FILES:${PN} += "${datadir}/lamadist ${nonarch_libdir}/sysctl.d ${nonarch_libdir}/tmpfiles.d ${systemd_system_unitdir}"
RDEPENDS:${PN} = "k3s"
