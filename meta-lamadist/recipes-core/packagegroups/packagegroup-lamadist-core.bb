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
    lamadist-factory-reset \
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

# What a machine needs beyond its start, such as the firmware of its network card: OpenEmbedded's own group for it has more.
MACHINE_EXTRA_RDEPENDS ?= ""
MACHINE_EXTRA_RRECOMMENDS ?= ""
RDEPENDS:${PN} += "${MACHINE_EXTRA_RDEPENDS}"
RRECOMMENDS:${PN} += "${MACHINE_EXTRA_RRECOMMENDS}"
RDEPENDS:${PN} += "${@'lamadist-encrypted-root' if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else ''}"
# Boot entries are the firmware's, where a machine has UEFI of its own.
RDEPENDS:${PN}:append:x86-64 = " efibootmgr lamadist-boot-entries"
RDEPENDS:${PN}:append:rockchip = " libubootenv-bin"
