// SPDX-License-Identifier: Apache-2.0
// What somebody who runs a node counts on, by the variables and recipes of the image that BitBake settled on.

interface Expectation {
  readonly variable: string;
  /** Words that the variable has. */
  readonly has?: readonly string[];
  /** Words that it has not. */
  readonly lacks?: readonly string[];
  /** What it is as a whole. */
  readonly is?: string;
}

/** The image that the expectations are of. */
export const EXPECTED_OF = 'lamadist-image-homelab';

const EVERY_BOARD: readonly Expectation[] = [
  {
    variable: 'DISTRO_FEATURES',
    has: [
      'systemd',
      'usrmerge',
      'selinux',
      'lamadist-agent',
      'xattr',
      'integrity',
      'ima',
      'modsign',
      'tpm2',
      'seccomp',
      'rauc',
      'virtualization',
      'k3s',
      'polkit',
      'pam',
    ],
    lacks: ['sysvinit', 'x11', 'wayland', 'bluetooth', 'wifi'],
  },
  { variable: 'VIRTUAL-RUNTIME_init_manager', is: 'systemd' },
  { variable: 'PREFERRED_PROVIDER_virtual/refpolicy', is: 'refpolicy-targeted' },
  { variable: 'DEFAULT_ENFORCING', is: 'enforcing' },
  { variable: 'PACKAGE_CLASSES', is: 'package_rpm' },
  { variable: 'INHERIT', has: ['sign_rpm', 'cve-check', 'lamadist-keys'] },
  { variable: 'INHERIT_DISTRO', has: ['create-spdx-3.0'], lacks: ['create-spdx'] },
  { variable: 'FULL_OPTIMIZATION', has: ['-Os'] },
  { variable: 'SECURITY_CFLAGS', has: ['-fstack-protector-strong'] },
  { variable: 'ZSTD_COMPRESSION_LEVEL', is: '-11' },
  { variable: 'IMAGE_FEATURES', has: ['read-only-rootfs'], lacks: ['debug-tweaks'] },
  { variable: 'IMAGE_INSTALL', has: ['core', 'security', 'homelab'].map((group) => `packagegroup-lamadist-${group}`) },
  { variable: 'BAD_RECOMMENDATIONS', has: ['rauc-mark-good'] },
];

const VERIFIED_BOOT: readonly Expectation[] = [
  { variable: 'IMAGE_FSTYPES', has: ['erofs-lz4hc', 'erofs-lz4hc.verity', 'vhash', 'wic.zst', 'wic.bmap'] },
  { variable: 'DM_VERITY_SEPARATE_HASH', is: '1' },
  { variable: 'INITRAMFS_IMAGE', is: 'lamadist-initramfs' },
  { variable: 'PREFERRED_PROVIDER_virtual/kernel', is: 'linux-yocto' },
  { variable: 'PREFERRED_VERSION_linux-yocto', is: '6.6%' },
];

const ARM_SLOTS: readonly Expectation[] = [
  { variable: 'DM_VERITY_ROOT_GUID', is: 'b921b045-1df0-41c3-af44-4c6f280d3fae' },
  { variable: 'DM_VERITY_RHASH_GUID', is: 'df3300ce-d69f-4c92-978c-9bfb0f38d820' },
  { variable: 'PREFERRED_PROVIDER_virtual/bootloader', is: 'u-boot' },
  { variable: 'LAMADIST_DATA_ENCRYPTION', is: 'off' },
  { variable: 'LAMADIST_ROOT_DEVICE', is: 'PARTLABEL=root-' },
];

/** What a board adds to that. A board that is missing here has no expectations of its own. */
const BOARDS: Readonly<Record<string, readonly Expectation[]>> = {
  x86_64: [
    ...VERIFIED_BOOT,
    // No processor of a NAS box is left out.
    { variable: 'TUNE_PKGARCH', is: 'corei7-64' },
    { variable: 'LAMADIST_MICROCODE', is: 'intel-microcode' },
    { variable: 'LAMADIST_DATA_ENCRYPTION', is: 'tpm2' },
    { variable: 'LAMADIST_ROOT_DEVICE', is: '/dev/mapper/root-' },
    { variable: 'DM_VERITY_ROOT_GUID', is: '4f68bce3-e8cd-4db1-96e7-fbcaf984b709' },
    { variable: 'DM_VERITY_RHASH_GUID', is: '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5' },
  ],
  rk1: [...VERIFIED_BOOT, ...ARM_SLOTS, { variable: 'UBOOT_MACHINE', is: 'turing-rk1-rk3588_defconfig' }],
  soquartz: [...VERIFIED_BOOT, ...ARM_SLOTS, { variable: 'UBOOT_MACHINE', is: 'soquartz-cm4-rk3566_defconfig' }],
  'orin-nx': [
    // What is flashed is what a bundle brings, and what the loader can read.
    { variable: 'IMAGE_FSTYPES', has: ['ext4', 'tegraflash'], lacks: ['erofs-lz4hc'] },
    { variable: 'IMAGE_TEGRAFLASH_FS_TYPE', is: 'ext4' },
    { variable: 'INITRAMFS_FSTYPES', has: ['cpio.gz'] },
    { variable: 'KERNEL_ARGS', has: ['ro'] },
    { variable: 'ROOTFSPART_SIZE', is: '8589934592' },
    { variable: 'USE_REDUNDANT_FLASH_LAYOUT', is: '1' },
    { variable: 'INITRAMFS_IMAGE', is: 'tegra-minimal-initramfs' },
    { variable: 'LAMADIST_DATA_ENCRYPTION', is: 'off' },
    { variable: 'LAMADIST_ROOT_DEVICE', is: 'PARTLABEL=root-' },
  ],
};

interface Recipes {
  readonly has: readonly string[];
  readonly lacks: readonly string[];
}

/** Recipes that an image is made of, and must not be made of. */
const RECIPES: Readonly<Record<string, Recipes>> = {
  'lamadist-image-minimal': {
    has: [
      'lamadist-agent',
      'lamadist-rauc-conf',
      'rauc',
      'nodejs',
      'systemd',
      'tpm2-tools',
      'refpolicy-targeted',
      'lamadist-factory-reset',
      'lamadist-repart',
      'lamadist-watchdog',
    ],
    lacks: ['k3s', 'podman', 'gdb', 'sysvinit'],
  },
  'lamadist-image-homelab': {
    has: ['lamadist-agent', 'k3s', 'lamadist-k3s-config', 'podman', 'mdadm', 'refpolicy-targeted'],
    lacks: ['gdb', 'sysvinit'],
  },
  'lamadist-image-dev': { has: ['lamadist-agent', 'lamactl', 'gdb', 'strace'], lacks: ['sysvinit'] },
};

/** What a board adds to that of every image. */
const BOARD_RECIPES: Readonly<Record<string, Recipes>> = {
  x86_64: { has: ['intel-microcode', 'linux-firmware', 'lamadist-boot-entries'], lacks: [] },
  'orin-nx': {
    has: ['l4t-launcher-extlinux', 'lamadist-tegra-data', 'linux-firmware', 'tegra-nvfancontrol', 'tegra-redundant-boot-base'],
    // Its service calls every start a good one.
    lacks: ['tegra-redundant-boot'],
  },
};

/** What kas/ has to add to each image, when all of it is added. */
const ADDITIONS: Readonly<Record<string, readonly string[]>> = {
  'lamadist-image-minimal': ['openscap', 'podman', 'scap-security-guide'],
  'lamadist-image-homelab': ['openscap', 'samba', 'scap-security-guide'],
};

/** What of that an image with these recipes is not made of. */
export function missingAdditions(target: string, recipes: readonly string[]): string[] {
  return (ADDITIONS[target] ?? []).filter((recipe) => !recipes.includes(recipe)).map((recipe) => `it is not made of ${recipe}`);
}

/** The values that `bitbake -e` prints, of one line each. */
export function readVariables(output: string): Map<string, string> {
  return new Map([...output.matchAll(/^(?:export )?([\w:./+-]+)="(.*)"$/gm)].map(([, name = '', value = '']) => [name, value]));
}

/** What is not as expected, in sentences. */
export function disappointments(board: string, variables: ReadonlyMap<string, string>): string[] {
  return [...EVERY_BOARD, ...(BOARDS[board] ?? [])].flatMap(({ variable, has = [], lacks = [], is }) => {
    const value = variables.get(variable) ?? '';
    const words = value.split(/[\s;]+/);
    return [
      ...(is === undefined || is === value ? [] : [`${variable} is "${value}" and not "${is}"`]),
      ...has.filter((word) => !words.includes(word)).map((word) => `${variable} lacks "${word}"`),
      ...lacks.filter((word) => words.includes(word)).map((word) => `${variable} has "${word}"`),
    ];
  });
}

/** The same for the recipes that `bitbake -g` found an image to be made of. */
export function recipeDisappointments(target: string, recipes: readonly string[], board: string): string[] {
  const image = RECIPES[target];
  if (image === undefined) return [];
  return [image, BOARD_RECIPES[board] ?? { has: [], lacks: [] }].flatMap(({ has, lacks }) => [
    ...has.filter((recipe) => !recipes.includes(recipe)).map((recipe) => `it is not made of ${recipe}`),
    ...lacks.filter((recipe) => recipes.includes(recipe)).map((recipe) => `it is made of ${recipe}`),
  ]);
}
