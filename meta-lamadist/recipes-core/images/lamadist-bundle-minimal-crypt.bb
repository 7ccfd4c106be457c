# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Encrypted update bundle of lamadist-image-minimal"
DESCRIPTION = "For nodes that fetch it from a server that others read. `rauc encrypt` adds the receivers' certificates when it \
is published: no key of theirs is part of a build."
HOMEPAGE = "https://lamadist.invalid/"

LAMADIST_BUNDLE_IMAGE = "lamadist-image-minimal"
RAUC_BUNDLE_FORMAT = "crypt"

inherit lamadist-bundle
