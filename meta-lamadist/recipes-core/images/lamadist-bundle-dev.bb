# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Update bundle of lamadist-image-dev"
DESCRIPTION = "What RAUC installs into the other slot of a node that runs lamadist-image-dev."
HOMEPAGE = "https://lamadist.invalid/"

LAMADIST_BUNDLE_IMAGE = "lamadist-image-dev"

inherit lamadist-bundle
