# SPDX-License-Identifier: Apache-2.0
# files/BOARD/machine.conf: the folder is found by the machine's overrides.
FILESEXTRAPATHS:prepend := "${THISDIR}/files:"
COMPATIBLE_MACHINE = "^(lamadist-x86-64|orin-nx|rk1|soquartz)$"
