# SPDX-License-Identifier: Apache-2.0
# A release that is signed with a key from somebody's build folder cannot be taken back: refuse it before anything is built.
# make-development-keys marks its folder with a file.
LAMADIST_KEY_VARIABLES = " \
    GPG_PATH \
    IMA_EVM_KEY_DIR \
    LAMADIST_PCR_KEY \
    LAMADIST_UKI_KEY \
    MODSIGN_KEY_DIR \
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
    return found

python lamadist_refuse_development_keys() {
    if d.getVar('LAMADIST_RELEASE') != '1':
        return
    found = lamadist_development_keys(d)
    if found:
        bb.fatal('Cannot build a release: it would be signed with development keys: %s. docs/BUILDING.md says how to name others.' % ', '.join(found))
}
addhandler lamadist_refuse_development_keys
lamadist_refuse_development_keys[eventmask] = "bb.event.ConfigParsed"
