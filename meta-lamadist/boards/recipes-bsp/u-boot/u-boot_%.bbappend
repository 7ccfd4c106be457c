# SPDX-License-Identifier: Apache-2.0
# The slot is chosen by U-Boot itself, not by a script on the disk that anybody could change.
FILESEXTRAPATHS:prepend:rockchip := "${THISDIR}/files:"
SRC_URI:append:rk1 = " file://lamadist.cfg file://fw_env.config"
SRC_URI:append:soquartz = " file://lamadist.cfg file://fw_env.config"
