// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExpectationStore } from '../../../../agent/lamactl/trust/expectation-store.ts';
import { InstallGate } from '../../../../agent/lamactl/trust/install-gate.ts';
import type { Boot } from '../../../../qemu/measured-boot/measured-boot.ts';
import { event, GOOD_BOOT, IPL } from '../../../../qemu/measured-boot/measured-boot.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
import { DEVICE, updateIn } from '../answers.ts';
import { attesting, homeOf } from '../forged-node.ts';
import { targetOf } from '../rollout/slot-node.ts';

/** What the firmware and systemd-stub measure of an image, which is its version. */
const bootOf = (version: string): Boot => ({ ...GOOD_BOOT, events: [...GOOD_BOOT.events, event(11, IPL, 'version', version)] });
const pinsOf = (version: string) => {
  const { 4: loader, 11: image } = forge({ boot: bootOf(version) }).policy.pcrs;
  return { 4: loader!, 11: image! };
};
const attic = targetOf('attic');

describe('the gate of an update', () => {
  let home: Awaited<ReturnType<typeof homeOf>>;
  beforeEach(async () => {
    home = await homeOf(attesting({ boot: bootOf('1') }), forge({ boot: bootOf('1') }).policy);
  });
  afterEach(() => home.remove());

  const boots = (version: string) => {
    home.node.answers = attesting({ boot: bootOf(version) });
  };

  /** As each lamactl opens it. */
  async function gateTo(version: string): Promise<InstallGate> {
    const store = new ExpectationStore(dirname(home.file('attic.yaml')));
    const file = home.file(`image-${version}`);
    await writeFile(file, JSON.stringify({ pcr_bank: 'sha256', pcrs: pinsOf(version) }));
    const { world } = await home.run('version --client');
    const connect = async (...[target, options]: Parameters<typeof home.node.connect>) => home.node.connect(target, options);
    return InstallGate.prepare([attic], { file, keyring: undefined, nowMs: 0 }, { world, connect, store, timeoutMs: 1_000 });
  }

  it('lets a node go back that was seen to the end of its update by another lamactl than began it', async () => {
    await (await gateTo('2')).before(attic);
    boots('2');
    await (await gateTo('2')).afterwards(attic);
    // Ended before that was on record, and gone on with.
    await (await gateTo('2')).afterwards(attic);
    expect(await home.judge()).toMatchObject({ verdict: 'TRUSTED' });
    boots('1');
    expect(await home.judge()).toMatchObject({ verdict: 'TRUSTED', image: 'previous' });
  });

  it.each([
    ['2', 0, 'TRUSTED'],
    ['3', 16, 'REJECTED'],
  ])('looks at a node that has the version of a rollout already, and runs image %s: exit %i', async (version, exit, verdict) => {
    await gateTo('2');
    boots(version);
    home.node.answers = { ...home.node.answers, device: async () => ({ ...DEVICE, imageVersion: '2.0.0' }) };
    const start = 'rollout start --all --bundle /data/two.raucb --on-node --gate attestation';
    expect(await home.run(`${start} --expect ${home.file('image-2')}`)).toMatchObject({ exit });
    expect(await home.judge()).toMatchObject({ verdict });
  });

  it.each([
    ['and is expected to run it', ' --expect image-2', 'TRUSTED'],
    ['and says that nobody looked at it', '', 'REJECTED'],
  ])('is gone through by a node on trial whose rollout is given up, %s', async (_what, expected, verdict) => {
    await gateTo('2');
    const line = (order: string, expect: string) => home.run(`rollout ${order}${expect.replace('image-2', home.file('image-2'))}`);
    let id = '';
    home.node.last = undefined;
    home.node.answers = {
      ...home.node.answers,
      update: async () => home.node.last,
      install: async ({ operationId = '' }) => {
        id = operationId;
        home.node.last = updateIn('trial', { operationId });
        home.interrupt();
        return operationId;
      },
    };
    const start = 'start --all --bundle /data/two.raucb --on-node --gate attestation';
    expect(await line(start, ' --expect image-2')).toMatchObject({ exit: 12 });
    home.node.last = updateIn('committed', { operationId: id });
    const slots = DEVICE.slots.map((slot) => ({ ...slot, booted: slot.name === home.node.last?.targetSlot }));
    boots('2');
    home.node.answers = {
      ...home.node.answers,
      update: async () => home.node.last,
      device: async () => ({ ...DEVICE, slots, imageVersion: '2.0.0' }),
    };
    const { errors } = await line('abort', expected);
    expect(errors.includes('a node that commits its version all the same is not attested')).toBe(expected === '');
    expect(await home.judge()).toMatchObject({ verdict });
  });

  it('lets no node go back to what another install of the same image overwrote', async () => {
    for (const _ of [1, 2]) {
      const gate = await gateTo('2');
      await gate.before(attic);
      boots('2');
      await gate.afterwards(attic);
    }
    expect(await home.judge()).toMatchObject({ verdict: 'TRUSTED' });
    boots('1');
    expect(await home.judge()).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value' });
  });

  it('lets a node go back to the image that it had gone back to before', async () => {
    for (const version of ['2', '3']) {
      await (await gateTo(version)).before(attic);
      boots(version);
      await (await gateTo(version)).afterwards(attic);
      boots('1');
      expect(await home.judge(), version).toMatchObject({ verdict: 'TRUSTED', image: 'previous' });
    }
    boots('2');
    expect(await home.judge()).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value' });
  });
});
