# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist's installer: the whole of it, in memory"
DESCRIPTION = "systemd, the network and the tools that write a disk."
HOMEPAGE = "https://lamadist.invalid/"

require recipes-core/initramfs/lamadist-initramfs.bb

# systemd-conf asks for an address on every wire: the image may be on a server.
PACKAGE_INSTALL = " \
    base-passwd \
    bash \
    ca-certificates \
    gawk \
    grep \
    kernel-modules \
    lamadist-installer \
    os-release \
    sed \
    systemd \
    systemd-conf \
    systemd-initramfs \
    util-linux-mount \
"
# Without it, some network cards are there and have no link. Nothing is recommended here, so the machine's list is asked for by name.
LAMADIST_NETWORK_FIRMWARE ?= ""
PACKAGE_INSTALL += "${LAMADIST_NETWORK_FIRMWARE}"
