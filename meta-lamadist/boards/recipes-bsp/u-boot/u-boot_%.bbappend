# SPDX-License-Identifier: Apache-2.0
# The slot is chosen by U-Boot itself, not by a script on the disk that anybody could change.
FILESEXTRAPATHS:prepend:rockchip := "${THISDIR}/files:"
LAMADIST_UBOOT_FILES = "file://lamadist.cfg file://fw_env.config file://0001-rockchip-environment-on-the-disk-U-Boot-came-from.patch"
SRC_URI:append:rk1 = " ${LAMADIST_UBOOT_FILES}"
SRC_URI:append:soquartz = " ${LAMADIST_UBOOT_FILES}"

# The RK1 came into U-Boot one release after scarthgap's, and so did the word of the first stage where it found U-Boot, which the
# SOQuartz needs. Scarthgap's patches apply to it all the same.
# nooelint: oelint.append.protvars.PV
PV:rk1 = "2024.04"
# nooelint: oelint.append.protvars.SRCREV
SRCREV:rk1 = "25049ad560826f7dc1c4740883b0016014a59789"
# nooelint: oelint.append.protvars.PV
PV:soquartz = "2024.04"
# nooelint: oelint.append.protvars.SRCREV
SRCREV:soquartz = "25049ad560826f7dc1c4740883b0016014a59789"
