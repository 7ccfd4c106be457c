// SPDX-License-Identifier: Apache-2.0
// Twelve whole nodes through rollouts, with everything that may come between: `npm run test:fleet`. Ends with 1 when something is not as it must be.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { until } from '../../qemu/host/deadline.ts';
import { requireRoot } from '../../qemu/host/require-root.ts';
import { seeded } from '../faults/random.ts';
import { Fleet, NOT_FOR_THREE, type RolloutReport } from '../integration/node/fleet.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `node-${String(index + 1).padStart(2, '0')}`);
const OFF = 'node-07';
const UNFIT = 'node-05';
const MORE_VERSIONS = ['4'];
/** Of the exits of lamactl: a node that reboots has not confirmed what it was told. */
const UNKNOWN = 4;
const KILLS = 20;
/** Between two kills; so that some fall on its start, and some long after. */
const LONGEST_LIFE_MS = 8_000;
const WAVES = ['--waves', '1,3,rest', '--max-unavailable', '3'];

interface Figure {
  readonly what: string;
  readonly seconds: number;
  readonly result: string;
}

const { values } = parseArgs({ options: { seed: { type: 'string', default: String(Date.now() % 1_000_000) } } });
const random = seeded(Number(values.seed));
const figures: Figure[] = [];

async function measured(what: string, work: () => Promise<string>): Promise<void> {
  const startMs = performance.now();
  process.stderr.write(`fleet: ${what}\n`);
  const result = await work();
  figures.push({ what, seconds: (performance.now() - startMs) / 1000, result });
}

const all = (version: string, changes: Readonly<Record<string, string>> = {}) => ({
  ...Object.fromEntries(NAMES.map((name) => [name, version])),
  ...changes,
});

/** How often each node was booted; not of the one that is off. */
const boots = (fleet: Fleet): Readonly<Record<string, number>> =>
  Object.fromEntries(fleet.nodes.flatMap(({ name, bootCount }) => (name === OFF ? [] : [[name, bootCount]])));

/** Starts a rollout, kills lamactl again and again wherever it is, and lets the last one come to its end. */
async function throughKills(fleet: Fleet): Promise<string> {
  const bundle = fleet.homelab.bundlePath('2');
  const start = ['rollout', 'start', '--all', '--bundle', bundle, ...WAVES, '--wait-for-absent', '20s'];
  let kills = 0;
  let inFlight = 0;
  let [first, ...args] = [true, ...start] as [boolean, ...string[]];
  let endedAlone = 0;
  while (kills < KILLS) {
    const lamactl = fleet.homelab.lamactl(args);
    const ended = lamactl.then(({ exitCode }) => exitCode);
    // The first has to live until the rollout is on record, or there is nothing to resume.
    if (first) await onRecord(fleet);
    const exitCode = await Promise.race([ended, sleep(random() * LONGEST_LIFE_MS).then(() => 'killed' as const)]);
    if (exitCode === 'killed') {
      lamactl.kill('SIGKILL');
      await ended;
      kills += 1;
      // Nobody goes on with it now: it stands as the kill found it.
      const { phase, nodes } = await onRecord(fleet);
      assert.equal(phase, 'running', `kill ${kills} fell on a rollout that did not run`);
      if (nodes.some(({ step }) => step === 'in-flight')) inFlight += 1;
    } else if (++endedAlone > 3) break;
    [first, args] = [false, ['rollout', 'resume']];
  }
  assert.equal(kills, KILLS, 'lamactl ended by itself again and again');
  assert.ok(inFlight > 0, 'no kill fell on the update of a node');
  const { exitCode, all: said } = await fleet.rollout('resume');
  assert.equal(exitCode, 4, said);
  const steps = await fleet.steps();
  assert.deepEqual(steps, { ...Object.fromEntries(NAMES.map((name) => [name, 'done'])), [OFF]: 'skipped' });
  assert.deepEqual(await fleet.versions(), all('2', { [OFF]: '' }));
  const booted = Object.entries(boots(fleet)).filter(([, times]) => times !== 2);
  assert.deepEqual(booted, [], 'a node was not booted once for the update');
  return `killed ${kills} times, ${inFlight} of them in an update; 11 nodes updated once each, 1 off and skipped`;
}

const onRecord = (fleet: Fleet): Promise<RolloutReport> =>
  until('a rollout to be on record', 60_000, () => fleet.status().catch(() => undefined));

async function latecomer(fleet: Fleet): Promise<string> {
  await fleet.node(OFF).start();
  await fleet.answers([OFF]);
  const before = boots(fleet);
  const { exitCode, all: said } = await fleet.rollout('start', '--all', '--bundle', fleet.homelab.bundlePath('2'), ...WAVES);
  assert.equal(exitCode, 0, said);
  assert.deepEqual(await fleet.versions(), all('2'));
  assert.deepEqual(boots(fleet), before, 'a node that had the version was booted again');
  const left = said.match(/left out: it runs 2 already/g) ?? [];
  assert.equal(left.length, 11, said);
  return `the node that was off follows, ${left.length} are left out`;
}

async function pausedHaltedUndone(fleet: Fleet): Promise<string> {
  const running = fleet.rollout('start', '--all', '--bundle', fleet.homelab.bundlePath('3'), ...WAVES);
  await until('a rollout of version 3 to have begun', 60_000, async () => {
    const report = await fleet.status().catch(() => undefined);
    return report?.phase === 'running' && report.nodes.some(({ step }) => step !== 'pending') ? true : undefined;
  });
  const paused = await fleet.rollout('pause');
  assert.equal(paused.exitCode, 0, paused.all);
  assert.match((await running).all, /ROLLOUT_TAKEN_OVER/);
  const before = await fleet.steps();
  await sleep(5_000);
  assert.deepEqual(await fleet.steps(), before, 'a paused rollout began another node');
  const resumed = await fleet.rollout('resume');
  assert.equal(resumed.exitCode, 9, resumed.all);
  const halted = await fleet.status();
  assert.equal(halted.phase, 'halted');
  assert.match(halted.why, new RegExp(`^${UNFIT} rolled back`));
  const updated = Object.values(await fleet.steps()).filter((step) => step === 'done').length;
  const undone = await fleet.rollout('undo');
  assert.equal(undone.exitCode, 0, undone.all);
  assert.deepEqual(await fleet.versions(), all('2'));
  return `halted by ${UNFIT} after ${updated} nodes, all of them back to 2`;
}

/** A rollout whose runner, witnesses and nodes get other certificates of another authority while it goes on. */
async function rotated(fleet: Fleet): Promise<string> {
  const { homelab } = fleet;
  const file = (name: string) => path.join(homelab.folder, name);
  await writeFile(file('ca-made-elsewhere.pem'), homelab.pki.agentAuthority.certificate);
  await writeFile(file('ca-made-elsewhere.key'), homelab.pki.agentAuthority.key, { mode: 0o600 });
  await writeFile(file('passphrase'), 'correct horse battery\n', { mode: 0o600 });
  const passphrase = ['--passphrase-file', file('passphrase')];
  const key = ['--certificate', file('ca-made-elsewhere.pem'), '--key', file('ca-made-elsewhere.key')];
  const imported = await homelab.lamactl(['pki', 'import', ...key, ...passphrase]);
  assert.equal(imported.exitCode, 0, String(imported.all));
  const running = fleet.rollout('start', '--all', '--bundle', homelab.bundlePath('4'), ...WAVES, '--soak', '10s');
  await until('a rollout of version 4 to have begun', 60_000, async () => {
    const report = await fleet.status().catch(() => undefined);
    return report?.nodes.some(({ step }) => step !== 'pending') || undefined;
  });
  // Each stage waits for every node, and nodes reboot: the same command goes on until all have confirmed.
  let runs = 0;
  await until('the rotation to be finished', 600_000, async () => {
    runs += 1;
    const { exitCode, all: told } = await homelab.lamactl(['pki', 'rotate', '--handed-over', '--timeout', '3s', ...passphrase]);
    assert.ok(exitCode === 0 || exitCode === UNKNOWN, String(told));
    return exitCode === 0 || undefined;
  });
  const during = (await fleet.status()).phase;
  assert.equal(during, 'running', 'the rotation came to its end after the rollout: nothing was shown');
  const { exitCode, all: said } = await running;
  assert.equal(exitCode, 0, said);
  assert.deepEqual(await fleet.versions(), all('4'));
  return `12 nodes have 4 and trust the new authority alone; runs of "pki rotate" that it took: ${runs}`;
}

function table(): string {
  const rows = figures.map(({ what, seconds, result }) => `  ${seconds.toFixed(0).padStart(6)} s  ${what.padEnd(44)}  ${result}\n`);
  return `fleet: ${NAMES.length} nodes, seed ${values.seed}\n${rows.join('')}`;
}

requireRoot('boot nodes');
const options = (name: string) => (name === UNFIT ? { files: [NOT_FOR_THREE] } : {});
await measured('everything', () =>
  Fleet.with(
    NAMES,
    options,
    async (fleet) => {
      await measured('a node is switched off', async () => {
        await fleet.node(OFF).cutPower();
        return OFF;
      });
      await measured('version 2 in three waves, lamactl killed', () => throughKills(fleet));
      await measured('version 2 for the latecomer', () => latecomer(fleet));
      await measured('version 3: paused, resumed, halted, undone', () => pausedHaltedUndone(fleet));
      await measured('version 4, another authority meanwhile', () => rotated(fleet));
    },
    MORE_VERSIONS,
  ).then(() => 'as it must be'),
);
process.stdout.write(table());
