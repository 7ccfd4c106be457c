# SPDX-License-Identifier: Apache-2.0
COMPATIBLE_MACHINE:rk1 = "rk1"
COMPATIBLE_MACHINE:soquartz = "soquartz"
