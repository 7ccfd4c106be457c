# SPDX-License-Identifier: Apache-2.0
# A key that is a PKCS#11 URI is reached through OpenSSL's engine, which loads the security module's own library:
# LAMADIST_PKCS11_MODULE = "/usr/lib/…/libtpm2_pkcs11.so". The word that opens it is the URI's business (pin-source=file:…).
LAMADIST_PKCS11_MODULE ?= ""
export PKCS11_MODULE_PATH = "${LAMADIST_PKCS11_MODULE}"
export RAUC_PKCS11_MODULE = "${LAMADIST_PKCS11_MODULE}"
# Where tpm2-pkcs11 keeps its tokens: kas gives BitBake another home than theirs.
export TPM2_PKCS11_STORE

LAMADIST_SIGNING_KEYS = "${LAMADIST_PCR_KEY} ${LAMADIST_UKI_KEY} ${RAUC_KEY_FILE}"
DEPENDS += "${@'libp11-native' if 'pkcs11:' in d.getVar('LAMADIST_SIGNING_KEYS') else ''}"
