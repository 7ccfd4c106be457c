// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AccessFiles } from '../../../../agent/daemon/access/access-files.ts';
import { Claiming } from '../../../../agent/daemon/access/claim.ts';
import { certificateFingerprint } from '../../../../agent/shared/fingerprint.ts';
import { accessNode, authorityNamed, NOW_MS } from './access-node.ts';

const home = await authorityNamed('home 1');
const other = await authorityNamed('other');
const fingerprintOf = (pem: string) => certificateFingerprint(new X509Certificate(pem));

async function unclaimed(pinned: readonly string[] = []) {
  const node = await accessNode();
  const rules = { key: node.key, pinned: new Set(pinned), nowMs: () => NOW_MS };
  const trust = { authorities: home.certificate, revocationLists: await home.list() };
  const claim = { certificate: await home.issue('attic', 'server', node.key), trust, labels: { role: 'k3s' } };
  return { ...node, claiming: new Claiming(node.files, rules), claim };
}

describe('a claim', () => {
  it('gives the node its administrator, durably', async () => {
    const { folder, files, claiming, claim } = await unclaimed();
    expect(await files.isClaimed()).toBe(false);
    await claiming.claim(claim);
    const after = new AccessFiles(folder);
    expect([await after.isClaimed(), await after.trust(), await after.labels()]).toEqual([true, claim.trust, claim.labels]);
    expect((await readdir(folder)).sort()).toEqual(['ca.pem', 'crl.pem', 'labels.json', 'node.pem']);
  });

  it('is made once', async () => {
    const { claiming, claim } = await unclaimed();
    await claiming.claim(claim);
    await expect(claiming.claim(claim)).rejects.toMatchObject({ code: 'ALREADY_CLAIMED' });
  });

  it('is looked at alone: of two at a time one is sent away', async () => {
    const { claiming, claim } = await unclaimed();
    const both = await Promise.allSettled([claiming.claim(claim), claiming.claim(claim)]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'TOO_MANY_CALLS' } }]);
  });

  it('leaves the node unclaimed while it is refused', async () => {
    const { files, key, claiming, claim } = await unclaimed();
    const wrong = [
      { ...claim, certificate: await home.issue('attic', 'server') },
      { ...claim, certificate: await other.issue('attic', 'server', key) },
      { ...claim, certificate: await home.issue('attic', 'client', key) },
      { ...claim, certificate: 'junk' },
      { ...claim, trust: { authorities: '', revocationLists: '' } },
      { ...claim, labels: { 'no key': 'x' } },
    ];
    for (const each of wrong) await expect(claiming.claim(each)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await files.isClaimed()).toBe(false);
    await claiming.claim(claim);
  });

  it('is only for the authority that the kernel command line pins', async () => {
    const { claiming, claim } = await unclaimed([fingerprintOf(other.certificate)]);
    await expect(claiming.claim(claim)).rejects.toMatchObject({ code: 'CLAIM_REFUSED' });
    const beside = { authorities: home.certificate + other.certificate, revocationLists: '' };
    await expect(claiming.claim({ ...claim, trust: beside })).rejects.toMatchObject({ code: 'CLAIM_REFUSED' });
    const pinned = await unclaimed([fingerprintOf(home.certificate)]);
    await pinned.claiming.claim(pinned.claim);
  });

  it('that was cut off before its last file is none, and is made anew', async () => {
    const { folder, files, claiming, claim } = await unclaimed();
    await mkdir(join(folder, 'ca.pem.tmp'));
    await expect(claiming.claim(claim)).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
    expect([await files.isClaimed(), (await readdir(folder)).includes('node.pem')]).toEqual([false, true]);
    await rmdir(join(folder, 'ca.pem.tmp'));
    await claiming.claim(claim);
    expect(await files.isClaimed()).toBe(true);
  });
});
