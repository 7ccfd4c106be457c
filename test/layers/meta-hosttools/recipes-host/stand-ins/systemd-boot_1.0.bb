# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Debian's stub of a UKI and its boot loader"
require stand-in.inc

PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit deploy nopackages

do_install[noexec] = "1"

do_deploy[file-checksums] += "${HOST_PARTS}/linuxx64.efi.stub:True ${HOST_PARTS}/systemd-bootx64.efi:True"
do_deploy() {
    install -m 0644 ${HOST_PARTS}/linuxx64.efi.stub ${HOST_PARTS}/systemd-bootx64.efi ${DEPLOYDIR}
}
addtask deploy after do_install before do_build
