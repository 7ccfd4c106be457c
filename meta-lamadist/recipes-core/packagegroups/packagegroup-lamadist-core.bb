# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What every node has"
DESCRIPTION = "Boot, the system's own services, updates and the agent."
HOMEPAGE = "https://lamadist.invalid/"

# Some of it belongs to a machine: the packages of a group are looked up for each.
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit features_check packagegroup

REQUIRED_DISTRO_FEATURES = "polkit rauc systemd tpm2"

RDEPENDS:${PN} = " \
    ca-certificates \
    chrony \
    kernel-modules \
    lamadist-agent \
    lamadist-boot-guard \
    lamadist-etc-overlay \
    lamadist-repart \
    lamadist-watchdog \
    lvm2 \
    nftables \
    openssh \
    packagegroup-core-boot \
    rauc \
    rauc-service \
    systemd-analyze \
    systemd-crypt \
    systemd-extra-utils \
    virtual-rauc-conf \
"

RDEPENDS:${PN} += "${@'lamadist-encrypted-root' if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else ''}"
# Boot entries are the firmware's, where a machine has UEFI of its own.
RDEPENDS:${PN}:append:x86-64 = " efibootmgr lamadist-boot-entries"
# Microcode is part of what must be patched.
RRECOMMENDS:${PN}:append:genericx86-64 = " intel-microcode"
RDEPENDS:${PN}:append:rockchip = " libubootenv-bin"
