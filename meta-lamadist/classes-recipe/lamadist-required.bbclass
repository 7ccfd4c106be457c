# SPDX-License-Identifier: Apache-2.0
# What an image of LamaDist cannot be made without: in a distribution that lacks it, the recipe is skipped, and the layer does no harm.
REQUIRED_DISTRO_FEATURES = "integrity rauc selinux systemd tpm2 usrmerge"
inherit features_check
EXCLUDE_FROM_WORLD = "1"
