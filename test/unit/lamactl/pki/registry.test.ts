// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Issued, type Registry, RegistryFile } from '../../../../agent/lamactl/pki/registry.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const EMPTY: Registry = { schema: 1, signing: 1, authorities: [], issued: [] };

const issuedTo = (name: string): Issued => {
  return { serial_number: name, authority: 1, name, kind: 'client', role: 'reader', certificate: '', not_after: '2030-01-01T00:00:00Z' };
};

describe('the registry', () => {
  it('loses nothing of what several lamactls write at once', async () => {
    const folder = await temporaryFolder();
    await new RegistryFile(folder).create(EMPTY);
    const names = Array.from({ length: 8 }, (_, index) => `p${index}`);
    const changed = names.map((name) =>
      new RegistryFile(folder).change(async (registry) => {
        await setTimeout(5);
        return { registry: { ...registry, issued: [...registry.issued, issuedTo(name)] }, result: name };
      }),
    );
    expect(await Promise.all(changed)).toEqual(names);
    const { issued } = await new RegistryFile(folder).read();
    expect(issued.map(({ name }) => name).sort()).toEqual(names);
  });

  it('is made once, and stays as it was when a change fails', async () => {
    const file = new RegistryFile(await temporaryFolder());
    await file.create(EMPTY);
    await expect(file.create(EMPTY)).rejects.toMatchObject({ code: 'TRUST_CHANGED' });
    await expect(file.change(async () => Promise.reject(new Error('no passphrase')))).rejects.toThrow('no passphrase');
    expect(await file.change(async (registry) => ({ registry, result: registry }))).toEqual(EMPTY);
  });

  it('names the command that makes it where there is none', async () => {
    await expect(new RegistryFile(await temporaryFolder()).read()).rejects.toMatchObject({
      message: expect.stringContaining('lamactl pki init'),
    });
  });
});
