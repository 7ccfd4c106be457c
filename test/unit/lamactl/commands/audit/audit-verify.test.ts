// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { lineHash } from '../../../../../agent/shared/audit-chain.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { AUDIT_LOG, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
// Each test is the first time that lamactl sees a log.
beforeEach(() => rm(join(certificates.folder, 'audit'), { recursive: true, force: true }));
afterAll(() => certificates.remove());

const HEAD = lineHash(AUDIT_LOG[1] as string);

function worldWith(...lines: readonly string[]) {
  const attic = new FakeNode();
  attic.answers = {
    async *auditLog() {
      yield* lines;
    },
  };
  return new FakeWorld({ attic }, certificates);
}

async function file(...lines: readonly string[]): Promise<string> {
  const path = join(await temporaryFolder(), 'audit.log');
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

describe('lamactl audit verify', () => {
  it('tells that the log of a node is whole, and its head', async () => {
    const world = worldWith(...AUDIT_LOG);
    expect(await world.run('audit verify -n attic')).toBe(0);
    expect(world.stdout.text).toMatch(new RegExp(`^attic +2 +whole, from the first line on +${HEAD}$`, 'm'));
  });

  it('tells the first line that does not follow', async () => {
    const [first = '', second = ''] = AUDIT_LOG;
    const world = worldWith(first.replace('alice', 'mallory'), second);
    expect(await world.run('audit verify')).toBe(16);
    expect(world.stdout.text).toContain('broken at line 2: the line before it was changed, or taken out');
  });

  it('tells of lines that were cut off, and that the others are whole', async () => {
    const [first = ''] = AUDIT_LOG;
    const next = JSON.stringify({ previous: lineHash('{"at":'), lastWhole: lineHash(first) });
    const world = worldWith(first, '{"at":', next);
    expect(await world.run('audit verify')).toBe(0);
    expect(world.stdout.text).toContain('whole, from the first line on; 1 cut off by a power cut or a full disk');
  });

  it('tells a log whose beginning is no longer kept', async () => {
    const world = worldWith(AUDIT_LOG[1] as string);
    expect(await world.run('audit verify -o json')).toBe(0);
    expect(world.json()).toMatchObject({ nodes: [{ node: 'attic', lines: 1, follows: lineHash(AUDIT_LOG[0] as string), head: HEAD }] });
  });

  it('misses lines that were taken away at the end, by the head that was told before', async () => {
    const world = worldWith(AUDIT_LOG[0] as string);
    expect(await world.run(`audit verify --head ${HEAD}`)).toBe(16);
    expect(world.stdout.text).toContain('without the line of --head');
    expect(await worldWith(...AUDIT_LOG).run(`audit verify --head ${HEAD}`)).toBe(0);
    const grown = worldWith(...AUDIT_LOG, JSON.stringify({ previous: HEAD }));
    expect(await grown.run(`audit verify --head ${HEAD}`)).toBe(0);
  });

  it('remembers how far it saw a log, and misses what is taken away later', async () => {
    expect(await worldWith(...AUDIT_LOG).run('audit verify')).toBe(0);
    const cut = worldWith(AUDIT_LOG[0] as string);
    expect(await cut.run('audit verify')).toBe(16);
    expect(cut.stdout.text).toContain('it was begun anew');
    // What is not sound is not what later logs are held against.
    expect(await worldWith(...AUDIT_LOG, JSON.stringify({ previous: HEAD })).run('audit verify')).toBe(0);
    const anew = worldWith(JSON.stringify({ previous: lineHash('another') }));
    expect(await anew.run('audit verify')).toBe(16);
    expect(anew.stdout.text).toContain('lines were taken away, or so many came since');
    expect(await anew.run('audit verify --accept-new')).toBe(0);
    expect(await anew.run('audit verify')).toBe(0);
  });

  it('takes a log for whole whose first line follows the last that it saw', async () => {
    expect(await worldWith(AUDIT_LOG[0] as string).run('audit verify')).toBe(0);
    expect(await worldWith(AUDIT_LOG[1] as string).run('audit verify')).toBe(0);
  });

  it('reads copies, oldest first, without a node', async () => {
    const [first = '', second = ''] = AUDIT_LOG;
    const world = new FakeWorld({}, certificates);
    expect(await world.run(['audit', 'verify', '--file', await file(first), await file(second)])).toBe(0);
    expect(await world.run(['audit', 'verify', '-o', 'json', '--file', await file(second), await file(first)])).toBe(16);
  });

  it('names a copy that is not there', async () => {
    const world = new FakeWorld({}, certificates);
    expect(await world.run('audit verify --file /nowhere/audit.log')).toBe(3);
    expect(world.stderr.text).toContain('Cannot read /nowhere/audit.log: it does not exist');
  });
});
