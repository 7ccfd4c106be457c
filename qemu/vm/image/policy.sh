#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds SELinux's policy: Debian's, which is the reference policy as the layers' is, and the layers' own modules.
# usage, in the tools' root: policy.sh MODULES OUT; MODULES holds NAME.te, NAME.if and NAME.fc; OUT gets etc/selinux.
set -eu
modules=$1 out=$2
work=$(mktemp -d)
cp "$modules"/* "$work"
cd "$work"
make --silent -f /usr/share/selinux/devel/Makefile >&2

mkdir -p "$work/root/var/lib" "$work/root/etc"
cp -a /var/lib/selinux "$work/root/var/lib/"
cp -a /etc/selinux "$work/root/etc/"
# shellcheck disable=SC2046 # words
semodule --noreload --path "$work/root" --store default $(printf -- '--install %s ' "$work"/*.pp)

mkdir -p "$out/etc"
cp -a "$work/root/etc/selinux" "$out/etc/"
printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$out/etc/selinux/config"
# An overlay's upper layer holds files of /etc.
printf '/var/lib/etc/upper /etc\n/var/lib/etc/work /etc\n' >>"$out/etc/selinux/default/contexts/files/file_contexts.subs_dist"
