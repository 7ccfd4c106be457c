# SPDX-License-Identifier: Apache-2.0
"""What PCR 11 will be when a UKI has booted, and a signature that lets a TPM trust it: the section .pcrsig.

As systemd-stub(7) and systemd-pcrphase(8) measure it. systemd's own calculator is a program of the target, which a build
cannot run.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile

PCR = 11
# In the order in which the stub measures them, whatever their order in the file. .pcrsig is not measured: it is the result.
MEASURED_SECTIONS = [".linux", ".osrel", ".cmdline", ".initrd", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey"]
# A secret is released in each of them: systemd extends the next word when the phase before it ends.
PHASES = ["enter-initrd", "leave-initrd", "sysinit", "ready"]

TPM_CC_POLICY_PCR = bytes.fromhex("0000017f")
TPM_ALG_SHA256 = bytes.fromhex("000b")


def sha256(data):
    return hashlib.sha256(data).digest()


def extend(value, data):
    return sha256(value + sha256(data))


def after_stub(sections):
    """PCR 11 when the stub has measured `sections`, a dictionary of name and content."""
    value = bytes(32)
    for name in MEASURED_SECTIONS:
        if name in sections:
            value = extend(value, name.encode() + b"\0")
            value = extend(value, sections[name])
    return value


def policy_digest(value):
    """TPM2_PolicyPCR's digest for PCR 11 = `value` (TPM 2.0 library, part 3, PolicyPCR)."""
    bitmap = bytearray(3)
    bitmap[PCR // 8] |= 1 << (PCR % 8)
    selection = bytes.fromhex("00000001") + TPM_ALG_SHA256 + bytes([3]) + bytes(bitmap)
    return sha256(bytes(32) + TPM_CC_POLICY_PCR + selection + sha256(value))


def signature_section(sections, sign, fingerprint):
    """The text of .pcrsig: one signature for each phase. `sign` signs bytes, `fingerprint` names its public key in hex."""
    value = after_stub(sections)
    entries = []
    for phase in PHASES:
        value = extend(value, phase.encode())
        policy = policy_digest(value)
        entries.append(
            {"pcrs": [PCR], "pkfp": fingerprint, "pol": policy.hex(), "sig": base64.b64encode(sign(policy)).decode()}
        )
    return json.dumps({"sha256": entries})


def read_sections(path):
    """The measured sections of a PE file: their virtual size, without the padding of the file."""
    import pefile

    pe = pefile.PE(path, fast_load=True)
    found = {}
    for section in pe.sections:
        name = section.Name.rstrip(b"\0").decode()
        if name in MEASURED_SECTIONS:
            found[name] = section.get_data(length=section.Misc_VirtualSize)
    return found


class CannotSign(Exception):
    """Why there is no signature."""


def openssl(arguments, data=b""):
    ended = subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ended.returncode != 0:
        raise CannotSign(f"openssl {arguments[0]} ended with {ended.returncode}: {ended.stderr.decode(errors='replace').strip()}")
    return ended.stdout


def signer(key):
    """What signs bytes with `key`: a file, or a PKCS#11 URI that OpenSSL's engine knows."""
    engine = ["-engine", "pkcs11", "-keyform", "engine"] if key.startswith("pkcs11:") else []
    return lambda data: openssl(["dgst", "-sha256", *engine, "-sign", key], data)


def fingerprint_of(public_key):
    """How the section names a public key, which is a file of PEM."""
    return sha256(openssl(["rsa", "-pubin", "-in", public_key, "-RSAPublicKey_out", "-outform", "DER"])).hex()


def verified(sign, key, public_key):
    """`sign`, each of whose signatures is verified with `public_key` before it is used.

    Without that, a node seals its disk to one key at its first boot, and is given the signatures of another at the next.
    """

    def sign_and_verify(data):
        signature = sign(data)
        with tempfile.NamedTemporaryFile() as file:
            file.write(signature)
            file.flush()
            try:
                openssl(["dgst", "-sha256", "-verify", public_key, "-signature", file.name], data)
            except CannotSign as error:
                raise CannotSign(f'"{public_key}" is not the public key of "{key}"') from error
        return signature

    return sign_and_verify


def sign_uki(path, key, public_key):
    """The section .pcrsig for the UKI at `path`."""
    sign = verified(signer(key), key, public_key)
    return signature_section(read_sections(path), sign, fingerprint_of(public_key))


if __name__ == "__main__":
    # usage: pcr_policy.py UKI KEY PUBLIC_KEY
    try:
        print(sign_uki(*sys.argv[1:]), end="")
    except CannotSign as error:
        sys.exit(f"Cannot sign what PCR 11 will be: {error}")
