// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AccessKeeper } from '../../../../agent/daemon/access/access-keeper.ts';
import type { Trust } from '../../../../agent/daemon/access/authorities.ts';
import { accessNode, authorityNamed, NOW_MS, VALID } from './access-node.ts';

const old = await authorityNamed('home 1');
const next = await authorityNamed('home 2');
const ONE: Trust = { authorities: old.certificate, revocationLists: await old.list() };
const BOTH: Trust = { authorities: old.certificate + next.certificate, revocationLists: (await old.list()) + (await next.list()) };
const NEW: Trust = { authorities: next.certificate, revocationLists: await next.list() };

const der = (pem: string) => new X509Certificate(pem).raw;
const [oldAdmin, newAdmin] = [der(await old.issue('admin', 'client')), der(await next.issue('admin', 'client'))];

async function claimed(trust: Trust = ONE, issuer = old) {
  const { folder, files, key } = await accessNode();
  await files.writeClaim({ certificate: await issuer.issue('attic', 'server', key), trust, labels: { site: 'attic' } });
  let reloads = 0;
  const file = (name: string) => readFile(join(folder, name));
  let certificate = await file('node.pem');
  const keeper = new AccessKeeper({
    files,
    identity: () => ({ certificate, key: Buffer.from('') }),
    nodeKey: () => key,
    reload: async () => {
      reloads++;
      certificate = await file('node.pem');
    },
    nowMs: () => NOW_MS,
  });
  const version = async () => (await keeper.inForce()).version;
  return { keeper, key, version, reloads: () => reloads };
}

describe('the trust of a node', () => {
  it('is told with its version, the certificate and the labels', async () => {
    const { keeper } = await claimed();
    expect(await keeper.inForce()).toMatchObject({
      trust: ONE,
      version: expect.stringMatching(/^[0-9a-f]{16}$/),
      labels: { site: 'attic' },
    });
  });

  it('is replaced in steps: another authority beside the old one, new certificates, and the old one goes', async () => {
    const { keeper, key, version, reloads } = await claimed();
    await keeper.setTrust(BOTH, await version(), oldAdmin);
    await keeper.renew(await next.issue('attic', 'server', key));
    await keeper.setTrust(NEW, await version(), newAdmin);
    expect((await keeper.inForce()).trust).toEqual(NEW);
    expect(reloads()).toBe(3);
  });

  it('has other labels beside it when they are said', async () => {
    const { keeper } = await claimed();
    await keeper.setLabels({ role: 'nas' });
    expect((await keeper.inForce()).labels).toEqual({ role: 'nas' });
    await expect(keeper.setLabels({ 'no key': 'x' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect((await keeper.inForce()).labels).toEqual({ role: 'nas' });
  });

  it('is not replaced at once', async () => {
    const { keeper, version } = await claimed();
    await expect(keeper.setTrust(NEW, await version(), newAdmin)).rejects.toMatchObject({ code: 'TRUST_REFUSED' });
  });

  it('never shuts out who asks, nor the node itself', async () => {
    const { keeper, version } = await claimed(BOTH);
    const refused = { code: 'TRUST_REFUSED' };
    await expect(keeper.setTrust(NEW, await version(), oldAdmin)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('your certificate'),
    });
    await expect(keeper.setTrust(NEW, await version(), newAdmin)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("the node's certificate"),
    });
    const serial = new X509Certificate(oldAdmin).serialNumber;
    const revoking = { ...BOTH, revocationLists: (await old.list([serial])) + (await next.list()) };
    await expect(keeper.setTrust(revoking, await version(), oldAdmin)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('revoked'),
    });
    expect((await keeper.inForce()).trust).toEqual(BOTH);
  });

  it('takes back no revocation', async () => {
    const { keeper, version } = await claimed();
    const older = {
      ...ONE,
      revocationLists: await old.list([], { notBefore: new Date(VALID.notBefore.getTime() - 60_000), notAfter: VALID.notAfter }),
    };
    await expect(keeper.setTrust(older, await version(), oldAdmin)).rejects.toMatchObject({ message: expect.stringContaining('older') });
    await expect(keeper.setTrust({ ...ONE, revocationLists: '' }, await version(), oldAdmin)).rejects.toMatchObject({
      message: expect.stringContaining('taken away'),
    });
  });

  it('is changed by one administrator at a time', async () => {
    const { keeper, version } = await claimed();
    const seen = await version();
    const both = await Promise.allSettled([keeper.setTrust(BOTH, seen, oldAdmin), keeper.setTrust(BOTH, seen, oldAdmin)]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'TRUST_CHANGED' } }]);
  });
});

describe("the node's certificate", () => {
  it("is renewed only for the node's own key and name, by an authority that it trusts", async () => {
    const { keeper, key } = await claimed();
    const wrong = [
      await old.issue('attic', 'server'),
      await old.issue('cellar', 'server', key),
      await next.issue('attic', 'server', key),
      'junk',
    ];
    for (const certificate of wrong) await expect(keeper.renew(certificate)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const renewed = await old.issue('attic', 'server', key);
    await keeper.renew(renewed);
    expect((await keeper.inForce()).certificate).toBe(renewed);
  });
});
