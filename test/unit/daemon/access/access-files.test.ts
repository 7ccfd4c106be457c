// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accessNode, authorityNamed } from './access-node.ts';

const [old, next] = [await authorityNamed('home 1'), await authorityNamed('home 2')];
const ONE = { authorities: old.certificate, revocationLists: await old.list() };
const BOTH = { authorities: old.certificate + next.certificate, revocationLists: (await old.list()) + (await next.list()) };

/** A node at which the power is cut before a file is written. */
async function cutBefore(file: string) {
  const { folder, files, key } = await accessNode();
  await files.writeClaim({ certificate: await old.issue('attic', 'server', key), trust: ONE, labels: {} });
  await mkdir(join(folder, `${file}.tmp`));
  return files;
}

describe('a power cut while the trust is written', () => {
  it('leaves lists without authorities, never authorities without their lists: TLS would refuse everybody of those', async () => {
    const adding = await cutBefore('ca.pem');
    await expect(adding.writeTrust(BOTH, false)).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
    expect(await adding.trust()).toEqual({ authorities: ONE.authorities, revocationLists: BOTH.revocationLists });
  });

  it('takes authorities away before their lists', async () => {
    const dropping = await cutBefore('crl.pem');
    await expect(dropping.writeTrust({ authorities: next.certificate, revocationLists: await next.list() }, true)).rejects.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
    });
    expect(await dropping.trust()).toEqual({ authorities: next.certificate, revocationLists: ONE.revocationLists });
  });
});

it('does not take a node whose authorities lost their content for one that nobody claimed', async () => {
  const { folder, files } = await accessNode();
  expect(await files.isClaimed()).toBe(false);
  await writeFile(join(folder, 'ca.pem'), '');
  await expect(files.isClaimed()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('it is empty') });
});
