# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist: a node that can be administered and updated, and nothing else"
DESCRIPTION = "Kernel, systemd, RAUC, the agent and SELinux. The base of the other images, and of nodes with one task."
HOMEPAGE = "https://lamadist.invalid/"
LICENSE = "Apache-2.0"

inherit lamadist-image

IMAGE_INSTALL = "packagegroup-lamadist-core packagegroup-lamadist-security"
