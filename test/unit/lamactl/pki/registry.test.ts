// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type Registry, RegistryFile } from '../../../../agent/lamactl/pki/registry.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const EMPTY: Registry = { schema: 1, signing: 1, authorities: [], issued: [] };

describe('the registry', () => {
  it('is never written over what another lamactl wrote meanwhile', async () => {
    const folder = await temporaryFolder();
    const [one, other] = [new RegistryFile(folder), new RegistryFile(folder)];
    await one.write(EMPTY);
    await expect(other.write(EMPTY)).rejects.toMatchObject({ code: 'TRUST_CHANGED' });
    expect(await other.read()).toEqual(EMPTY);
    await other.write({ ...EMPTY, signing: 2 });
    await expect(one.write(EMPTY)).rejects.toMatchObject({ code: 'TRUST_CHANGED' });
    expect((await one.read()).signing).toBe(2);
  });

  it('names the command that makes it where there is none', async () => {
    await expect(new RegistryFile(await temporaryFolder()).read()).rejects.toMatchObject({
      message: expect.stringContaining('lamactl pki init'),
    });
  });
});
