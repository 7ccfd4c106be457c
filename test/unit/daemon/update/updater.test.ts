// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../agent/shared/failure.ts';
import { FakeNode, OPERATION } from './node.ts';
import { ARMED_BOOT, LATER_BOOT, TRIAL_BOOT } from './states.ts';

const install = { type: 'install-requested', operation: OPERATION } as const;

/** A node whose slot B was written and armed, about to boot. */
async function armedNode(): Promise<FakeNode> {
  const node = new FakeNode();
  const agent = await node.start(ARMED_BOOT, 'A');
  await agent.submit(install);
  await node.until(agent, 'installing');
  node.installer.finish();
  await node.until(agent, 'pending-reboot');
  agent.stop();
  node.installer.bootB();
  return node;
}

describe('an update on a node', () => {
  it('is written, armed and activated in this order, and then boots', async () => {
    const node = await armedNode();
    expect(node.installer.asked.filter((call) => /^(inspect|install |activate)/.test(call))).toEqual([
      'inspect /var/v2.raucb',
      'install /var/v2.raucb',
      'activate rootfs.1',
    ]);
    expect(node.marks).toEqual(['arm B']);
    expect(node.reboots).toBe(1);
  });

  it('is committed once the target slot is booted and healthy', async () => {
    const node = await armedNode();
    const agent = await node.start(TRIAL_BOOT, 'B');
    await node.until(agent, 'committed');
    expect(node.installer.asked).toContain('markGood rootfs.1');
    expect(node.marks).toEqual(['arm B', 'committed', 'disarm', 'gate passed', 'disarm']);
    expect(node.history.get(OPERATION.id)?.phase).toBe('committed');
  });

  it('is rolled back with the reason and the log of the failed boot when a required check fails', async () => {
    const node = await armedNode();
    node.decide = async () => ({
      passed: false,
      code: 'CHECK_FAILED',
      message: 'Cannot call this boot healthy: "web"',
      failedChecks: ['web'],
    });
    const trial = await node.start(TRIAL_BOOT, 'B');
    await node.until(trial, 'rolling-back');
    await node.clock.advance(1000);
    expect(node.installer).toMatchObject({ slotA: { primary: true }, slotB: { primary: false, bootStatus: 'bad' } });
    expect(node.reboots).toBe(2);
    trial.stop();

    const back = await node.start(LATER_BOOT, 'A');
    await node.until(back, 'rolled-back');
    await node.clock.advance(1000);
    expect(back.state).toMatchObject({ reason: { code: 'CHECK_FAILED', failedChecks: ['web'] }, failedBootLog: `log of ${TRIAL_BOOT}` });
    expect(node.history.get(OPERATION.id)).toEqual(back.state);
  });

  it('remembers the version that failed here, and forgets it when it is committed after all', async () => {
    const node = await armedNode();
    node.installer.slotB = { ...node.installer.slotB, booted: false };
    node.installer.slotA = { ...node.installer.slotA, booted: true };
    const back = await node.start(LATER_BOOT, 'A');
    await node.until(back, 'rolled-back');
    expect(back.failedHere('2')).toMatchObject({ code: 'NEVER_REACHED_USERSPACE' });

    await back.submit({ ...install, operation: { ...OPERATION, id: 'second' } });
    expect(await node.until(back, 'failed')).toMatchObject({ reason: { code: 'VERSION_FAILED_HERE' } });

    await back.submit({ ...install, operation: { ...OPERATION, id: 'third', force: true } });
    await node.until(back, 'installing');
    node.installer.finish();
    await node.until(back, 'pending-reboot');
    back.stop();
    node.installer.bootB();
    const trial = await node.start(TRIAL_BOOT, 'B');
    await node.until(trial, 'committed');
    expect(trial.failedHere('2')).toBeUndefined();
  });

  it('refuses a second one while the first is under way, and leaves the first alone', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await expect(agent.submit({ ...install, operation: { ...OPERATION, id: 'second' } })).rejects.toMatchObject({
      code: 'UPDATE_IN_PROGRESS',
    });
    await node.until(agent, 'installing');
    expect(agent.state).toMatchObject({ operation: { id: OPERATION.id } });
  });

  it('is journaled before anything is done about it', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    expect(node.installer.asked).toEqual([
      'journal inspecting',
      'slots',
      'inspect /var/v2.raucb',
      'compatible',
      'journal installing',
      'install /var/v2.raucb',
    ]);
  });

  it('does not begin when it cannot be journaled', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    node.writeFailures.push(new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal: the disk is full'));
    await expect(agent.submit(install)).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
    expect(agent.state.phase).toBe('idle');
    expect(node.installer.asked).toEqual([]);
  });

  it('does not begin when there is no space for what it will have to write down', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    node.reserve.hold = async () => {
      throw new Failure('JOURNAL_UNWRITABLE', 'Cannot keep space for the journal: 0 bytes are free and 1048576 are needed');
    };
    await expect(agent.submit(install)).rejects.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
      message: expect.stringContaining('0 bytes are free'),
    });
    expect(agent.state.phase).toBe('idle');
    expect(node.installer.asked).toEqual([]);
  });

  it('goes on although the disk is full, on the space that was kept for its journal', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    const full = new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal: the disk is full');
    for (let i = 0; i < 3; i++) node.writeFailures.push(full);
    node.reserve.spend = async (error) => error === full && node.writeFailures.splice(0).length > 0;
    node.installer.finish();
    expect(await node.until(agent, 'pending-reboot')).toMatchObject({ operation: { id: OPERATION.id } });
  });

  it('fails, and never activates the slot, when the journal stays unwritable after the install', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    for (let i = 0; i < 4; i++) node.writeFailures.push(new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal: the disk is full'));
    node.installer.finish();
    expect(await node.until(agent, 'failed')).toMatchObject({ reason: { code: 'JOURNAL_UNWRITABLE' } });
    expect(node.installer.asked).not.toContain('activate rootfs.1');
  });

  it('that ended while the disk was full is written down once there is space, so that no restart takes it up again', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    for (let i = 0; i < 9; i++) node.writeFailures.push(new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal: the disk is full'));
    node.installer.finish();
    await node.until(agent, 'failed');
    expect(node.journaled.state.phase).toBe('installing');
    for (let round = 0; round < 30; round++) await node.clock.advance(1_000);
    expect(node.journaled.state).toEqual(agent.state);
    expect((await node.start(ARMED_BOOT, 'A')).state.phase).toBe('failed');
  });

  it('is joined again by an agent that was restarted while RAUC wrote', async () => {
    const node = new FakeNode();
    const first = await node.start(ARMED_BOOT, 'A');
    await first.submit(install);
    await node.until(first, 'installing');
    first.stop();
    const second = await node.start(ARMED_BOOT, 'A');
    await node.clock.advance(1000);
    node.installer.tell({ type: 'progress', percent: 70, message: 'Copying image to rootfs.1' });
    await node.clock.advance(0);
    expect(second.state).toMatchObject({ phase: 'installing', percent: 70 });
    node.installer.finish();
    await node.until(second, 'pending-reboot');
  });

  it('goes on when the install ended while no agent was there to hear it', async () => {
    const node = new FakeNode();
    const first = await node.start(ARMED_BOOT, 'A');
    await first.submit(install);
    await node.until(first, 'installing');
    first.stop();
    node.installer.finish();
    await node.until(await node.start(ARMED_BOOT, 'A'), 'pending-reboot');
  });

  it('fails with what RAUC said when the install failed while no agent was there to hear it', async () => {
    const node = new FakeNode();
    const first = await node.start(ARMED_BOOT, 'A');
    await first.submit(install);
    await node.until(first, 'installing');
    first.stop();
    node.installer.isInstalling = false;
    node.installer.error = 'Failed to write image';
    expect(await node.until(await node.start(ARMED_BOOT, 'A'), 'failed')).toMatchObject({
      reason: { code: 'INSTALL_FAILED', message: expect.stringContaining('Failed to write image') },
    });
  });

  it('fails when RAUC vanished without having written the slot whole', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    node.installer.tell({ type: 'vanished' });
    expect(await node.until(agent, 'failed')).toMatchObject({ reason: { code: 'INSTALL_INTERRUPTED' } });
  });

  it('does not take a slot for its own that holds the same version from another transaction', async () => {
    const node = new FakeNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await agent.submit(install);
    await node.until(agent, 'installing');
    node.installer.slotB = { ...node.installer.slotB, status: 'ok', version: '2', transactionId: 'another' };
    node.installer.tell({ type: 'vanished' });
    await node.until(agent, 'failed');
  });

  it('waits for a RAUC that is being restarted instead of giving up a trial', async () => {
    const node = await armedNode();
    const away = () => new Failure('RAUC_UNAVAILABLE', 'Cannot ask RAUC: it is not on the bus');
    node.installer.failures.set('slots', [away(), away(), away()]);
    node.installer.failures.set('markGood', [away()]);
    const agent = await node.start(TRIAL_BOOT, 'B');
    await node.until(agent, 'committed');
  });

  it('rolls back when the booted slot does not hold what was installed', async () => {
    const node = await armedNode();
    node.installer.slotB = { ...node.installer.slotB, version: '1.9' };
    const agent = await node.start(TRIAL_BOOT, 'B');
    expect(await node.until(agent, 'rolling-back')).toMatchObject({ reason: { code: 'WRONG_SLOT_BOOTED' } });
  });

  it('ignores what a phase that is over still has to say', async () => {
    const node = await armedNode();
    let pass: (decision: { passed: true }) => void = () => {};
    node.decide = () => new Promise((resolve) => (pass = resolve));
    const agent = await node.start(TRIAL_BOOT, 'B');
    await node.until(agent, 'checking');
    await agent.submit({ type: 'rollback-requested', message: 'no', bootname: 'B', otherSlotGood: true });
    pass({ passed: true });
    await node.clock.advance(1000);
    expect(agent.state.phase).toBe('rolling-back');
    expect(node.installer.asked).not.toContain('markGood rootfs.1');
  });

  it('keeps trying to reboot when the system manager refuses', async () => {
    const node = await armedNode();
    const agent = await node.start(ARMED_BOOT, 'A');
    await node.clock.advance(1000);
    expect(agent.state.phase).toBe('pending-reboot');
    expect(node.reboots).toBe(2);
  });
});
