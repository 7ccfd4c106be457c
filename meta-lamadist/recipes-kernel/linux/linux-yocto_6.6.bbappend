# SPDX-License-Identifier: Apache-2.0
# What LamaDist's boot needs built in. Only in its own distribution: elsewhere the kernel stays as it is.
FILESEXTRAPATHS:prepend:lamadist := "${THISDIR}/files:"
SRC_URI:append:lamadist = " file://lamadist.cfg"
