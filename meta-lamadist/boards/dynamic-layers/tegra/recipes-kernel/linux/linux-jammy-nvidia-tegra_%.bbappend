# SPDX-License-Identifier: Apache-2.0
# Tegra's own kernel, with what bundles and containers need beyond its maker's settings.
FILESEXTRAPATHS:prepend:orin-nx := "${THISDIR}/files:"
SRC_URI:append:orin-nx = " file://tegra.cfg"
