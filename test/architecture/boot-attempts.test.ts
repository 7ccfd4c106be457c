// SPDX-License-Identifier: Apache-2.0
// What counts the boots that did not succeed, with a folder for the firmware's variables: as in efivarfs, each begins with four
// octets of attributes.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = path.join(import.meta.dirname, '../../meta-lamadist/recipes-core/boot-guard/files/boot-attempts');
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const KEPT = [7, 0, 0, 0];
const [SLOT_A, SLOT_B] = [
  [3, 0],
  [2, 0],
];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lamadist-boot-attempts-'));
  await writeFile(path.join(folder, 'systemctl'), '#!/bin/sh\necho "systemctl $*"\n', { mode: 0o755 });
  await variable(`BootOrder-${GLOBAL}`, [...SLOT_B!, ...SLOT_A!]);
  await variable(`BootCurrent-${GLOBAL}`, SLOT_B!);
});
afterEach(() => rm(folder, { recursive: true }));

const variable = (name: string, octets: readonly number[]) => writeFile(path.join(folder, name), Buffer.from([...KEPT, ...octets]));

const inFolder = (name: string) => path.join(folder, name);

/** What it did in the initramfs, once the boot was complete, or in the end: what it printed, what it told the console, where the next boot leads. */
async function run(when: 'begin' | 'succeed' | 'leave') {
  const env = {
    PATH: `${folder}:${process.env.PATH}`,
    LAMADIST_EFIVARS: folder,
    LAMADIST_KMSG: inFolder('kmsg'),
    LAMADIST_RUN: inFolder('run'),
  };
  const { stdout } = await execa('sh', [SCRIPT, when], { env });
  const console = await readFile(env.LAMADIST_KMSG, 'utf8').catch(() => '');
  const next = await readFile(path.join(folder, `BootNext-${GLOBAL}`)).catch(() => undefined);
  return { stdout, console, next: next && [...next] };
}

const NOTHING = { stdout: '', console: '', next: undefined };

describe('the count of boots since one succeeded', () => {
  it('leads to the other slot, and says so on the console, when three in a row did not', async () => {
    for (const _boot of [1, 2, 3]) expect(await run('begin')).toEqual(NOTHING);
    expect(await run('begin')).toEqual({
      stdout: 'systemctl --force reboot',
      console: expect.stringContaining('The last 3 boots did not succeed'),
      next: [...KEPT, ...SLOT_A!],
    });
  });

  it('begins again with the boot that it led to', async () => {
    for (const _boot of [1, 2, 3, 4]) await run('begin');
    await rm(path.join(folder, `BootNext-${GLOBAL}`));
    await rm(path.join(folder, 'kmsg'));
    expect(await run('begin')).toEqual(NOTHING);
  });

  it.each([['is shut down'], ['ends by itself']])('begins again with each boot that succeeds, and then %s', async (how) => {
    for (const _boot of [1, 2, 3]) await run('begin');
    expect(await run('succeed')).toEqual(NOTHING);
    if (how === 'is shut down') expect(await run('leave')).toEqual(NOTHING);
    for (const _boot of [1, 2, 3]) expect(await run('begin')).toEqual(NOTHING);
  });

  it.each([
    ['one that did not succeed', ['begin'], true],
    ['one that succeeded, and ended by itself', ['begin', 'succeed'], true],
    ['one that succeeded, and was shut down', ['begin', 'succeed', 'leave'], false],
    ['none', [], false],
  ] as const)('tells a boot whether to scrub its root, after %s', async (_before, steps, scrubs) => {
    for (const step of steps) await run(step);
    await rm(inFolder('run'), { recursive: true, force: true });
    await run('begin');
    expect(existsSync(inFolder('run/ended-by-itself'))).toBe(scrubs);
  });

  it('boots the only slot on and on, since there is no other', async () => {
    await variable(`BootOrder-${GLOBAL}`, SLOT_B!);
    for (const _boot of [1, 2, 3, 4, 5]) expect(await run('begin')).toEqual(NOTHING);
  });
});
