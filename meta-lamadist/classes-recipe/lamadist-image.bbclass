# SPDX-License-Identifier: Apache-2.0
# What every image of LamaDist is: an EROFS root under dm-verity, labelled for SELinux, signed for IMA, booted by a signed UKI.
# A machine that is flashed by its maker's tools (LAMADIST_VERIFIED_BOOT = "0") gets the same files in the root that its loader
# reads, without our boot chain.
inherit lamadist-required

LAMADIST_VERIFIED_BOOT ?= "1"
LAMADIST_ROOT_TYPE ?= "erofs-lz4hc"
IMAGE_FEATURES += "read-only-rootfs"
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "${LAMADIST_ROOT_TYPE} ${@'wic.zst wic.bmap' if d.getVar('LAMADIST_VERIFIED_BOOT') == '1' else '${LAMADIST_FLASH_TYPES}'}"
LAMADIST_FLASH_TYPES ?= ""
# As large as what is in it, and not as its partition: a bundle has all of it.
IMAGE_ROOTFS_SIZE = "0"
WKS_FILE_DEPENDS = "bmaptool-native dosfstools-native e2fsprogs-native mtools-native ${LAMADIST_WKS_DEPENDS}"
LAMADIST_WKS_DEPENDS ?= ""

DM_VERITY_IMAGE = "${PN}"
DM_VERITY_IMAGE_TYPE = "${LAMADIST_ROOT_TYPE}"
DM_VERITY_SEPARATE_HASH = "1"
DM_VERITY_IMAGE_DATA_BLOCK_SIZE = "4096"

# dm-verity-img would have the tool draw a salt and a number: the same root must have the same hash tree.
LAMADIST_VERITY_SALT ?= "${@__import__('hashlib').sha256(d.getVar('PN').encode()).hexdigest()}"
LAMADIST_VERITY_UUID ?= "6c616d61-6469-4074-8000-000000000002"
veritysetup() {
    command veritysetup --salt=${LAMADIST_VERITY_SALT} --uuid=${LAMADIST_VERITY_UUID} "$@"
}

inherit selinux-image
inherit_defer ${@'dm-verity-img lamadist-uki' if d.getVar('LAMADIST_VERIFIED_BOOT') == '1' else ''}
inherit_defer ima-evm-rootfs

# The agent's slots and RAUC's state are on /var; /etc is an overlay of it.
ROOTFS_POSTPROCESS_COMMAND += "lamadist_empty_var;"
# What packages put there would hide behind the data partition: tmpfiles makes what is needed.
lamadist_empty_var() {
    rm -rf ${IMAGE_ROOTFS}${localstatedir}/lib/rpm ${IMAGE_ROOTFS}${localstatedir}/cache
    : > ${IMAGE_ROOTFS}${sysconfdir}/machine-id
}
# With a root that is read-only, OpenEmbedded has sshd make its keys anew at every start; here they stay in /etc, which can be written.
# Appended: after what it takes back.
ROOTFS_POSTPROCESS_COMMAND:append = " lamadist_keep_host_keys"
lamadist_keep_host_keys() {
    if [ -e ${IMAGE_ROOTFS}${sysconfdir}/default/ssh ]; then
        sed -i -e '/^SYSCONFDIR=/d' -e '/^SSHD_OPTS=/d' ${IMAGE_ROOTFS}${sysconfdir}/default/ssh
    fi
}
