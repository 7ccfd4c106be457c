#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command while this machine's kernel hands programs for arm64 to QEMU's user-mode emulator.
# usage, in a mount namespace of its own: run-arm64.sh EMULATOR COMMAND…
set -eu
emulator=$1
shift
# Before the bound mount of it goes: the kernel keeps the emulator open (F), so that it is found in any root.
registry=$(mktemp -d)
mount -t binfmt_misc binfmt_misc "$registry"
# What one left that was killed.
for entry in "$registry"/lamadist-arm64-*; do
  [ ! -e "$entry" ] || [ -e "/proc/${entry##*-}" ] || echo -1 >"$entry"
done
name=lamadist-arm64-$$
# ELF, 64 bits, little-endian, executable or shared object, EM_AARCH64.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf ':%s:M::%s:%s:%s:POCF' "$name" "$magic" "$mask" "$emulator" >"$registry/register"
trap 'echo -1 >"$registry/$name"; umount "$registry"; rmdir "$registry"' EXIT
# A signal alone does not run that.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# Where mmdebstrap is told that it is for arm64.
PATH=$(dirname "$0"):$PATH "$@"
