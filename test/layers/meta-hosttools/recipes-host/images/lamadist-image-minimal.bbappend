# SPDX-License-Identifier: Apache-2.0
# The root is of Debian's packages, under what the layers' own recipes install: these RPMs are BitBake's. All that follows
# do_rootfs is the layers' classes and nothing else: EROFS, dm-verity, UKIs, the EFI system partition, the disk.
HOST_ROOT_RECIPES = "lamactl lamadist-agent lamadist-boot-entries lamadist-boot-guard lamadist-encrypted-root lamadist-etc-overlay lamadist-rauc-conf lamadist-repart lamadist-watchdog"

IMAGE_INSTALL = ""
PACKAGE_INSTALL = ""
# Labels come from the root's own policy when it is packed; evmctl is no tool of the build host; units are enabled in the root.
IMAGE_PREPROCESS_COMMAND:remove = "selinux_set_labels; ima_evm_sign_rootfs; systemd_preset_all"
EXTRA_IMAGECMD:append:erofs-lz4hc = " --file-contexts=${IMAGE_ROOTFS}/etc/selinux/default/contexts/files/file_contexts"

do_rootfs[file-checksums] += "${HOST_PARTS}/root.tar:True"
# Unlike the task that it replaces, it would not be unless it says so.
fakeroot do_rootfs() {
    tar --extract --file ${HOST_PARTS}/root.tar --directory ${IMAGE_ROOTFS}
    for recipe in ${HOST_ROOT_RECIPES}; do
        for package in ${DEPLOY_DIR_RPM}/*/$recipe-[0-9]*.rpm; do
            rpm2cpio $package | cpio --extract --no-preserve-owner --make-directories --preserve-modification-time --unconditional --quiet --directory=${IMAGE_ROOTFS}
        done
    done
    printf 'IMAGE_ID=lamadist\nIMAGE_VERSION=%s\n' '${DISTRO_VERSION}' > ${WORKDIR}/release
    sed -i '/^IMAGE_/d' ${IMAGE_ROOTFS}/usr/lib/os-release
    cat ${WORKDIR}/release >> ${IMAGE_ROOTFS}/usr/lib/os-release
}

deltask do_image_qa
deltask do_populate_lic_deploy

python () {
    # Nothing of OpenEmbedded's is installed: what the tasks would wait for is not built.
    for flag in ('python', 'recrdeptask', 'rdeptask', 'recideptask', 'deptask', 'rdepends'):
        d.delVarFlag('do_rootfs', flag)
    d.setVarFlag('do_rootfs', 'depends', 'virtual/fakeroot-native:do_populate_sysroot '
        + ' '.join(recipe + ':do_package_write_rpm' for recipe in d.getVar('HOST_ROOT_RECIPES').split()))
    # Nor do emulators and the tools of a target's packages have anything to do.
    unwanted = ('depmodwrapper-cross', 'policycoreutils-native', 'qemu-helper-native', 'qemu-system-native', 'qemuwrapper-cross')
    def wanted(words):
        return ' '.join(word for word in (words or '').split() if not word.replace('virtual/', '').startswith(unwanted))
    d.setVar('DEPENDS', wanted(d.getVar('DEPENDS')))
    for task in ('do_image', 'do_image_complete'):
        d.setVarFlag(task, 'depends', wanted(d.getVarFlag(task, 'depends')))
    for task in ('do_build', 'do_image_complete'):
        for flag in ('recrdeptask', 'rdeptask'):
            d.delVarFlag(task, flag)
}
