# SPDX-License-Identifier: Apache-2.0
SUMMARY = "USB medium that installs LamaDist; its UKI also installs over the network"
DESCRIPTION = "One EFI system partition with a signed UKI on the removable path, the disk image and its checksum."
HOMEPAGE = "https://lamadist.invalid/"
LICENSE = "Apache-2.0"

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"
# Where firmware boots a removable medium.
COMPATIBLE_MACHINE = "^lamadist-x86-64$"

LAMADIST_INSTALLED_IMAGE ?= "lamadist-image-homelab"
LAMADIST_INSTALLER_INITRAMFS ?= "lamadist-installer-initramfs"
LAMADIST_INSTALLER_MIB ?= "3072"
# Words such as lamadist.install.disk=…: the UKI is signed, so they are said when it is built, or without Secure Boot.
LAMADIST_INSTALLER_CMDLINE ?= ""

inherit lamadist-required deploy nopackages image-artifact-names lamadist-ukify

DEPENDS += "gptfdisk-native"

do_fetch[noexec] = "1"
do_unpack[noexec] = "1"
do_patch[noexec] = "1"
do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[noexec] = "1"
deltask do_populate_lic

do_uki[depends] += "${LAMADIST_UKI_DEPENDS} ${LAMADIST_INSTALLER_INITRAMFS}:do_image_complete"
do_uki[cleandirs] = "${WORKDIR}/uki"
python do_uki() {
    release = os.path.join(d.getVar('WORKDIR'), 'uki', 'os-release')
    with open(release, 'w') as out:
        out.write('ID=lamadist\nNAME="LamaDist installer"\nVERSION_ID=%s\n' % d.getVar('DISTRO_VERSION'))
    lamadist_ukify(d, os.path.join(d.getVar('WORKDIR'), 'uki', 'installer.efi'), d.getVar('LAMADIST_INSTALLER_INITRAMFS'), release,
        ['panic=30', d.getVar('LAMADIST_CONSOLE'), d.getVar('LAMADIST_INSTALLER_CMDLINE')])
}
addtask uki after do_prepare_recipe_sysroot before do_deploy

do_deploy[depends] += "${LAMADIST_INSTALLED_IMAGE}:do_image_complete"
do_deploy() {
    # By the version that was built, and by a short name that links to it, as images are.
    name=${PN}-${MACHINE}${IMAGE_VERSION_SUFFIX}
    medium=${DEPLOYDIR}/$name.img
    rm -f $medium
    truncate -s ${LAMADIST_INSTALLER_MIB}M $medium
    sgdisk --new 1:2048:0 --typecode 1:${LAMADIST_ESP_GUID} --change-name 1:lamadist-installer $medium
    # The file system starts where the partition does, at 1 MiB, and leaves the backup of the table its place.
    mkfs.vfat -F 32 -n LAMADIST --offset 2048 $medium $(expr ${LAMADIST_INSTALLER_MIB} \* 1024 - 2048)
    mmd -i $medium@@1M ::/EFI ::/EFI/BOOT
    mcopy -i $medium@@1M ${WORKDIR}/uki/installer.efi ::/EFI/BOOT/BOOT${@d.getVar('EFI_ARCH').upper()}.EFI
    mcopy -i $medium@@1M ${DEPLOY_DIR_IMAGE}/${LAMADIST_INSTALLED_IMAGE}-${MACHINE}.rootfs.wic.zst ::/lamadist.wic.zst
    sum=$(sha256sum ${DEPLOY_DIR_IMAGE}/${LAMADIST_INSTALLED_IMAGE}-${MACHINE}.rootfs.wic.zst | cut -d ' ' -f 1)
    echo "$sum  lamadist.wic.zst" > ${WORKDIR}/lamadist.wic.zst.sha256
    mcopy -i $medium@@1M ${WORKDIR}/lamadist.wic.zst.sha256 ::/
    install -m 0644 ${WORKDIR}/uki/installer.efi ${DEPLOYDIR}/$name.efi
    for kind in img efi; do ln -sf $name.$kind ${DEPLOYDIR}/${PN}-${MACHINE}.$kind; done
}
addtask deploy after do_uki before do_build
