# SPDX-License-Identifier: Apache-2.0
# One signed UKI for each slot, and the EFI system partition that holds both: IMAGE_NAME.esp.vfat.
# systemd 255 knows no profiles in a UKI, so what differs between the slots, two words of the command line, makes two files.
# A board without UEFI in its firmware gets it from U-Boot: every board boots the same kind of file.
inherit python3native

DEPENDS += "systemd-boot-native python3-pefile-native sbsigntool-native dosfstools-native mtools-native openssl-native"

LAMADIST_SLOTS = "a b"
# After the words that every boot needs.
LAMADIST_CMDLINE ?= "rootfstype=erofs ro panic=10 lsm=landlock,lockdown,yama,integrity,selinux,bpf security=selinux ima_policy=tcb audit=1 ${LAMADIST_CONSOLE}"
LAMADIST_CONSOLE ?= ""
# Words of one build, such as the fingerprint of its administrator: measured and signed with all the others.
LAMADIST_EXTRA_CMDLINE ?= ""
# The boot loader for the removable path, where a machine looks that has no boot entries yet, and which counts tries.
LAMADIST_FALLBACK_LOADER ?= "systemd-boot${EFI_ARCH}.efi"

require conf/image-uefi.conf

do_uki[depends] += "virtual/kernel:do_deploy systemd-boot:do_deploy ${INITRAMFS_IMAGE}:do_image_complete"
do_uki[vardeps] += "LAMADIST_CMDLINE LAMADIST_EXTRA_CMDLINE LAMADIST_SLOTS"
do_uki[cleandirs] = "${WORKDIR}/uki"

python do_uki() {
    import subprocess
    from lamadist.pcr_policy import sign_uki

    def file_of(variable):
        value = d.getVar(variable)
        if not value.startswith('pkcs11:') and not os.path.exists(value):
            bb.fatal('Cannot sign the UKI: %s is "%s", which is not there; docs/BUILDING.md says how keys are made and named' % (variable, value))
        return value

    deploy = d.getVar('DEPLOY_DIR_IMAGE')
    environment = os.path.join(d.getVar('STAGING_VERITY_DIR'), '%s.%s.verity.env' % (d.getVar('IMAGE_BASENAME'), d.getVar('LAMADIST_ROOT_TYPE')))
    with open(environment) as lines:
        verity = dict(line.strip().split('=', 1) for line in lines if '=' in line)

    engine = ['--signing-engine=pkcs11'] if d.getVar('LAMADIST_UKI_KEY').startswith('pkcs11:') else []
    for slot in d.getVar('LAMADIST_SLOTS').split():
        cmdline = ' '.join([
            'root=/dev/mapper/root', 'roothash=' + verity['ROOT_HASH'],
            'systemd.verity_root_data=PARTLABEL=root-' + slot, 'systemd.verity_root_hash=PARTLABEL=root-%s-verity' % slot,
            'systemd.verity_root_options=panic-on-corruption', 'rauc.slot=' + slot.upper(),
            d.getVar('LAMADIST_CMDLINE'), d.getVar('LAMADIST_EXTRA_CMDLINE')])
        uki = os.path.join(d.getVar('WORKDIR'), 'uki', 'lamadist-%s.efi' % slot)
        common = [
            'ukify', 'build', '--efi-arch=' + d.getVar('EFI_ARCH'),
            '--stub=%s/linux%s.efi.stub' % (deploy, d.getVar('EFI_ARCH')),
            '--linux=%s/%s' % (deploy, d.getVar('KERNEL_IMAGETYPE')),
            '--initrd=%s/%s-%s.%s' % (deploy, d.getVar('INITRAMFS_IMAGE'), d.getVar('MACHINE'), d.getVar('INITRAMFS_FSTYPES')),
            '--os-release=@%s/usr/lib/os-release' % d.getVar('IMAGE_ROOTFS'),
            '--cmdline=' + ' '.join(cmdline.split()),
            '--pcrpkey=' + file_of('LAMADIST_PCR_PUBLIC_KEY')]
        # Twice: what the signature of PCR 11 covers is what the first one holds.
        subprocess.run([*common, '--output=' + uki + '.unsigned'], check=True)
        signature = uki + '.pcrsig'
        with open(signature, 'w') as out:
            out.write(sign_uki(uki + '.unsigned', file_of('LAMADIST_PCR_KEY'), file_of('LAMADIST_PCR_PUBLIC_KEY')))
        subprocess.run([*common, *engine, '--section=.pcrsig:@' + signature, '--signtool=sbsign',
            '--secureboot-private-key=' + file_of('LAMADIST_UKI_KEY'),
            '--secureboot-certificate=' + file_of('LAMADIST_UKI_CERT'), '--output=' + uki], check=True)
    bb.build.exec_func('lamadist_make_esp', d)
}
addtask uki after do_image before do_image_wic do_image_complete

# The volume's number and every time are fixed: the same UKIs make the same partition, which adaptive updates find again.
lamadist_make_esp() {
    esp=${IMGDEPLOYDIR}/${IMAGE_NAME}.esp.vfat
    rm -f $esp
    truncate -s ${LAMADIST_ESP_MIB}M $esp
    mkfs.vfat -F 32 -n ESP -i 4c414d41 --invariant $esp
    mmd -i $esp ::/EFI ::/EFI/BOOT ::/EFI/Linux ::/loader
    for slot in ${LAMADIST_SLOTS}; do
        touch -d @${SOURCE_DATE_EPOCH} ${WORKDIR}/uki/lamadist-$slot.efi
        mcopy -m -i $esp ${WORKDIR}/uki/lamadist-$slot.efi ::/EFI/Linux/
    done
    if [ -n "${LAMADIST_FALLBACK_LOADER}" ]; then
        loader=${WORKDIR}/uki/fallback.efi
        sbsign --key ${LAMADIST_UKI_KEY} --cert ${LAMADIST_UKI_CERT} --output $loader ${DEPLOY_DIR_IMAGE}/${LAMADIST_FALLBACK_LOADER}
        printf 'default lamadist-a.efi\ntimeout 0\neditor no\n' > ${WORKDIR}/uki/loader.conf
        touch -d @${SOURCE_DATE_EPOCH} $loader ${WORKDIR}/uki/loader.conf
        mcopy -m -i $esp $loader ::/EFI/BOOT/BOOT${@d.getVar('EFI_ARCH').upper()}.EFI
        mcopy -m -i $esp ${WORKDIR}/uki/loader.conf ::/loader/
    fi
    ln -sf ${IMAGE_NAME}.esp.vfat ${IMGDEPLOYDIR}/${IMAGE_LINK_NAME}.esp.vfat
}

python () {
    # The root's hash is in the UKI: the conversion to verity is part of the task that packs the root.
    task = 'do_image_' + d.getVar('LAMADIST_ROOT_TYPE').replace('-', '_')
    d.appendVarFlag('do_uki', 'depends', ' %s:%s' % (d.getVar('PN'), task))
}
