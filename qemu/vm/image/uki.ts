// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../host/command.ts';
import { expand, type LayerVariables } from '../../layers/bitbake-text.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import type { Architecture } from '../architecture.ts';
import { encryptionOf } from '../layers.ts';

const QUICK_MS = 120_000;
/** Prints the section .pcrsig of a UKI: the layer's own code, which a build without systemd's calculator runs too. */
const SIGN_PCR_POLICY =
  'import sys; sys.path.insert(0, sys.argv[1]); from lamadist.pcr_policy import sign_uki; print(sign_uki(*sys.argv[2:]), end="")';

export interface UkiContent {
  readonly slot: 'a' | 'b';
  readonly rootHash: string;
  /** Further words of the command line, for variants. */
  readonly words: readonly string[];
}

/** The command line of a slot's UKI, in the words of lamadist-uki.bbclass. */
export function commandLine({ slot, rootHash, words }: UkiContent, variables: LayerVariables): string {
  return [
    'root=/dev/mapper/root',
    `roothash=${rootHash}`,
    `systemd.verity_root_data=${encryptionOf(variables).root ? '/dev/mapper/' : 'PARTLABEL='}root-${slot}`,
    `systemd.verity_root_hash=PARTLABEL=root-${slot}-verity`,
    'systemd.verity_root_options=panic-on-corruption',
    `rauc.slot=${slot.toUpperCase()}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: BitBake's
    expand('${LAMADIST_CMDLINE}', variables),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: BitBake's
    expand('${LAMADIST_EXTRA_CMDLINE}', variables),
    ...words,
  ].join(' ');
}

/**
 * Writes lamadist-SLOT.efi into the folder, which holds what goes in: vmlinuz, initramfs.zst, stub.efi, os-release, keys/ and lib/ (the
 * layer's). Signed for Secure Boot and, with what PCR 11 will be, for the TPM. Returns its name.
 */
export async function buildUki(
  tools: Root,
  folder: string,
  content: UkiContent,
  { efi, variables }: { efi: Architecture['efi']; variables: LayerVariables },
): Promise<string> {
  const name = `lamadist-${content.slot}.efi`;
  await writeFile(path.join(folder, `${name}.cmdline`), commandLine(content, variables));
  const common = [
    ...['ukify', 'build', `--efi-arch=${efi}`, `--stub=${WORK}/stub.efi`, `--linux=${WORK}/vmlinuz`, `--initrd=${WORK}/initramfs.zst`],
    ...[`--os-release=@${WORK}/os-release`, `--cmdline=@${WORK}/${name}.cmdline`, `--pcrpkey=${WORK}/keys/pcr.pub`],
  ];
  const inTools = (command: readonly string[]) => run(inRoot(tools, folder, command), { timeoutMs: QUICK_MS });
  // Twice, as lamadist-ukify.bbclass does: what the signature of PCR 11 covers is what the first one holds.
  await inTools([...common, `--output=${WORK}/${name}.unsigned`]);
  const keys = [`${WORK}/keys/pcr.key`, `${WORK}/keys/pcr.pub`];
  const signature = await inTools(['python3', '-c', SIGN_PCR_POLICY, `${WORK}/lib`, `${WORK}/${name}.unsigned`, ...keys]);
  await writeFile(path.join(folder, `${name}.pcrsig`), signature);
  const secureBoot = [`--secureboot-private-key=${WORK}/keys/secure-boot.key`, `--secureboot-certificate=${WORK}/keys/secure-boot.crt`];
  await inTools([...common, `--section=.pcrsig:@${WORK}/${name}.pcrsig`, '--signtool=sbsign', ...secureBoot, `--output=${WORK}/${name}`]);
  return name;
}

/** The root hash that veritysetup(8) wrote down. */
export async function rootHash(folder: string): Promise<string> {
  return (await readFile(path.join(folder, 'root-hash'), 'utf8')).trim();
}
