// SPDX-License-Identifier: Apache-2.0
import { copyFile, rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetContext } from '../../../../agent/lamactl/contexts/context-file.ts';
import { readIdentity } from '../../../../agent/lamactl/contexts/identity-files.ts';
import { connectAsNow } from '../../../../agent/lamactl/fleet/current-identity.ts';
import type { Connect, NodeConnection } from '../../../../agent/lamactl/node/node.ts';
import type { Identity } from '../../../../agent/shared/tls.ts';
import { Certificates } from '../certificates.ts';

const certificates = new Certificates();
beforeAll(() => {
  for (const authority of ['ca', 'next']) certificates.authority(authority);
  certificates.leaf('admin', 'ca');
});
afterAll(() => certificates.remove());

const context: FleetContext = {
  name: 'home',
  ca: certificates.path('trusted.pem'),
  certificate: certificates.path('admin.pem'),
  key: certificates.path('admin.key'),
  nodes: {},
};

describe('the certificates of a command that outlives them', () => {
  it('are those of the moment, read again only when a file changed, and those of before when one cannot be used', async () => {
    await copyFile(certificates.path('ca.pem'), context.ca);
    const identity = await readIdentity(context);
    const seen: Identity[] = [];
    const connect: Connect = async (target) => {
      seen.push(target.identity);
      return {} as NodeConnection;
    };
    const open = connectAsNow(connect, context);
    const target = { name: 'attic', address: '127.0.0.1:1', tlsName: 'attic', labels: {}, identity };
    const options = { timeoutMs: 1 };

    await open(target, options);
    await open(target, options);
    expect(seen[1]).toBe(seen[0]);

    await copyFile(certificates.path('next.pem'), certificates.path('new.pem'));
    await rename(certificates.path('new.pem'), context.ca);
    await open(target, options);
    expect(seen[2]?.ca).not.toEqual(seen[0]?.ca);

    await rm(context.ca);
    await open(target, options);
    expect(seen[3]).toBe(seen[2]);
  });
});
