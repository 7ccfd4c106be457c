#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the EFI system partition of an image, as lamadist-uki.bbclass does: both UKIs, and a loader for a fresh disk.
# usage, in the tools' root: esp.sh FOLDER SIZE_MIB NAME; FOLDER holds lamadist-a.efi, lamadist-b.efi, loader.efi and keys/, and gets
# esp.img. NAME is what the firmware of a fresh disk looks for.
set -eu
cd "$1"
size_mib=$2 name=$3
sbsign --key keys/secure-boot.key --cert keys/secure-boot.crt --output fallback.efi loader.efi 2>/dev/null
printf 'default lamadist-a.efi\ntimeout 0\neditor no\n' >loader.conf
touch -d @0 lamadist-a.efi lamadist-b.efi fallback.efi loader.conf
rm -f esp.img
truncate -s "${size_mib}M" esp.img
mkfs.vfat -F 32 -n ESP -i 4c414d41 --invariant esp.img >/dev/null
mmd -i esp.img ::/EFI ::/EFI/BOOT ::/EFI/Linux ::/loader
mcopy -m -i esp.img lamadist-a.efi lamadist-b.efi ::/EFI/Linux/
mcopy -m -i esp.img fallback.efi "::/EFI/BOOT/$name"
mcopy -m -i esp.img loader.conf ::/loader/
