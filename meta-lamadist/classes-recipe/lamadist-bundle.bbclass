# SPDX-License-Identifier: Apache-2.0
# A signed bundle of LAMADIST_BUNDLE_IMAGE: root, its hash tree and the EFI system partition, which go together or not at all.
LICENSE = "Apache-2.0"

inherit lamadist-required

RAUC_BUNDLE_COMPATIBLE = "lamadist-${MACHINE}"
RAUC_BUNDLE_VERSION = "${DISTRO_VERSION}"
RAUC_BUNDLE_DESCRIPTION = "${LAMADIST_BUNDLE_IMAGE} for ${MACHINE}"
# Not the time of the build: the same sources make the same manifest.
RAUC_BUNDLE_BUILD = "${DISTRO_VERSION}"
RAUC_BUNDLE_FORMAT ?= "verity"
BUNDLE_NAME = "${PN}-${MACHINE}${IMAGE_VERSION_SUFFIX}"
# A block of squashfs is fetched whole: larger ones than those that adaptive updates compare (4 KiB) would have a node fetch nearly
# everything for a few changed places. What is inside is compressed already.
BUNDLE_ARGS += '--mksquashfs-args="-comp zstd -Xcompression-level 11 -b 4096"'

LAMADIST_VERIFIED_BOOT ?= "1"
LAMADIST_ROOT_TYPE ?= "erofs-lz4hc"
RAUC_BUNDLE_SLOTS = "${@'rootfs verity esp' if d.getVar('LAMADIST_VERIFIED_BOOT') == '1' else 'rootfs'}"
# A block that the node has already in its other slot is not fetched again.
RAUC_SLOT_rootfs = "${LAMADIST_BUNDLE_IMAGE}"
RAUC_SLOT_rootfs[fstype] = "${LAMADIST_ROOT_TYPE}${@'.verity' if d.getVar('LAMADIST_VERIFIED_BOOT') == '1' else ''}"
RAUC_SLOT_rootfs[rename] = "rootfs.img"
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"
RAUC_SLOT_verity = "${LAMADIST_BUNDLE_IMAGE}"
RAUC_SLOT_verity[fstype] = "${LAMADIST_ROOT_TYPE}.vhash"
RAUC_SLOT_verity[rename] = "verity.img"
RAUC_SLOT_verity[adaptive] = "block-hash-index"
RAUC_SLOT_esp = "${LAMADIST_BUNDLE_IMAGE}"
RAUC_SLOT_esp[fstype] = "esp.vfat"
RAUC_SLOT_esp[rename] = "esp.img"
RAUC_SLOT_esp[adaptive] = "block-hash-index"

inherit bundle lamadist-pkcs11

# What its UKIs make of PCR 4 and 11, for administrators who believe a node only when it proves to run them: the section
# [meta.lamadist] of the manifest, in lamactl's own words (docs/ATTESTATION.md).
DEPENDS += "${@'lamactl-native mtools-native nodejs-native' if d.getVar('LAMADIST_VERIFIED_BOOT') == '1' else ''}"
do_configure[prefuncs] += "lamadist_tell_pcrs"
python lamadist_tell_pcrs() {
    import glob, subprocess

    if d.getVar('LAMADIST_VERIFIED_BOOT') != '1':
        return
    folder = os.path.join(d.getVar('WORKDIR'), 'uki')
    bb.utils.remove(folder, recurse=True)
    bb.utils.mkdirhier(folder)
    esp = d.expand('${DEPLOY_DIR_IMAGE}/${LAMADIST_BUNDLE_IMAGE}${IMAGE_MACHINE_SUFFIX}${IMAGE_NAME_SUFFIX}.') + d.getVarFlag('RAUC_SLOT_esp', 'fstype')
    subprocess.run(['mcopy', '-i', esp, '::/EFI/Linux/lamadist-*.efi', folder], check=True)
    ukis = sorted(glob.glob(folder + '/*.efi'))
    told = subprocess.run(['lamactl', 'attest', 'learn', '--bundle-metadata', '--uki', *ukis], check=True, stdout=subprocess.PIPE, text=True)
    d.setVar('RAUC_MANIFEST_EXTRA_LINES', told.stdout)
}

do_bundle[prefuncs] += "lamadist_check_bundle_keys"
python lamadist_check_bundle_keys() {
    for variable in ('RAUC_KEY_FILE', 'RAUC_CERT_FILE', 'RAUC_KEYRING_FILE'):
        value = d.getVar(variable)
        if not value.startswith('pkcs11:') and not os.path.exists(value):
            bb.fatal('Cannot sign the bundle: %s is "%s", which is not there; docs/KEYS.md says how keys are made and named' % (variable, value))
}
