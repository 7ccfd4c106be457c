// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { RolloutCopy } from '../../../../agent/lamactl/node/node-rollout.ts';
import { revocationList } from '../../../../agent/lamactl/pki/certificates.ts';
import { memorySigner } from '../../../../agent/lamactl/pki/memory-signer.ts';
import type { Journaled } from '../../../../agent/lamactl/rollout/journal.ts';
import { type OpenParts, readRollout, takeRollout } from '../../../../agent/lamactl/rollout/open-rollout.ts';
import type { Plan } from '../../../../agent/lamactl/rollout/plan.ts';
import { packPlan, packProgress } from '../../../../agent/lamactl/rollout/record.ts';
import { RecordSeal } from '../../../../agent/lamactl/rollout/seal.ts';
import { begin, type RolloutState } from '../../../../agent/lamactl/rollout/state.ts';
import { Certificates } from '../certificates.ts';
import { FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';
import { named, planOf } from './plans.ts';
import { targetOf } from './slot-node.ts';

const certificates = new Certificates();
for (const authority of ['ca', 'other-ca']) certificates.authority(authority);
certificates.leaf('admin', 'ca');
certificates.leaf('thief', 'ca');
certificates.leaf('other-admin', 'other-ca');
certificates.leaf('reader', 'ca', 3000, 'lamadist:reader');
certificates.leaf('node', 'ca', 3000, 'a node');
afterAll(() => certificates.remove());

const read = (file: string): Buffer => readFileSync(certificates.path(file));
const REVOKED = await revocationList(
  { certificate: read('ca.pem').toString(), signer: memorySigner(createPrivateKey(read('ca.key'))) },
  {
    number: 2,
    revoked: [{ serialNumber: new X509Certificate(read('thief.pem')).serialNumber, at: new Date() }],
    validity: { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) },
  },
);

const PLAN = named({ ...planOf([['a'], ['b', 'c']]), witnesses: ['a', 'b', 'c'] });
const PAUSED: RolloutState = { ...begin(PLAN), phase: 'paused', why: 'an administrator paused it' };
const signal = new AbortController().signal;

function sealOf(who: string): RecordSeal {
  const identity = { ca: Buffer.concat([read('ca.pem'), Buffer.from(REVOKED)]), certificate: read(`${who}.pem`), key: read(`${who}.key`) };
  return new RecordSeal({ identity: async () => identity, now: () => Date.now() });
}

async function copyOf(state: RolloutState, more: Partial<RolloutCopy> = {}, who = 'admin', epoch = 1, sequence = 3): Promise<RolloutCopy> {
  const { id, witnesses } = PLAN;
  const progress = await sealOf(who).close({ rolloutId: id, epoch, holder: 'laptop/1', sequence, progress: packProgress(state) });
  const known = { id, epoch, holder: 'laptop/1', sequence, writtenEpoch: epoch, witnesses, summary: '', ended: false };
  return { ...known, plan: packPlan(PLAN), progress, ...more };
}

/** What the witnesses answer, in this order; the last one comes late. */
function parts(copies: Readonly<Record<string, RolloutCopy>>, own: Plan | undefined = PLAN, journaled?: Journaled): OpenParts {
  const names = Object.keys(copies);
  return {
    connect: async ({ name }) => {
      if (name === names.at(-1)) await new Promise((resolve) => setTimeout(resolve, 20));
      const node = new FakeNode();
      const answer = async () => copies[name]!;
      node.answers = { rollout: answer, takeRollout: answer, rollouts: async () => [copies[name]!] };
      return node.connect(targetOf(name), { timeoutMs: 1_000 });
    },
    clock: new FakeClock(),
    timeoutMs: 1_000,
    patienceMs: 1_000,
    journal: { plan: async () => own, read: async () => journaled },
    seal: sealOf('admin'),
    targets: names.map((name) => targetOf(name)),
  };
}

describe('a rollout that is taken', () => {
  it('goes on from the newest record', async () => {
    const [old, newer] = [await copyOf(begin(PLAN)), await copyOf(PAUSED, {}, 'admin', 2, 1)];
    const taken = await takeRollout(PLAN.id, 'me/1', parts({ a: old, b: newer, c: old }), signal);
    expect(taken).toMatchObject({ state: PAUSED, sequence: 1, epoch: 2, claim: { epoch: 3, holder: 'me/1' } });
  });

  it.each(['other-admin', 'reader', 'node', 'thief'])('believes no record that the %s signed', async (who) => {
    const [good, evil] = [await copyOf(PAUSED), await copyOf(begin(PLAN), { sequence: 1e9 }, who, 1, 1e9)];
    expect(await takeRollout(PLAN.id, 'me/1', parts({ a: evil, b: good, c: good }), signal)).toMatchObject({ state: PAUSED, sequence: 3 });
  });

  it('believes no number that nobody signed', async () => {
    const [good, old] = [await copyOf(PAUSED), await copyOf(begin(PLAN), { sequence: 1e9, writtenEpoch: 1e9 }, 'admin', 1, 2)];
    expect(await readRollout(PLAN.id, parts({ a: old, b: good, c: good }), signal)).toMatchObject({ state: PAUSED });
  });

  it('takes no plan of a node that its id does not stand for', async () => {
    const evil = { ...PLAN, options: { ...PLAN.options, allowDowngrade: true, gates: [] } };
    const [good, bad] = [await copyOf(PAUSED), await copyOf(PAUSED, { plan: packPlan(evil) })];
    const { state } = await takeRollout(PLAN.id, 'me/1', parts({ a: bad, b: good, c: good }, undefined), signal);
    expect(state.plan).toEqual(PLAN);
  });

  it('is not made safe from others by a node that promised an epoch beyond all', async () => {
    const [good, bad] = [await copyOf(PAUSED), await copyOf(PAUSED, { epoch: Number.MAX_SAFE_INTEGER })];
    const { claim } = await takeRollout(PLAN.id, 'me/1', parts({ a: bad, b: good, c: good }), signal);
    expect(claim.epoch).toBe(2);
  });

  it('cannot be, where nothing is left that can be believed', async () => {
    const none = await copyOf(PAUSED, { progress: Buffer.from('rubbish') });
    const taken = takeRollout(PLAN.id, 'me/1', parts({ a: none, b: none, c: none }), signal);
    await expect(taken).rejects.toMatchObject({ code: 'ROLLOUT_NOT_FOUND', message: expect.stringContaining('Cannot believe the record') });
  });

  it('is believed by the machine that wrote it down, although the authority that signed it was replaced', async () => {
    const copy = await copyOf(begin(PLAN), {}, 'other-admin');
    const copies = { a: copy, b: copy, c: copy };
    const own = { holder: 'laptop/1', epoch: 1, sequence: 3, state: PAUSED };
    expect(await readRollout(PLAN.id, parts(copies, PLAN, own), signal)).toMatchObject({ state: PAUSED, sequence: 3 });
    await expect(readRollout(PLAN.id, parts(copies, PLAN, { ...own, sequence: 2 }), signal)).rejects.toThrow('Cannot believe');
  });

  it('is not one for another rollout', async () => {
    const other = named({ ...PLAN, salt: 'x' });
    const copy = await copyOf(PAUSED, { plan: packPlan(other) });
    await expect(readRollout(other.id, parts({ a: copy, b: copy, c: copy }, other), signal)).rejects.toThrow('its signature is not good');
  });
});
