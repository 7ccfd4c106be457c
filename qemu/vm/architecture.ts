// SPDX-License-Identifier: Apache-2.0

/** A processor that the machine can have: what its image and QEMU have to know of it. */
export interface Architecture {
  /** As BitBake's overrides name it. */
  readonly name: 'x86-64' | 'aarch64';
  /** What BitBake would call the machine: its image takes bundles of this one alone. */
  readonly machine: string;
  /** As UEFI names it in files. */
  readonly efi: 'x64' | 'aa64';
  /** What the layers' variables are, where this machine's differ from the board's. */
  readonly variables: Readonly<Record<string, string>>;
  /** Modules beside those that every kernel loads. */
  readonly kernelModules: readonly string[];
  /** Firmware that can enforce Secure Boot, and its empty memory. */
  readonly firmware: { readonly code: string; readonly variables: string };
  /** QEMU's program, and the options that no other machine has. */
  readonly qemu: readonly string[];
  /** The device of its TPM, for a machine that has one. */
  readonly tpm?: string;
}

export const X86_64: Architecture = {
  name: 'x86-64',
  machine: 'lamadist-x86-64',
  efi: 'x64',
  variables: {},
  kernelModules: ['aesni_intel', 'iTCO_wdt'],
  firmware: { code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  qemu: [
    // System management mode, so that the guest cannot write the firmware's memory.
    ...['qemu-system-x86_64', '-machine', 'q35,smm=on'],
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on', '-global', 'ICH9-LPC.disable_s3=1'],
    // Faster than `max` under emulation, with what Node.js and OpenSSL want, and with instructions for what boots and installs do most: SHA-256 and AES.
    ...['-cpu', 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+rdrand,+aes,+pclmulqdq,+sha-ni'],
  ],
  tpm: 'tpm-crb',
};

export const AARCH64: Architecture = {
  name: 'aarch64',
  // None of the layers' boards is this one.
  machine: 'lamadist-virt-arm64',
  efi: 'aa64',
  // Debian's kernel has no driver for the TPM of this machine: as the layers' boards for arm64, it has none. Nor is the kernel packed.
  variables: { LAMADIST_CONSOLE: 'console=ttyAMA0,115200', LAMADIST_DATA_ENCRYPTION: 'off', LAMADIST_ESP_MIB: '144' },
  kernelModules: [],
  firmware: { code: '/usr/share/AAVMF/AAVMF_CODE.secboot.fd', variables: '/usr/share/AAVMF/AAVMF_VARS.fd' },
  qemu: ['qemu-system-aarch64', '-machine', 'virt', '-cpu', 'cortex-a72'],
};
