// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { take } from '../../../../../agent/daemon/rollout/register.ts';
import type { InstallRequest, Update } from '../../../../../agent/lamactl/node/node-update.ts';
import { unpackPlan } from '../../../../../agent/lamactl/rollout/record.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { DEVICE, HEALTH, updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());
afterEach(() => rmSync(join(certificates.folder, 'rollouts'), { recursive: true, force: true }));

/** A node that carries out an update the moment that it is asked to. */
class UpdatingNode extends FakeNode {
  readonly known = new Map<string, Update>();

  constructor(end: 'committed' | 'rolled-back' = 'committed') {
    super();
    this.last = undefined;
    this.answers = {
      device: async () => this.device(),
      update: async (id) => (id === '' ? this.last : this.find(id)),
      install: async (request) => this.install(request, end),
      rollBack: async () => {
        this.rollBackMessages.push('');
        this.keep({ ...this.last!, phase: 'rolled-back' });
        return this.last!.operationId;
      },
      cancel: async () => {
        this.keep({ ...this.last!, phase: 'failed' });
        return this.last!.operationId;
      },
    };
  }

  install(request: InstallRequest, end: 'committed' | 'rolled-back'): string {
    this.installs.push(request);
    const operationId = request.operationId ?? 'op-1';
    const reason = { code: 'CHECK_FAILED', message: 'web-server failed', failedChecks: [], remedy: '' };
    this.keep(updateIn(end, { operationId, source: request.source, ...(end === 'rolled-back' && { reason }) }));
    return operationId;
  }

  keep(update: Update): void {
    this.last = update;
    this.known.set(update.operationId, update);
  }

  find(id: string): Update {
    const update = this.known.get(id);
    if (!update) throw new Failure('UPDATE_NOT_FOUND', 'Cannot find the update');
    return update;
  }

  device() {
    if (this.last?.phase !== 'committed') return DEVICE;
    const slots = DEVICE.slots.map((slot) => ({ ...slot, booted: !slot.booted }));
    return { ...DEVICE, slots, imageVersion: '2.0.0' };
  }
}

const START = 'rollout start --all --bundle /data/two.raucb --on-node';
const fleet = (...names: string[]): Record<string, UpdatingNode> => Object.fromEntries(names.map((name) => [name, new UpdatingNode()]));
const steps = async (world: FakeWorld) => {
  world.stdout.text = '';
  await world.run('rollout status -o json');
  return Object.fromEntries(world.json<{ nodes: { node: string; step: string }[] }>().nodes.map(({ node, step }) => [node, step]));
};

describe('lamactl rollout', () => {
  it('plans and changes nothing', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const world = new FakeWorld({ ...nodes, barn: deadNode() }, certificates);
    expect(await world.run('rollout plan --all --bundle /data/two.raucb --on-node --waves 1,rest --exclude shed')).toBe(0);
    expect(world.stdout.text).toContain('1     attic');
    expect(world.stdout.text).toContain('last, for it does not answer');
    expect(world.stdout.text).toContain('3 nodes in 2 waves, at most 1 down at once; on record on cellar');
    expect(Object.values(nodes).flatMap(({ installs }) => installs)).toEqual([]);
    expect(nodes.cellar?.rollouts.size).toBe(0);
  });

  it('brings every node to the version, wave by wave, and says so', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --waves 1,rest --limit-rate 1MiB`)).toBe(0);
    for (const node of Object.values(nodes)) {
      expect(node.installs).toMatchObject([{ rebootPolicy: 'automatic', bytesPerSecond: 1 << 20, rolloutFence: { epoch: 1 } }]);
    }
    expect(world.stdout.text).toMatch(/attic: done\n.*rollout: wave 2 of 2/);
    expect(world.stdout.text).toContain('2.0.0 to 3 nodes: done; 3 done');
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'done', shed: 'done' });
    expect(readdirSync(join(certificates.folder, 'rollouts/home'))).toHaveLength(2);
  });

  it('stops when the version rolled back anywhere, and brings the others back when it is undone', async () => {
    const nodes = { attic: new UpdatingNode(), cellar: new UpdatingNode('rolled-back'), shed: new UpdatingNode() };
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(START)).toBe(9);
    expect(world.stdout.text).toContain('halted: cellar rolled back: web-server failed');
    expect(nodes.shed.installs).toEqual([]);
    expect(await world.run('rollout resume')).toBe(7);
    expect(await world.run('rollout undo')).toBe(0);
    expect(nodes.attic.rollBackMessages).toHaveLength(1);
    expect(nodes.cellar.rollBackMessages).toHaveLength(0);
    expect(await steps(world)).toEqual({ attic: 'undone', cellar: 'rolled-back', shed: 'pending' });
  });

  it('goes on past failures that are tolerated, and still tells of them', async () => {
    const nodes = { attic: new UpdatingNode('rolled-back'), cellar: new UpdatingNode() };
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --tolerate 1`)).toBe(9);
    expect(await steps(world)).toEqual({ attic: 'rolled-back', cellar: 'done' });
  });

  it('waits for a node that is off, for so long, and goes on without it', async () => {
    const nodes = { ...fleet('attic', 'cellar'), barn: deadNode() };
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --waves rest --wait-for-absent 30s`)).toBe(4);
    expect(world.stdout.text).toContain('barn: pending: Cannot reach 10.0.0.9:7443: nothing listens there');
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'done', barn: 'skipped' });
  });

  it('pauses after the wave that was said, and is resumed without a second install', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --waves 1,rest --pause-after 1`)).toBe(12);
    expect(world.stderr.text).toContain('To go on: lamactl rollout resume');
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'pending', shed: 'pending' });
    expect(await world.run('rollout resume')).toBe(0);
    for (const node of Object.values(nodes)) expect(node.installs).toHaveLength(1);
  });

  it('is taken over by a machine that knows nothing of it, and refuses whoever held it', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = new FakeWorld(nodes, certificates);
    await world.run(`${START} --waves 1,rest --pause-after 1`);
    rmSync(join(certificates.folder, 'rollouts'), { recursive: true });
    // Of a rollout that waits for somebody, nothing is left to do.
    expect(await world.run('rollout take-over')).toBe(12);
    expect(await world.run('rollout resume')).toBe(0);
    const [register] = nodes.cellar!.rollouts.values();
    expect(() => take(register, { epoch: 1, holder: 'old' })).toThrow('Cannot go on with the rollout');
  });

  it('is given up, paused and undone without its bundle, and gone on with where it lies', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const world = new FakeWorld(nodes, certificates);
    const [bundle, moved] = [join(certificates.folder, 'two.raucb'), join(certificates.folder, 'moved.raucb')];
    writeFileSync(bundle, 'a bundle');
    const start = ['rollout', 'start', '--all', '--waves', '1,rest', '--pause-after', '1', '--bundle', relative(process.cwd(), bundle)];
    expect(await world.run(start)).toBe(12);
    const [[id, register] = ['']] = nodes.cellar!.rollouts;
    expect(unpackPlan(id, register!.record!.plan).bundle.argument).toBe(bundle);
    renameSync(bundle, moved);
    // What cannot be done sends nobody away.
    expect(await world.run('rollout resume')).toBe(11);
    expect(nodes.cellar!.rollouts.get(id)?.promised.epoch).toBe(1);
    expect(await world.run(['rollout', 'resume', '--bundle-file', moved])).toBe(0);
    expect(await world.run('rollout undo')).toBe(0);
    expect(await steps(world)).toEqual({ attic: 'undone', cellar: 'undone', shed: 'undone' });

    renameSync(moved, bundle);
    expect(await world.run(start)).toBe(12);
    rmSync(bundle);
    expect(await world.run('rollout pause')).toBe(0);
    expect(await world.run('rollout abort')).toBe(0);
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'pending', shed: 'pending' });
  });

  it('pauses on record, although what it began cannot be seen to its end from here', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = new FakeWorld(nodes, certificates);
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    let isAsked = false;
    nodes.attic!.answers = {
      ...nodes.attic!.answers,
      install: async (request) => {
        isAsked = true;
        nodes.attic!.keep(updateIn('downloading', { operationId: request.operationId ?? '' }));
        return request.operationId ?? '';
      },
    };
    const started = world.run(['rollout', 'start', '--all', '--bundle', bundle]);
    while (!isAsked) await new Promise((resolve) => setTimeout(resolve, 5));
    world.interrupt();
    expect(await started).toBe(12);
    rmSync(bundle);
    expect(await world.run('rollout pause')).toBe(0);
    expect(world.stderr.text).toContain('updates that were begun are not waited for');
    expect(await steps(world)).toEqual({ attic: 'in-flight', cellar: 'pending' });
    expect(await world.run('rollout abort')).toBe(0);
  });

  it('is shown, given up and undone although a node left the context', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    await new FakeWorld(nodes, certificates).run(`${START} --waves 1,rest --pause-after 1`);
    const { attic, ...others } = nodes;
    const world = new FakeWorld(others, certificates);
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'pending', shed: 'pending' });
    expect(await world.run('rollout undo')).toBe(8);
    expect(await steps(world)).toEqual({ attic: 'undo-failed', cellar: 'pending', shed: 'pending' });
    expect(attic!.rollBackMessages).toEqual([]);
  });

  it('is resumed on the machine that ran it last, and by another only when that takes it over', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = new FakeWorld(nodes, certificates);
    let asked = 0;
    nodes.attic!.answers = {
      ...nodes.attic!.answers,
      install: async (request) => {
        asked += 1;
        nodes.attic!.keep(updateIn('downloading', { operationId: request.operationId ?? '' }));
        if (asked === 1) world.interrupt();
        return request.operationId ?? '';
      },
      watch: async function* () {
        nodes.attic!.keep(updateIn('committed', { operationId: nodes.attic!.last!.operationId }));
        yield { cursor: '1', type: 'result', update: nodes.attic!.last! };
      },
    };
    expect(await world.run(START)).toBe(12);
    const folder = join(certificates.folder, 'rollouts');
    renameSync(folder, `${folder}-elsewhere`);
    expect(await world.run('rollout resume')).toBe(7);
    expect(world.stderr.text).toContain('"lamactl rollout take-over" goes on from here');
    renameSync(`${folder}-elsewhere`, folder);
    expect(await world.run('rollout resume')).toBe(0);
    expect(asked).toBe(1);
  });

  it('sees to its end what was begun before it halted, and then goes on as it was told', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const { attic, cellar } = nodes;
    const world = new FakeWorld(nodes, certificates);
    const isHalted = () => [...cellar!.rollouts.values()].some(({ record }) => record?.summary.includes('halted'));
    let isMended = false;
    attic!.answers.install = async (request) => {
      if (isMended) return attic!.install(request, 'committed');
      const reason = { code: 'DISK_FULL', message: 'the disk is full', failedChecks: [], remedy: '' };
      attic!.keep(updateIn('failed', { operationId: request.operationId ?? '', reason }));
      return request.operationId ?? '';
    };
    cellar!.answers.install = async (request) => {
      cellar!.keep(updateIn('downloading', { operationId: request.operationId ?? '' }));
      return request.operationId ?? '';
    };
    cellar!.answers.watch = async function* () {
      while (!isHalted()) await new Promise((resolve) => setTimeout(resolve, 5));
      if (!isMended) return world.interrupt();
      cellar!.keep({ ...cellar!.last!, phase: 'committed' });
      yield { cursor: '1', type: 'result', update: cellar!.last! };
    };
    expect(await world.run(`${START} --waves 2,rest --max-unavailable 2`)).toBe(12);
    expect(await steps(world)).toEqual({ attic: 'failed', cellar: 'in-flight', shed: 'pending' });
    isMended = true;
    expect(await world.run('rollout resume')).toBe(0);
    expect(await steps(world)).toEqual({ attic: 'done', cellar: 'done', shed: 'done' });
  });

  it('does not begin while another one has not ended', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const world = new FakeWorld(nodes, certificates);
    await world.run(`${START} --waves 1,rest --pause-after 1`);
    expect(await world.run(START)).toBe(7);
    expect(world.stderr.text).toContain('Cannot begin a rollout: another has not ended');
    expect(await world.run('rollout abort')).toBe(0);
    expect(await world.run(START)).toBe(0);
    world.stdout.text = '';
    expect(await world.run('rollout list')).toBe(0);
    expect(world.stdout.text).toContain('aborted');
  });

  it('sees the rollout of nodes that were not selected', async () => {
    const world = new FakeWorld(fleet('attic', 'cellar', 'shed'), certificates);
    await world.run('rollout start -n attic,cellar --bundle /data/two.raucb --on-node --waves 1,rest --pause-after 1');
    const start = 'rollout start -n shed --bundle /data/two.raucb --on-node';
    expect(await world.run(start)).toBe(7);
    expect(await world.run(`${start} --replace`)).toBe(0);
  });

  it('replaces no rollout by nothing', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    nodes.shed!.install({ operationId: 'x' } as InstallRequest, 'committed');
    const world = new FakeWorld(nodes, certificates);
    await world.run('rollout start -n attic,cellar --bundle /data/two.raucb --on-node --waves 1,rest --pause-after 1');
    const [id] = nodes.cellar!.rollouts.keys();
    world.stderr.text = '';
    expect(await world.run('rollout start -n shed --bundle /data/two.raucb --on-node --replace')).toBe(7);
    expect(world.stderr.text).toContain(`Cannot replace the rollout ${id}: no selected node is to be updated`);
    expect(world.stderr.text).toContain(`"lamactl rollout abort ${id}" gives it up`);
    expect(world.stderr.text).not.toContain('uncordons');
  });

  it('begins once, where two begin at once', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const worlds = [new FakeWorld(nodes, certificates), new FakeWorld(nodes, certificates)];
    expect((await Promise.all(worlds.map((world) => world.run(START)))).sort()).toEqual([0, 7]);
    expect(worlds.map(({ stderr }) => stderr.text).join('')).toContain('another has not ended');
    for (const { installs } of Object.values(nodes)) expect(installs).toHaveLength(1);
  });

  it('begins nothing when no node answers that could keep its record', async () => {
    const world = new FakeWorld({ attic: deadNode(), cellar: deadNode() }, certificates);
    expect(await world.run(START)).toBe(4);
    expect(world.stderr.text).toContain('none can keep its record');
  });

  it('leaves out nodes that run the version already, and is done when none is left', async () => {
    const node = new UpdatingNode();
    node.install({ operationId: 'x' } as InstallRequest, 'committed');
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run(START)).toBe(0);
    expect(world.stdout.text).toContain('left out: it runs 2.0.0 already');
  });

  it('brings a file to a node that comes late, and to no other', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const start = ['rollout', 'start', '--all', '--bundle', bundle];
    expect(await new FakeWorld({ ...nodes, shed: deadNode() }, certificates).run(start)).toBe(4);
    expect(await new FakeWorld(nodes, certificates).run(start)).toBe(0);
    for (const { installs } of Object.values(nodes)) expect(installs).toHaveLength(1);
  });

  it.each([
    ['has committed another file', { source: { client: { name: '', sizeBytes: 8, sha256: 'ab' } } }],
    ['went back to its other slot', { targetSlot: 'rootfs.0' }],
    ['has not committed it', { phase: 'rolled-back' as const }],
  ])('brings a file to a node that %s', async (_what, change) => {
    const nodes = fleet('attic');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const world = new FakeWorld(nodes, certificates);
    await world.run(['rollout', 'start', '--all', '--bundle', bundle]);
    nodes.attic!.keep({ ...nodes.attic!.last!, ...change });
    world.stdout.text = '';
    expect(await world.run(['rollout', 'plan', '--all', '--bundle', bundle])).toBe(0);
    expect(world.stdout.text).toContain('1 nodes in 1 waves');
  });

  it('is refused, and says so to a program, for a node that stays behind', async () => {
    const nodes = fleet('attic', 'cellar');
    nodes.cellar!.keep(updateIn('installing'));
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} -o json`)).toBe(7);
    const [first, ...others] = world.events();
    expect(first).toEqual({ node: 'cellar', type: 'left-out', why: 'it has an update under way: installing', runsIt: false });
    expect(others.at(-1)).toMatchObject({ type: 'end', phase: 'done' });
    expect(await world.run(START.replace('--all', '-n cellar'))).toBe(7);
  });

  it('does not call a node done that runs it already, and is not well', async () => {
    const nodes = fleet('attic');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const world = new FakeWorld(nodes, certificates);
    const start = ['rollout', 'start', '--all', '--bundle', bundle];
    nodes.attic!.answers = { ...nodes.attic!.answers, health: async () => ({ ...HEALTH, verdict: 'failed' }) };
    expect(await world.run(start)).toBe(8);
    await world.run('rollout abort');
    world.stdout.text = '';
    expect(await world.run(start)).toBe(10);
    expect(world.stdout.text).toContain('it runs 2.0.0 already, and does not pass: it is unhealthy: the health gate failed on this boot');
    nodes.attic!.answers = { ...nodes.attic!.answers, health: async () => HEALTH };
    expect(await world.run(start)).toBe(0);
    expect(nodes.attic!.installs).toHaveLength(1);
  });

  it('ends as badly as it found a node that has its file already, also for whoever looks at it later', async () => {
    const nodes = fleet('attic', 'cellar');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(['rollout', 'start', '-n', 'attic', '--bundle', bundle])).toBe(0);
    const health = () => Promise.reject(new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the network is down'));
    nodes.attic!.answers = { ...nodes.attic!.answers, health };
    expect(await world.run(['rollout', 'start', '--all', '--bundle', bundle])).toBe(4);
    expect(world.stdout.text).toContain('and does not pass: Cannot reach attic: the network is down');
    expect(await world.run('rollout status -n cellar')).toBe(4);
    expect(await world.run(['rollout', 'start', '--all', '--bundle', bundle])).toBe(4);
    expect(nodes.cellar!.installs).toHaveLength(1);
  });

  it('asks those that have its file already as many are asked at once', async () => {
    const nodes = fleet('attic', 'cellar', 'shed');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const world = new FakeWorld(nodes, certificates);
    await world.run(['rollout', 'start', '-n', 'attic,cellar', '--bundle', bundle]);
    const polls: string[] = [];
    const { poll } = world;
    world.poll = (name, targets, ...rest) => {
      polls.push(`${name}: ${targets.map((target) => target.name).join(' ')}`);
      return poll(name, targets, ...rest);
    };
    expect(await world.run(['rollout', 'start', '--all', '--bundle', bundle])).toBe(0);
    expect(polls).toEqual(['rollout: attic cellar shed', 'status: attic cellar']);
  });

  it('still knows who stays behind when it is gone on with, and when it is done', async () => {
    const nodes = fleet('attic', 'barn', 'cellar');
    nodes.cellar!.keep(updateIn('installing'));
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --waves 1,rest --pause-after 1`)).toBe(12);
    expect(await world.run('rollout resume')).toBe(7);
    world.stdout.text = '';
    expect(await world.run('rollout status')).toBe(7);
    expect(world.stdout.text).toMatch(/- +cellar +left out +it has an update under way: installing/);
    world.stdout.text = '';
    await world.run('rollout status -o json');
    expect(world.json()).toMatchObject({ leftOut: [{ name: 'cellar', why: 'it has an update under way: installing' }] });
    expect(await world.run('rollout undo')).toBe(0);
  });

  it.each(['1', '2', '9'])('does not begin when it is to pause after wave %s and there is none after it', async (wave) => {
    const nodes = fleet('attic', 'cellar');
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run(`${START} --waves ${wave === '1' ? 'rest' : '1,rest'} --pause-after ${wave}`)).toBe(2);
    expect(world.stderr.text).toContain(`Cannot pause after wave ${wave}: the rollout has ${wave === '1' ? 'one wave' : '2 waves'}`);
    expect(Object.values(nodes).flatMap(({ installs }) => installs)).toEqual([]);
  });

  it('tells each change to a program', async () => {
    const world = new FakeWorld(fleet('attic'), certificates);
    expect(await world.run(`${START} -o json`)).toBe(0);
    expect(world.events()).toMatchObject([
      { type: 'rollout', phase: 'running' },
      { node: 'attic', type: 'step', step: 'in-flight', wave: 1 },
      { node: 'attic', type: 'phase', phase: 'committed' },
      { node: 'attic', type: 'step', step: 'done' },
      { type: 'rollout', phase: 'done' },
      { type: 'end', phase: 'done', nodes: [{ node: 'attic', step: 'done' }] },
    ]);
  });

  it.each(['start', 'status', 'watch', 'resume'])('%s: names in its help what a rollout may end with', async (command) => {
    const world = new FakeWorld(fleet('attic'), certificates);
    expect(await world.run(`rollout ${command} --help`)).toBe(0);
    for (const exit of [' 7 refused', ' 9 rolled-back', '10 unhealthy', '16 rejected']) expect(world.stdout.text).toContain(exit);
  });

  it('shows a rollout that another lamactl runs', async () => {
    const world = new FakeWorld(fleet('attic', 'cellar'), certificates);
    await world.run(START);
    world.stdout.text = '';
    expect(await world.run('rollout watch')).toBe(0);
    expect(world.stdout.text).toMatch(/2\s+cellar\s+done/);
  });

  it.each([
    [`${START} --waves rest,1`, 'Say sizes such as 1,10%,rest'],
    [`${START} --gate magic`, 'Say some of health, attestation, k3s'],
    [`${START} --max-unavailable 0`, 'Say a number of nodes'],
    ['rollout start --all', "required option '--bundle <bundle>' not specified"],
  ])('refuses "%s"', async (line, message) => {
    const world = new FakeWorld(fleet('attic'), certificates);
    expect(await world.run(line)).toBe(2);
    expect(world.stderr.text).toContain(message);
  });

  it('says how many nodes go on by themselves in a window', async () => {
    const world = new FakeWorld(fleet('attic', 'cellar', 'shed'), certificates);
    const plan = ['rollout', 'plan', '--all', '--bundle', '/data/two.raucb', '--on-node', '--max-unavailable', '2'];
    expect(await world.run([...plan, '--window', 'Sat 02:00-05:00'])).toBe(0);
    expect(world.stdout.text).toContain('within "Sat 02:00-05:00" by themselves, 2 at a time');
  });

  it('does not drain nodes in a window', async () => {
    const world = new FakeWorld(fleet('attic'), certificates);
    expect(await world.run([...START.split(' '), '--gate', 'k3s', '--window', 'Sat 02:00-05:00'])).toBe(2);
    expect(world.stderr.text).toContain('Cannot drain nodes in a window');
  });

  it('puts no query of a URL on record', async () => {
    const node = new UpdatingNode();
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('rollout start --all --bundle https://images.lan/two.raucb?signature=abc')).toBe(2);
    expect(world.stderr.text).toContain('its query may be a secret');
    expect(node.rollouts.size).toBe(0);
  });

  it('knows no rollout where there is none', async () => {
    const world = new FakeWorld(fleet('attic'), certificates);
    expect(await world.run('rollout status')).toBe(11);
    expect(world.stderr.text).toContain('Cannot find a rollout');
  });
});

describe('lamactl rollout start --gate k3s', () => {
  const inCluster = { role: 'k3s' };
  const gated = `${START} --gate k3s`;

  /** A world whose kubectl knows the nodes, and which of them are servers. */
  function clusterOf(nodes: Readonly<Record<string, FakeNode>>, labels: Readonly<Record<string, object>>, columns: string): FakeWorld {
    const world = new FakeWorld(nodes, certificates, labels);
    const folder = join(certificates.folder, 'bin');
    mkdirSync(folder, { recursive: true });
    const script = `#!/bin/sh\ncase "$*" in *--no-headers*) echo '${columns}' ;; *) echo '{"metadata":{}}' ;; esac\n`;
    writeFileSync(join(folder, 'kubectl'), script, { mode: 0o755 });
    world.env.PATH = folder;
    return world;
  }

  it('goes with the role that a node was enrolled with', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = clusterOf(nodes, { attic: inCluster }, 'attic true');
    expect(await world.run(gated)).toBe(0);
    expect(nodes.attic?.installs).toMatchObject([{ rebootPolicy: 'manual' }]);
    expect(nodes.cellar?.installs).toMatchObject([{ rebootPolicy: 'automatic' }]);
  });

  it.each(['start', 'plan'])('%s: is refused where it would drain nobody', async (command) => {
    const world = new FakeWorld(fleet('attic', 'cellar'), certificates, { attic: { k3: 'agent' }, cellar: { role: 'nas' } });
    expect(await world.run(gated.replace('start', command))).toBe(2);
    expect(world.stderr.text).toContain('Cannot drain any node: none that would be updated has the role k3s, or the label k3s');
  });

  /** A node that has installed the update, and waits for its reboot. */
  function waitingNode(): UpdatingNode {
    const node = new UpdatingNode();
    node.answers = {
      ...node.answers,
      install: async ({ operationId = '' }) => {
        node.keep(updateIn('pending-reboot', { operationId, rebootPolicy: 'manual' }));
        return operationId;
      },
      watch: async function* () {
        yield { cursor: '1', type: 'progress', update: node.last! };
      },
    };
    return node;
  }

  it('names nodes that stay cordoned when another runner takes the rollout', async () => {
    const node = waitingNode();
    node.answers = { ...node.answers, reboot: () => Promise.reject(new Failure('ROLLOUT_TAKEN_OVER', 'Cannot go on: taken over')) };
    const world = clusterOf({ attic: node }, { attic: inCluster }, 'attic true');
    expect(await world.run(gated)).not.toBe(0);
    expect(world.stderr.text).toContain('Cannot go on: taken over');
    expect(world.stderr.text).toContain('Still cordoned: attic. Whoever goes on with the rollout uncordons them');
  });

  it('names nodes that may be cordoned where it cannot see them to their ends', async () => {
    const nodes = { attic: waitingNode(), cellar: waitingNode() };
    const world = clusterOf(nodes, { attic: inCluster }, 'attic true');
    const bundle = join(certificates.folder, 'two.raucb');
    writeFileSync(bundle, 'a bundle');
    const reboot = async (): Promise<string> => {
      world.interrupt();
      return 'boot-2';
    };
    nodes.attic.answers = { ...nodes.attic.answers, reboot };
    // The time of this world flies while kubectl, which is a real process, drains.
    const start = ['rollout', 'start', '--all', '--bundle', bundle, '--waves', 'rest', '--max-unavailable', '2', '--node-timeout', '300h'];
    expect(await world.run([...start, '--gate', 'k3s'])).toBe(12);
    expect(world.stderr.text).toContain('Still cordoned: attic.');
    rmSync(bundle);
    const perhaps = 'Cordoned still, where they were drained: attic.';
    expect(await world.run('rollout pause')).toBe(0);
    expect(world.stderr.text).toContain(perhaps);
    world.stderr.text = '';
    const putRollout = () => Promise.reject(new Failure('NODE_UNREACHABLE', 'Cannot reach it: the network is down'));
    for (const node of Object.values(nodes)) node.answers = { ...node.answers, putRollout };
    expect(await world.run('rollout abort')).not.toBe(0);
    expect(world.stderr.text).toContain('the network is down');
    expect(world.stderr.text).toContain(perhaps);
  });

  it('tells of nodes that the rollout which it replaces may have left cordoned', async () => {
    const world = clusterOf(fleet('attic', 'cellar'), { attic: inCluster }, 'attic true');
    await world.run(`${gated} --waves 1,rest --pause-after 1`);
    expect(world.stderr.text).not.toContain('cordoned');
    expect(await world.run(`${START} --replace`)).toBe(0);
    expect(world.stderr.text).toMatch(/Nodes that the rollout \S+ drained may be cordoned still/);
  });

  it('is gone on with, and not replaced by nothing, where a node may be cordoned although it has the version', async () => {
    const nodes = { attic: waitingNode() };
    const world = clusterOf(nodes, { attic: inCluster }, 'attic true');
    const reboot = async (): Promise<string> => {
      world.interrupt();
      return 'boot-2';
    };
    nodes.attic.answers = { ...nodes.attic.answers, reboot };
    // The time of this world flies while kubectl, which is a real process, drains.
    const start = `${gated} --node-timeout 300h`;
    expect(await world.run(start)).toBe(12);
    nodes.attic.keep({ ...nodes.attic.last!, phase: 'committed' });
    const [id] = nodes.attic.rollouts.keys();
    world.stderr.text = '';
    expect(await world.run(`${start} --replace`)).toBe(7);
    expect(world.stderr.text).toContain(`"lamactl rollout resume ${id}" goes on with it`);
    expect(world.stderr.text).toContain('either uncordons what it drained');
    expect(await world.run(`rollout resume ${id}`)).toBe(0);
    expect(await world.run(`${start} --replace`)).toBe(0);
  });

  it('is taken over although a node that failed left the cluster', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = clusterOf(nodes, { attic: inCluster, cellar: inCluster }, 'attic <none>\ncellar <none>');
    nodes.attic!.answers.install = async ({ operationId = '' }) => {
      const reason = { code: 'DISK_FULL', message: 'the disk is full', failedChecks: [], remedy: '' };
      nodes.attic!.keep(updateIn('failed', { operationId, reason }));
      return operationId;
    };
    expect(await world.run(`${gated} --waves 1,rest`)).toBe(8);
    const gone = `case "$*" in *attic*) echo NotFound >&2; exit 1 ;; *) echo 'cellar <none>' ;; esac`;
    writeFileSync(join(certificates.folder, 'bin', 'kubectl'), `#!/bin/sh\n${gone}\n`);
    expect(await world.run('rollout resume')).toBe(7);
    expect(world.stderr.text).toContain('NotFound');
    expect(await world.run('rollout take-over')).toBe(8);
    expect(world.stderr.text).toMatch(/is halted; nothing is left to do/);
  });

  it('is gone on with although the cluster no longer has a node that is done, and is not there at once', async () => {
    const nodes = fleet('attic', 'cellar');
    const world = clusterOf(nodes, { attic: inCluster, cellar: inCluster }, 'attic <none>\ncellar <none>');
    expect(await world.run(`${gated} --waves 1,rest --pause-after 1`)).toBe(12);
    const folder = join(certificates.folder, 'bin');
    const away = `if [ ! -e ${folder}/asked ]; then : >${folder}/asked; echo refused >&2; exit 1; fi`;
    const gone = `case "$*" in *--no-headers*) ${away}; case "$*" in *attic*) echo NotFound >&2; exit 1 ;; *) echo 'cellar <none>' ;; esac`;
    writeFileSync(join(folder, 'kubectl'), `#!/bin/sh\n${gone} ;; *) echo '{"metadata":{}}' ;; esac\n`);
    expect(await world.run('rollout resume')).toBe(0);
    expect(world.stdout.text).toContain('2.0.0 to 2 nodes: done; 2 done');
  });

  it('begins nothing where kubectl is not there', async () => {
    const nodes = fleet('attic');
    const world = new FakeWorld(nodes, certificates, { attic: inCluster });
    world.env.PATH = join(certificates.folder, 'nothing');
    expect(await world.run(gated)).not.toBe(0);
    expect(world.stderr.text).toContain('Cannot run "kubectl get node attic');
    expect([nodes.attic?.installs, nodes.attic?.rollouts.size]).toEqual([[], 0]);
  });

  it('begins nothing where Kubernetes has several servers that the plan does not know', async () => {
    const nodes = fleet('attic', 'cellar');
    const columns = 'attic true\ncellar true';
    const world = clusterOf(nodes, { attic: { k3s: 'server' }, cellar: inCluster }, columns);
    expect(await world.run(gated)).toBe(2);
    expect(world.stderr.text).toContain('Kubernetes has cellar for servers');
    expect(nodes.attic?.installs).toEqual([]);
    expect(await clusterOf(nodes, { attic: { k3s: 'server' }, cellar: { k3s: 'server' } }, columns).run(gated)).toBe(0);
  });
});
