# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Update bundle of lamadist-image-minimal"
DESCRIPTION = "What RAUC installs into the other slot of a node that runs lamadist-image-minimal."
HOMEPAGE = "https://lamadist.invalid/"

LAMADIST_BUNDLE_IMAGE = "lamadist-image-minimal"

inherit lamadist-bundle
