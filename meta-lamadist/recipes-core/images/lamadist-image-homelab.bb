# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist for the homelab: storage, network and containers, with k3s and podman"
DESCRIPTION = "What a NAS box or a worker of a cluster needs, over the minimal image."
HOMEPAGE = "https://lamadist.invalid/"

require lamadist-image-minimal.bb

IMAGE_INSTALL += "packagegroup-lamadist-homelab"
