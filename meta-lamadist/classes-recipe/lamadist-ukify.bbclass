# SPDX-License-Identifier: Apache-2.0
# Makes one UKI: measured, with the signature of what PCR 11 will be, and signed for Secure Boot.
inherit lamadist-pkcs11 python3native

require conf/image-uefi.conf

DEPENDS += "systemd-boot-native python3-pefile-native sbsigntool-native dosfstools-native mtools-native openssl-native"
do_uki[file-checksums] += "${LAMADIST_LAYERDIR}/lib/lamadist/pcr_policy.py:True"
# The recipe that deploys microcode.cpio, for a machine that has one.
LAMADIST_MICROCODE ?= ""
LAMADIST_UKI_DEPENDS = "virtual/kernel:do_deploy systemd-boot:do_deploy ${@' '.join(recipe + ':do_deploy' for recipe in d.getVar('LAMADIST_MICROCODE').split())}"
# Words of one build, such as the fingerprint of its administrator: measured and signed with all the others.
LAMADIST_EXTRA_CMDLINE ?= ""
LAMADIST_CONSOLE ?= ""
# Our distribution names them (lamadist-keys.inc); another one that does not has the images parsed, and refused when they are made.
LAMADIST_UKI_KEY ??= ""
LAMADIST_UKI_CERT ??= ""
LAMADIST_PCR_KEY ??= ""
LAMADIST_PCR_PUBLIC_KEY ??= ""

def lamadist_key(d, variable):
    """The key that `variable` names: a file that is there, or a PKCS#11 URI."""
    value = d.getVar(variable)
    if not value.startswith('pkcs11:') and not os.path.exists(value):
        bb.fatal('Cannot sign the UKI: %s is "%s", which is not there; docs/KEYS.md says how keys are made and named' % (variable, value))
    return value

def lamadist_ukify(d, uki, initramfs, os_release, words):
    """Writes the UKI `uki` with that initramfs image's archive, that os-release file and the command line of these words."""
    import subprocess

    deploy = d.getVar('DEPLOY_DIR_IMAGE')
    microcode = ['--initrd=%s/microcode.cpio' % deploy] if d.getVar('LAMADIST_MICROCODE') else []
    engine = ['--signing-engine=pkcs11'] if d.getVar('LAMADIST_UKI_KEY').startswith('pkcs11:') else []
    common = [
        'ukify', 'build', '--efi-arch=' + d.getVar('EFI_ARCH'),
        '--stub=%s/linux%s.efi.stub' % (deploy, d.getVar('EFI_ARCH')),
        '--linux=%s/%s' % (deploy, d.getVar('KERNEL_IMAGETYPE')),
        *microcode,
        '--initrd=%s/%s-%s.%s' % (deploy, initramfs, d.getVar('MACHINE'), d.getVar('INITRAMFS_FSTYPES')),
        '--os-release=@' + os_release,
        '--cmdline=' + ' '.join(' '.join(words).split()),
        '--pcrpkey=' + lamadist_key(d, 'LAMADIST_PCR_PUBLIC_KEY')]
    # Twice: what the signature of PCR 11 covers is what the first one holds.
    subprocess.run([*common, '--output=' + uki + '.unsigned'], check=True)
    # By the Python that was built, for pefile is in its path and need not be in the builder's.
    with open(uki + '.pcrsig', 'w') as out:
        signed = subprocess.run(['python3', d.getVar('LAMADIST_LAYERDIR') + '/lib/lamadist/pcr_policy.py', uki + '.unsigned',
            lamadist_key(d, 'LAMADIST_PCR_KEY'), lamadist_key(d, 'LAMADIST_PCR_PUBLIC_KEY')], stdout=out, stderr=subprocess.PIPE, text=True)
    if signed.returncode != 0:
        bb.fatal('%s; docs/KEYS.md says how keys are made and named' % signed.stderr.strip())
    subprocess.run([*common, *engine, '--section=.pcrsig:@' + uki + '.pcrsig', '--signtool=sbsign',
        '--secureboot-private-key=' + lamadist_key(d, 'LAMADIST_UKI_KEY'),
        '--secureboot-certificate=' + lamadist_key(d, 'LAMADIST_UKI_CERT'), '--output=' + uki], check=True)
