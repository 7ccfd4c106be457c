# SPDX-License-Identifier: Apache-2.0
SUMMARY = "An initramfs of Debian packages with the layers' units, where an image wants the one that was built"
require initramfs.inc

HOST_INITRAMFS = "initramfs.cpio.zst"
