# SPDX-License-Identifier: Apache-2.0
SUMMARY = "LamaDist for those who develop it: debuggers, tests of packages, a way in without a key"
DESCRIPTION = "Never for a machine that anybody relies on: it has a root password of nothing."
HOMEPAGE = "https://lamadist.invalid/"

require lamadist-image-homelab.bb

IMAGE_FEATURES += "debug-tweaks ptest-pkgs tools-debug"
IMAGE_INSTALL += "packagegroup-lamadist-development"
