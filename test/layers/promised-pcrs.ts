// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { readBundleMetadata } from '../../agent/lamactl/bundle/bundle-metadata.ts';
import { readSignedManifest } from '../../agent/lamactl/bundle/signed-manifest.ts';
import { REPOSITORY } from './kas-build.ts';

const LIB = path.join(REPOSITORY, 'meta-lamadist/lib');
const SLOTS = ['a', 'b'] as const;
/** What the layer's own code, which signs the policy of PCR 11, takes PCR 11 for while services answer. */
const IN_SERVICE = `
import sys
sys.path.insert(0, sys.argv[1])
from lamadist.pcr_policy import PHASES, after_stub, extend, read_sections
value = after_stub(read_sections(sys.argv[2]))
for phase in [*PHASES, "shutdown"]:
    value = extend(value, phase.encode())
    if phase not in PHASES[:2]:
        print(value.hex())`;

/** Which values of PCR 4 and 11 a bundle promises under its signature: those of every slot's UKI in `esp`, and no others. */
export async function checkPromisedPcrs(bundle: string, esp: string, keys: string): Promise<string[]> {
  const authority = new X509Certificate(await readFile(path.join(keys, 'bundle-ca.crt')));
  const pins = readBundleMetadata(await readSignedManifest(bundle, [authority], Date.now()), 'sha256');
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-uki-'));
  try {
    const values = await Promise.all(
      SLOTS.map(async (slot) => {
        const uki = path.join(folder, `${slot}.efi`);
        await execa('mcopy', ['-i', esp, `::/EFI/Linux/lamadist-${slot}.efi`, uki]);
        return (await execa('python3', ['-B', '-c', IN_SERVICE, LIB, uki])).stdout.trim().split('\n');
      }),
    );
    const inService = values.flat();
    const promised = pins['11']?.values ?? [];
    const name = path.basename(bundle);
    return [
      ...(JSON.stringify([...promised].sort()) === JSON.stringify(inService.sort())
        ? []
        : [`${name} promises PCR 11 to be ${promised.join(' or ') || 'nothing'} and not ${inService.join(' or ')}`]),
      // With and without Secure Boot, for each slot.
      ...(pins['4']?.values.length === 2 * SLOTS.length ? [] : [`${name} does not say what PCR 4 of each slot is`]),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
