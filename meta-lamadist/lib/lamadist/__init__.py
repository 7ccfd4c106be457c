# SPDX-License-Identifier: Apache-2.0
BBIMPORTS = ["pcr_policy"]
