# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The installer's files in an initramfs of Debian packages, where its medium wants the one that was built"
require initramfs.inc

HOST_INITRAMFS = "installer.cpio.zst"
