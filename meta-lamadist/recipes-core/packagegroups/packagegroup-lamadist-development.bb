# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What a developer reaches for"
DESCRIPTION = "Tracing, debugging and the tests of the agent's packages."
HOMEPAGE = "https://lamadist.invalid/"

# Some of it belongs to a machine: the packages of a group are looked up for each.
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit features_check packagegroup

REQUIRED_DISTRO_FEATURES = "polkit rauc systemd"

RDEPENDS:${PN} = " \
    gdb \
    lamactl \
    lamactl-ptest \
    lamadist-agent-ptest \
    strace \
    tcpdump \
    vim \
"
