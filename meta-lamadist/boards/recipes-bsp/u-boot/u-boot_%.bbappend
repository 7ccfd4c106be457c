# SPDX-License-Identifier: Apache-2.0
# The slot is chosen by U-Boot itself, not by a script on the disk that anybody could change.
FILESEXTRAPATHS:prepend:rockchip := "${THISDIR}/files:"
SRC_URI:append:rk1 = " file://lamadist.cfg file://fw_env.config"
SRC_URI:append:soquartz = " file://lamadist.cfg file://fw_env.config"

# The RK1 came into U-Boot one release after scarthgap's, whose patches apply to it all the same.
# nooelint: oelint.append.protvars.PV
PV:rk1 = "2024.04"
# nooelint: oelint.append.protvars.SRCREV
SRCREV:rk1 = "25049ad560826f7dc1c4740883b0016014a59789"
