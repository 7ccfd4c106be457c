# SPDX-License-Identifier: Apache-2.0
SUMMARY = "What a home server does"
DESCRIPTION = "Disks, shares, and containers under podman and k3s."
HOMEPAGE = "https://lamadist.invalid/"

# Some of it belongs to a machine: the packages of a group are looked up for each.
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit features_check packagegroup

REQUIRED_DISTRO_FEATURES = "k3s seccomp systemd virtualization"

RDEPENDS:${PN} = " \
    e2fsprogs \
    ethtool \
    iproute2 \
    k3s-server \
    lamadist-k3s-config \
    mdadm \
    nfs-utils \
    nvme-cli \
    podman \
    smartmontools \
"

# A worker, instead of a server: both are on the image, and the configuration says which one runs.
RDEPENDS:${PN} += "k3s-agent"
