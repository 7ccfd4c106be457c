// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeId } from '../../../qemu/cache/code-id.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { until } from '../../../qemu/host/deadline.ts';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import { STARTED_WITH } from '../../../qemu/vm/machine/started-with.ts';
import { VirtualMachine } from '../../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../../qemu/vm/vm-driver.ts';
import { agentAnswers, journaled, ROLLED_BACK, reaches, report } from '../../integration/node/ask-node.ts';
import { denials } from '../../integration/node/denials.ts';
import { BOOT, SCENARIO_MS } from '../../integration/node/kind-of-node.ts';
import { check, withHomelab } from '../../integration/node/scenario.ts';
import { type CameBack, nameOf, type Outcome, Outcomes, outcomeOf } from './outcomes.ts';
import { COMMIT_HOLDS, type RecordedUpdate, recordedUpdate } from './recorded-update.ts';
import { chosenMoments, type Moment } from './update-moments.ts';

/** Gives the gate a while, so that there is a middle of it. */
const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "8"] }');
/** Nothing of these is under way: the node has made up its mind. */
const SETTLED = ['idle', 'committed', 'rolled-back', 'failed'] as const;
/** At these the new slot runs, the node has journaled its trial, and the firmware's first choice is the slot before. */
const AMID_TRIAL: readonly Moment['stage'][] = ['gate', 'before commit'];
const INTERRUPTED = { phase: 'rolled-back', code: 'TRIAL_INTERRUPTED', slots: ROLLED_BACK.slots };
const PAUSE_MS = 2_000;
/**
 * As many cuts must lose writes that nothing had flushed, or it is no better than killing QEMU. All twenty of a recorded update did;
 * another may have a machine that writes nothing for seconds, in its firmware or while it waits for a check.
 */
const LEAST_LOSING = 15;
/** What the outcomes depend on, beside the recording. */
const CODE = [
  ...['power-cut.test.ts', 'outcomes.ts', 'update-moments.ts'].map((name) => `test/machine/power-cut/${name}`),
  'qemu/vm/machine/recording',
  ...STARTED_WITH,
  ...['ask-node.ts', 'denials.ts', 'kind-of-node.ts', 'scenario.ts'].map((name) => `test/integration/node/${name}`),
];
const TABLE = path.join(process.env.LAMADIST_LOGS ?? 'test-output/vm', 'power-cuts.md');

/** Cuts the power at one moment of the recorded update, switches the machine on again, and says what came of it. */
async function cutAt(homelab: Homelab, node: VirtualMachine, { folder }: RecordedUpdate, moment: Moment): Promise<Outcome> {
  const { kept, lost } = await node.recorder.replay(folder, moment);
  return outcomeOf({ moment, kept, lost }, () => comeBack(homelab, node, moment));
}

/** Throws when the machine does not boot, its agent does not answer, or its update comes to no end. */
async function comeBack(homelab: Homelab, node: VirtualMachine, { told }: Moment): Promise<CameBack> {
  await node.start();
  // A boot is not complete before its commit is.
  const letGo = () => Promise.all(COMMIT_HOLDS.map((command) => node.release(command)));
  await until('the machine to let go of its commit', BOOT.timeoutMs, () => letGo().catch(() => undefined), PAUSE_MS);
  await node.waitForBoot(BOOT);
  await agentAnswers(homelab);
  await reaches(node, ...SETTLED);
  const { booted, version, slots } = await report(homelab);
  const state = await journaled(node);
  const known: readonly string[] = 'phaseChanges' in state ? state.phaseChanges.map(({ phase }) => phase) : [];
  const forgotten = [...(known.includes(told) ? [] : [told]), ...((await isAudited(homelab)) ? [] : ['audit'])];
  const code = 'reason' in state ? state.reason.code : undefined;
  return { booted, version, slots, phase: state.phase, code, forgotten, denied: await denials(node) };
}

/** Whether the audit log is whole, and has the update that was asked for. */
async function isAudited(homelab: Homelab): Promise<boolean> {
  // What lamactl remembers is of another power cut.
  await rm(path.join(homelab.folder, 'audit'), { recursive: true, force: true });
  const { exitCode, stdout } = await homelab.lamactl(['audit', '--output', 'json']);
  if (exitCode !== 0) return false;
  const { nodes } = JSON.parse(String(stdout)) as { nodes: { entries: { rpc: string; result: string }[] }[] };
  return nodes[0]!.entries.some(({ rpc, result }) => rpc.endsWith('/InstallBundle') && result === 'OK');
}

/** A machine that takes the disk of the recorded one, and has keys of its own. */
function onReplaying(test: (homelab: Homelab, node: VirtualMachine) => Promise<void>): Promise<void> {
  const createNode: typeof vmDriver.createNode = (request) => VirtualMachine.create({ ...request, provisionsAgain: true });
  return withHomelab({ ...vmDriver, createNode }, async (homelab) =>
    test(homelab, (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine),
  );
}

describe('a power cut in which everything is lost that was not flushed', { timeout: 20 * SCENARIO_MS }, () => {
  it('at twenty moments of an update leaves a node that boots a consistent slot, with all that it acknowledged', async ({ signal }) => {
    const recorded = await recordedUpdate([SLOW_CHECK]);
    // A run that was interrupted is gone on with.
    const outcomes = await Outcomes.of(recorded.folder, await codeId(CODE));
    const moments = chosenMoments(recorded.recording);
    // Before an hour is spent on it.
    expect(moments.filter(({ lost }) => lost > 0).length).toBeGreaterThanOrEqual(LEAST_LOSING);
    await mkdir(path.dirname(TABLE), { recursive: true });
    await onReplaying(async (homelab, node) => {
      for (const moment of moments) {
        if (!outcomes.has(moment)) {
          const outcome = await cutAt(homelab, node, recorded, moment);
          // What an interruption ended has none.
          signal.throwIfAborted();
          await outcomes.add(outcome);
        }
        await writeFile(TABLE, outcomes.table());
        sayOnStderr(outcomes.summary());
      }
      await outcomes.forget();
    });
    expect.soft(outcomes.failures).toEqual([]);
    expect.soft(outcomes.all.filter(({ lost }) => lost > 0).length).toBeGreaterThanOrEqual(LEAST_LOSING);
    for (const { moment, lost } of outcomes.all) expect.soft(lost, nameOf(moment)).toBe(moment.lost);
    for (const { moment, booted, version, slots, phase, code, forgotten, denied } of outcomes.cameBack) {
      const where = nameOf(moment);
      // A slot that was never committed is not the one that a power cut leaves running, and one that was is not lost.
      const consistent = phase === 'committed' ? { booted: 'B', version: '2' } : { booted: 'A', version: '1' };
      expect.soft({ where, booted, version, forgotten, denied }).toEqual({ where, ...consistent, forgotten: [], denied: [] });
      if (AMID_TRIAL.includes(moment.stage)) expect.soft({ phase, code, slots }, where).toMatchObject(INTERRUPTED);
      if (moment.told === 'committed') expect.soft(phase, where).toBe('committed');
    }
  });
});
