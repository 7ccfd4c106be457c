# SPDX-License-Identifier: Apache-2.0
# Before anything is built: a build that stays at home gets development keys of its own, and a release is refused them, for one
# that is signed with a key from somebody's build folder cannot be taken back. make-development-keys marks its folder with a file.
# What is public is refused too: nodes would trust, or be sealed to, a key that anybody may have made.
LAMADIST_KEY_VARIABLES = " \
    GPG_PATH \
    IMA_EVM_KEY_DIR \
    IMA_EVM_PRIVKEY \
    IMA_EVM_ROOT_CA \
    IMA_EVM_X509 \
    LAMADIST_PCR_KEY \
    LAMADIST_PCR_PUBLIC_KEY \
    LAMADIST_UKI_CERT \
    LAMADIST_UKI_KEY \
    MODSIGN_KEY_DIR \
    MODSIGN_PRIVKEY \
    MODSIGN_X509 \
    RAUC_CERT_FILE \
    RAUC_KEYRING_FILE \
    RAUC_KEY_FILE \
"

def lamadist_development_keys(d):
    """The variables that name a file or folder of development keys, with what they name."""
    found = []
    for variable in d.getVar('LAMADIST_KEY_VARIABLES').split():
        value = d.getVar(variable) or ''
        folder = value if os.path.isdir(value) else os.path.dirname(value)
        for place in (folder, os.path.dirname(folder)):
            if place and os.path.exists(os.path.join(place, 'DEVELOPMENT-KEYS')):
                found.append('%s="%s"' % (variable, value))
                break
    if d.getVar('RPM_GPG_PASSPHRASE') == 'development':
        found.append('RPM_GPG_PASSPHRASE="development"')
    return found

python lamadist_refuse_development_keys() {
    if d.getVar('LAMADIST_RELEASE') != '1':
        return
    found = lamadist_development_keys(d)
    if found:
        bb.fatal('Cannot build a release: it would be signed with development keys: %s. docs/KEYS.md says how to name others.' % ', '.join(found))
}
python lamadist_make_development_keys() {
    import subprocess

    keys = d.getVar('LAMADIST_KEYS')
    used = [name for name in d.getVar('LAMADIST_KEY_VARIABLES').split() if (d.getVar(name) or '').startswith(keys + '/')]
    if not used or os.path.isdir(keys):
        return
    if d.getVar('LAMADIST_RELEASE') == '1' or keys != d.expand('${TOPDIR}/keys'):
        bb.fatal('Cannot sign what would be built: there is no folder "%s", where LAMADIST_KEYS looks for %s. docs/KEYS.md says what is in it.' % (keys, ', '.join(used)))
    made = subprocess.run([d.expand('${LAMADIST_LAYERDIR}/scripts/make-development-keys'), keys],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    if made.returncode != 0:
        bb.fatal('Cannot make development keys in "%s", which needs OpenSSL 3 and GnuPG: %s' % (keys, made.stdout.strip()))
    bb.plain(made.stdout.strip())
}

addhandler lamadist_refuse_development_keys
lamadist_refuse_development_keys[eventmask] = "bb.event.ConfigParsed"
addhandler lamadist_make_development_keys
lamadist_make_development_keys[eventmask] = "bb.event.ConfigParsed"
