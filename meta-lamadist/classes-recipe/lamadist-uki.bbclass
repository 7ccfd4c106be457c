# SPDX-License-Identifier: Apache-2.0
# One signed UKI for each slot, and the EFI system partition that holds both: IMAGE_NAME.esp.vfat.
# systemd 255 knows no profiles in a UKI, so what differs between the slots, two words of the command line, makes two files.
# A board without UEFI in its firmware gets it from U-Boot: every board boots the same kind of file.
inherit lamadist-partition-sizes lamadist-ukify

LAMADIST_SLOTS = "a b"
# After the words that every boot needs. Partitions are the image's business, not a generator's guess; and a serial console
# that shows every record of the audit costs more time than all of the boot. The audit's records wait for the journal. systemd takes
# no credentials from firmware or hypervisor (systemd.system-credentials(7)): nobody signed them, and they could be units of root's.
LAMADIST_CMDLINE ?= "rootfstype=erofs ro panic=10 loglevel=4 systemd.gpt_auto=no systemd.import_credentials=no lsm=landlock,lockdown,yama,integrity,selinux,bpf security=selinux ima_policy=tcb audit=1 audit_backlog_limit=8192 ${LAMADIST_CONSOLE}"
# The boot loader for the removable path, where a machine looks that has no boot entries yet. Tries are counted by firmware's BootNext (decision 15).
LAMADIST_FALLBACK_LOADER ?= "systemd-boot${EFI_ARCH}.efi"

do_uki[depends] += "${LAMADIST_UKI_DEPENDS} ${INITRAMFS_IMAGE}:do_image_complete"
do_uki[vardeps] += "LAMADIST_CMDLINE LAMADIST_EXTRA_CMDLINE LAMADIST_ROOT_DEVICE LAMADIST_SLOTS"
do_uki[vardeps] += "LAMADIST_HASH_MIB LAMADIST_LUKS_HEADER_MIB LAMADIST_ROOT_ENCRYPTION LAMADIST_ROOT_MIB"
do_uki[cleandirs] = "${WORKDIR}/uki"

python do_uki() {
    root = d.expand('${IMGDEPLOYDIR}/${IMAGE_NAME}.${LAMADIST_ROOT_TYPE}')
    oversized = lamadist_oversized(d, root + '.verity', root + '.vhash')
    if oversized:
        bb.fatal('Cannot make %s: %s. docs/PARTITIONING.md says what can be changed before a first installation.' % (d.getVar('PN'), oversized))
    environment = os.path.join(d.getVar('STAGING_VERITY_DIR'), '%s.%s.verity.env' % (d.getVar('IMAGE_BASENAME'), d.getVar('LAMADIST_ROOT_TYPE')))
    with open(environment) as lines:
        verity = dict(line.strip().split('=', 1) for line in lines if '=' in line)
    for slot in d.getVar('LAMADIST_SLOTS').split():
        lamadist_ukify(d, os.path.join(d.getVar('WORKDIR'), 'uki', 'lamadist-%s.efi' % slot), d.getVar('INITRAMFS_IMAGE'),
            d.getVar('IMAGE_ROOTFS') + '/usr/lib/os-release', [
                'root=/dev/mapper/root', 'roothash=' + verity['ROOT_HASH'],
                'systemd.verity_root_data=' + d.getVar('LAMADIST_ROOT_DEVICE') + slot, 'systemd.verity_root_hash=PARTLABEL=root-%s-verity' % slot,
                'systemd.verity_root_options=panic-on-corruption', 'rauc.slot=' + slot.upper(),
                d.getVar('LAMADIST_CMDLINE'), d.getVar('LAMADIST_EXTRA_CMDLINE')])
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
        sbsign ${@'--engine pkcs11' if d.getVar('LAMADIST_UKI_KEY').startswith('pkcs11:') else ''} --key "${LAMADIST_UKI_KEY}" --cert ${LAMADIST_UKI_CERT} --output $loader ${DEPLOY_DIR_IMAGE}/${LAMADIST_FALLBACK_LOADER}
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
    d.appendVarFlag('do_image_wic', 'depends', ' %s:do_image_vhash' % d.getVar('PN'))
}
