# SPDX-License-Identifier: Apache-2.0
# files/BOARD/machine.conf: the folder is found by the machine's overrides.
FILESEXTRAPATHS:prepend := "${THISDIR}/files:"
# What files/orin-nx names as the back end of its boot loader calls nvbootctrl, and chattr.
RDEPENDS:${PN}:append:orin-nx = " e2fsprogs tegra-redundant-boot-base"
COMPATIBLE_MACHINE = "^(lamadist-x86-64|orin-nx|rk1|soquartz)$"
