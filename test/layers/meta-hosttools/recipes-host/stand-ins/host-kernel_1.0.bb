# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Debian's kernel, where an image wants one that was built"
require stand-in.inc

PROVIDES = "virtual/kernel"
PACKAGE_ARCH = "${MACHINE_ARCH}"
# Modules that other recipes name are in HOST_PARTS, or not needed.
PACKAGES_DYNAMIC = "^kernel-.*"

inherit deploy nopackages

do_install[noexec] = "1"

do_deploy[file-checksums] += "${HOST_PARTS}/vmlinuz:True"
do_deploy() {
    install -m 0644 ${HOST_PARTS}/vmlinuz ${DEPLOYDIR}/${KERNEL_IMAGETYPE}
}
addtask deploy after do_install before do_build

# Recipes of modules, which nothing here builds, name its tasks.
do_compile_kernelmodules() {
    :
}
addtask compile_kernelmodules after do_compile

do_shared_workdir() {
    :
}
addtask shared_workdir after do_compile

do_symlink_kernsrc() {
    :
}
addtask symlink_kernsrc before do_configure
