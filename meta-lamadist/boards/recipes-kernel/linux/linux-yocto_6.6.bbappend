# SPDX-License-Identifier: Apache-2.0
COMPATIBLE_MACHINE:lamadist-x86-64 = "lamadist-x86-64"
COMPATIBLE_MACHINE:rk1 = "rk1"
COMPATIBLE_MACHINE:soquartz = "soquartz"
# What linux-yocto calls a PC: its settings, and by them alone not the older commit that a board of meta-yocto-bsp keeps to.
KMACHINE:lamadist-x86-64 = "common-pc-64"

# A board's own hardware, built in: what restarts a node that hangs must be there before any module is. For no other machine is the
# folder searched: every fragment in it would be part of the kernel's signature.
FILESEXTRAPATHS:prepend:lamadist-x86-64 := "${THISDIR}/files:"
FILESEXTRAPATHS:prepend:rk1 := "${THISDIR}/files:"
FILESEXTRAPATHS:prepend:soquartz := "${THISDIR}/files:"
SRC_URI:append:lamadist-x86-64 = " file://pc.cfg"
SRC_URI:append:rk1 = " file://rockchip.cfg"
SRC_URI:append:soquartz = " file://rockchip.cfg"
