#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command whose mounts nobody else sees, and which are gone with it.
# usage: unshare --mount --propagation unchanged sh private-mounts.sh COMMAND…
set -eu

# In a chroot "/" is no mount point, so it is the root of the mount namespace that has to become private. nsenter gets
# there, and what it calls must be found below the working directory, its libraries too: hence the loader by name.
mount --make-rprivate / 2>/dev/null || {
  loader=$(cd / && echo usr/lib/*-linux-gnu/ld-linux-*.so.*)
  nsenter --mount=/proc/self/ns/mnt --wd=/ \
    "./$loader" --library-path "$(dirname "$loader")" ./usr/bin/mount --make-rprivate /
}
exec "$@"
