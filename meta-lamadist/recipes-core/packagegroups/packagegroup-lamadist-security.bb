# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What guards a node"
DESCRIPTION = "Mandatory access control, measurement, audit and the TPM."
HOMEPAGE = "https://lamadist.invalid/"

# Some of it belongs to a machine: the packages of a group are looked up for each.
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit features_check packagegroup

REQUIRED_DISTRO_FEATURES = "integrity selinux tpm2"

RDEPENDS:${PN} = " \
    auditd \
    cryptsetup \
    ima-evm-utils \
    keyutils \
    lamadist-ima-policy \
    packagegroup-selinux-minimal \
    selinux-autorelabel \
    tpm2-openssl \
    tpm2-tools \
    tpm2-tss \
"
