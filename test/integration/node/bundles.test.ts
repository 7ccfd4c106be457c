// SPDX-License-Identifier: Apache-2.0
import { createCipheriv } from 'node:crypto';
import { copyFile, open, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../../agent/shared/failure.ts';
import { type BundleRequest, bundleFormat } from '../../../qemu/bundle/build-bundle.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import type { Image } from '../../../qemu/image/image-recipe.ts';
import type { ImageFile } from '../../../qemu/image/product-files.ts';
import { CertificateAuthority, type Credentials } from '../../../qemu/pki/certificate-authority.ts';
import { journaled, report, slotHashes } from './ask-node.ts';
import { IN_VM, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

const HOUR_MS = 3_600_000;
/** Version 1 and a bit; in the machine, the disk's layout says how large a slot is. */
const SLOT = IN_VM ? {} : { slotBytes: 112 << 20 };
/** Nothing that a compressor could make less of, and the same each time. */
const noise = (name: string, sizeBytes: number): ImageFile => ({
  path: `/usr/share/${name}`,
  content: createCipheriv('aes-128-ctr', name.padEnd(16, '-'), Buffer.alloc(16)).update(Buffer.alloc(sizeBytes)),
});
/** What does not fit the slot beside a whole system. */
const LARGE = noise('large', IN_VM ? 128 << 20 : 24 << 20);
/** What version 2 has and version 1 has not: an adaptive update reads it from the bundle, and little else. */
const NEW = noise('new', 1 << 20);

interface BadBundle {
  readonly is: string;
  readonly code: FailureCode;
  /** Shows only while it is read, in a bundle that has a hash for each block and none for the whole. */
  readonly showsLate?: true;
  /** Makes it; `good` is a bundle of version 2 on this machine that could be installed. */
  make(homelab: Homelab, good: string, image: Image): Promise<string>;
}

/** A bundle of the same image, made or signed in another way. */
const built =
  (version: string, request: Partial<BundleRequest> | ((homelab: Homelab) => Promise<Partial<BundleRequest>>)) =>
  async (homelab: Homelab, _good: string, image: Image): Promise<string> => {
    const settings = typeof request === 'function' ? await request(homelab) : request;
    return homelab.bundle({ ...image, version }, settings);
  };

/** A copy of the good bundle with some octets other than they were. */
const damaged =
  (name: string, damage: (file: string, sizeBytes: number) => Promise<void>) =>
  async (_homelab: Homelab, good: string): Promise<string> => {
    const file = path.join(path.dirname(good), `${name}.raucb`);
    await copyFile(good, file);
    await damage(file, (await readFile(file)).length);
    return file;
  };

async function flipBit(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+');
  const octet = Buffer.alloc(1);
  await handle.read(octet, 0, 1, offset);
  await handle.write(Buffer.from([octet[0]! ^ 1]), 0, 1, offset);
  await handle.close();
}

/** Signed by an authority that the node does not know, which calls itself the same. */
async function stranger(): Promise<Credentials> {
  const authority = await CertificateAuthority.create('LamaDist test bundles');
  return authority.issue({ commonName: 'bundle signer', purpose: 'code-signing' });
}

const signed =
  (fromMs: number, toMs: number, purpose: 'code-signing' | 'client' = 'code-signing') =>
  async ({ pki }: Homelab) => {
    const validity = { notBefore: new Date(Date.now() + fromMs), notAfter: new Date(Date.now() + toMs) };
    return { signer: await pki.bundleAuthority.issue({ commonName: 'bundle signer', purpose, validity }) };
  };

const BAD_BUNDLES: readonly BadBundle[] = [
  // The last eight octets say how long the signature is (RAUC's manual, "Bundle formats").
  {
    is: 'unsigned',
    code: 'BUNDLE_INVALID',
    make: damaged('unsigned', async (file, size) => {
      const bytes = await readFile(file);
      await truncate(file, size - 8 - Number(bytes.readBigUInt64BE(size - 8)));
    }),
  },
  { is: 'signed by a stranger', code: 'BUNDLE_UNTRUSTED', make: built('2.1', async () => ({ signer: await stranger() })) },
  { is: 'signed with a key for something else', code: 'BUNDLE_UNTRUSTED', make: built('2.2', signed(-HOUR_MS, HOUR_MS, 'client')) },
  { is: 'signed with an expired certificate', code: 'BUNDLE_UNTRUSTED', make: built('2.3', signed(-2 * HOUR_MS, -HOUR_MS)) },
  {
    is: 'signed with a certificate of tomorrow',
    code: 'CERTIFICATE_NOT_YET_VALID',
    make: built('2.5', signed(24 * HOUR_MS, 25 * HOUR_MS)),
  },
  { is: 'truncated', code: 'BUNDLE_INVALID', make: damaged('truncated', (file, size) => truncate(file, Math.floor(size / 2))) },
  { is: 'empty', code: 'BUNDLE_INVALID', make: damaged('empty', (file) => truncate(file, 0)) },
  { is: 'no bundle at all', code: 'BUNDLE_INVALID', make: damaged('text', (file) => writeFile(file, 'not a bundle\n'.repeat(1000))) },
  {
    is: 'bit-flipped in its image',
    code: 'BUNDLE_INVALID',
    showsLate: true,
    make: damaged('image', async (file) => {
      const piece = Buffer.from(NEW.content)
        .subarray(NEW.content.length >> 1)
        .subarray(0, 64);
      await flipBit(file, (await readFile(file)).indexOf(piece));
    }),
  },
  { is: 'bit-flipped in its first octet', code: 'BUNDLE_INVALID', make: damaged('first', (file) => flipBit(file, 0)) },
  { is: 'bit-flipped in its signature', code: 'BUNDLE_INVALID', make: damaged('signature', (file, size) => flipBit(file, size - 40)) },
  {
    is: 'bit-flipped in the length of its signature',
    code: 'BUNDLE_INVALID',
    make: damaged('length', (file, size) => flipBit(file, size - 8)),
  },
  { is: 'for another kind of node', code: 'BUNDLE_INCOMPATIBLE', make: built('2.4', { compatible: 'lamadist-rk1' }) },
  { is: 'older than what runs', code: 'DOWNGRADE_REFUSED', make: built('0.9', {}) },
  {
    is: 'too large for the slot',
    code: 'BUNDLE_TOO_LARGE',
    make: async (homelab) => homelab.bundle(await homelab.image('3', { files: [LARGE] })),
  },
];

/** Whether the slot is written to before anybody can tell that the bundle is bad. */
const showsLate = (bundle: BadBundle): boolean => (IN_VM || bundleFormat() === 'verity') && bundle.showsLate === true;

describe('a bad bundle', { timeout: SCENARIO_MS }, () => {
  it('of each kind is refused with a code of its own, and touches neither slot, or one that is never booted', () =>
    onNode({ files: [NEW], node: { ...SLOT, config: { updates: { 'clock-patience': '3s' } } } }, async ({ homelab, node }) => {
      const good = homelab.bundlePath('2');
      const image = await homelab.image('2', { files: [NEW] });
      const outcomes: Record<string, string> = {};
      const remedies: Record<string, boolean> = {};
      const tryAll = async (bundles: readonly BadBundle[]) => {
        for (const { is, code, make } of bundles) {
          const { exitCode, all } = await homelab.lamactl(['install', '--on-node', await node.deliver(await make(homelab, good, image))]);
          const state = await journaled(node);
          outcomes[is] = `${exitCode} ${state.phase} ${'reason' in state && state.reason.code}`;
          remedies[is] = String(all).includes(FAILURES[code].remedy);
        }
      };
      const [late, early] = [BAD_BUNDLES.filter(showsLate), BAD_BUNDLES.filter((bundle) => !showsLate(bundle))];
      const slots = async () => ({ hashes: await slotHashes(node), states: (await report(homelab)).slots });
      const before = await slots();
      await tryAll(early);
      expect(await slots()).toEqual(before);
      await tryAll(late);
      expect(outcomes).toEqual(Object.fromEntries(BAD_BUNDLES.map(({ is, code }) => [is, `8 failed ${code}`])));
      expect(remedies, 'what lamactl said is to be done').toEqual(Object.fromEntries(BAD_BUNDLES.map(({ is }) => [is, true])));
      expect(await report(homelab)).toMatchObject({
        version: '1',
        booted: 'A',
        slots: { A: before.states.A, B: late.length > 0 ? '2 failed bad' : before.states.B },
      });
      // The node is none the worse for it.
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', await node.deliver(good)]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
    }));
});
