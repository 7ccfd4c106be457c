#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the content of a root's image, with every attribute, into a tar file.
# usage, in a mount namespace of its own: debian-parts.sh IMAGE TAR
set -eu
place=$(mktemp -d)
mount -o ro,loop "$1" "$place"
tar --directory "$place" --xattrs --xattrs-include='*' --numeric-owner --create --file "$2" .
umount "$place"
rmdir "$place"
