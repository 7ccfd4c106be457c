#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Collects the kernel's modules that the image needs, with what they need.
# usage, in the root that the kernel is from: kernel.sh OUT MODULE…; OUT gets usr/lib/modules.
set -eu
out=$1
shift
release=$(ls /usr/lib/modules)
target=$out/usr/lib/modules/$release
mkdir -p "$target"
for module in "$@"; do
  modprobe --set-version "$release" --show-depends "$module"
done | sed -n 's|^insmod \(/usr\)\{0,1\}/lib/modules/[^/]*/\([^ ]*\).*|\2|p' | sort -u | while read -r file; do
  mkdir -p "$target/$(dirname "$file")"
  cp "/usr/lib/modules/$release/$file" "$target/$file"
done
cp "/usr/lib/modules/$release/modules.builtin" "/usr/lib/modules/$release/modules.builtin.modinfo" \
  "/usr/lib/modules/$release/modules.order" "$target"
# depmod looks below lib/, which in the image is a link.
ln -s usr/lib "$out/lib"
depmod --basedir "$out" "$release"
rm "$out/lib"
