# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist agent"
DESCRIPTION = "The daemon of a LamaDist node: installs updates through RAUC, tries the new slot, commits it when it proved \
itself healthy, goes back by itself when it did not, and attests the node's state with its TPM."
SECTION = "admin"

require recipes-lamadist/lamadist-bundle.inc

SRC_URI += "\
    file://dbus \
    file://dnssd \
    file://health.d \
    file://libexec \
    file://polkit \
    file://run-ptest \
    file://selinux \
    file://systemd \
    file://sysusers \
    file://tmpfiles \
    file://udev \
"

inherit allarch features_check ptest systemd useradd

REQUIRED_DISTRO_FEATURES = "systemd polkit"

SYSTEMD_SERVICE:${PN} = " \
    lamadist-agent.service \
    lamadist-commit-deadline.service \
    lamadist-commit-deadline.timer \
    lamadist-fingerprint.path \
    lamadist-gate.service \
    lamadist-trial.service \
"

# The same number as in sysusers/, which makes the user where none of this is read.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system --gid 874 lamadist-agent"
USERADD_PARAM:${PN} = "--system --uid 874 --gid lamadist-agent --no-create-home --home-dir ${localstatedir}/lib/lamadist-agent \
    --shell ${base_sbindir}/nologin --comment 'LamaDist agent' lamadist-agent"

# Where the policy has the domain that it names.
SELINUX_DROP_IN = "${@bb.utils.contains('DISTRO_FEATURES', 'lamadist-agent selinux', '1', '', d)}"

do_install() {
    install -D -m 0644 ${FETCHED}/lamadist-agent.js ${D}${nonarch_libdir}/lamadist-agent/lamadist-agent.js

    install -d ${D}${nonarch_libdir}/lamadist-agent/health.d ${D}${libexecdir}/lamadist-agent ${D}${systemd_system_unitdir} \
        ${D}${systemd_system_unitdir}/rauc.service.d ${D}${systemd_unitdir}/dnssd ${D}${systemd_unitdir}/journald.conf.d ${D}${sysconfdir}/dbus-1/system.d ${D}${datadir}/polkit-1/rules.d \
        ${D}${nonarch_libdir}/sysusers.d ${D}${nonarch_libdir}/tmpfiles.d ${D}${nonarch_base_libdir}/udev/rules.d ${D}${sysconfdir}/lamadist-agent
    install -m 0644 ${FETCHED}/health.d/*.yaml ${D}${nonarch_libdir}/lamadist-agent/health.d
    install -m 0755 ${FETCHED}/libexec/* ${D}${libexecdir}/lamadist-agent
    install -m 0644 ${FETCHED}/systemd/*.path ${FETCHED}/systemd/*.service ${FETCHED}/systemd/*.timer ${D}${systemd_system_unitdir}
    install -m 0644 ${FETCHED}/systemd/rauc-*.conf ${D}${systemd_system_unitdir}/rauc.service.d
    install -m 0644 ${FETCHED}/systemd/journald-*.conf ${D}${systemd_unitdir}/journald.conf.d
    install -m 0644 ${FETCHED}/dnssd/*.dnssd ${D}${systemd_unitdir}/dnssd
    install -m 0644 ${FETCHED}/dbus/*.conf ${D}${sysconfdir}/dbus-1/system.d
    install -m 0644 ${FETCHED}/polkit/*.rules ${D}${datadir}/polkit-1/rules.d
    install -m 0644 ${FETCHED}/sysusers/*.conf ${D}${nonarch_libdir}/sysusers.d
    install -m 0644 ${FETCHED}/udev/*.rules ${D}${nonarch_base_libdir}/udev/rules.d
    install -m 0644 ${FETCHED}/tmpfiles/*.conf ${D}${nonarch_libdir}/tmpfiles.d

    if [ -n "${SELINUX_DROP_IN}" ]; then
        install -D -m 0644 ${FETCHED}/selinux/domain.conf ${D}${systemd_system_unitdir}/lamadist-agent.service.d/selinux.conf
    fi
}

FILES:${PN} += "\
    ${datadir}/polkit-1/rules.d \
    ${libexecdir}/lamadist-agent \
    ${nonarch_libdir}/lamadist-agent \
    ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d \
    ${nonarch_base_libdir}/udev/rules.d \
    ${systemd_system_unitdir} \
    ${systemd_unitdir}/dnssd \
    ${systemd_unitdir}/journald.conf.d \
"

RDEPENDS:${PN} = "dbus nodejs polkit rauc tpm2-tools util-linux-mount util-linux-umount"
RDEPENDS:${PN}-ptest = "lamadist-agent nodejs systemd-analyze"
# An agent without the group could not speak to the TPM's resource manager.
RRECOMMENDS:${PN} = "tpm2-tss"
# It would commit a slot before anybody looked at its health.
RCONFLICTS:${PN} = "rauc-mark-good"
