// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeRequest } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { KeptLogs } from '../../../qemu/kept-logs.ts';
import { withHomelab } from '../../integration/node/scenario.ts';
import { loggingDriver } from './fakes/logging-driver.ts';

const OWNER = path.join(import.meta.dirname, 'fakes/log-owner.ts');
const SOON = { timeout: 10_000 };

describe('the logs of a node that are kept', () => {
  let folder: string;
  let consoleFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kept-logs-'));
    consoleFile = path.join(folder, 'console.log');
    vi.stubEnv('LAMADIST_LOGS', path.join(folder, 'kept'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  const kept = async (title: string, log = 'console', node = 'attic') =>
    readFile(path.join(folder, 'kept', title, `${node}.${log}.log`), 'utf8');
  const addNode = async (homelab: Homelab) => homelab.addNode('attic', await homelab.image('1'));

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'are whole when whoever runs the node gets %s, the whole group of processes at once',
    async (signal) => {
      const owner = spawn(process.execPath, ['--import', 'tsx', OWNER, consoleFile], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      await once(owner.stdout, 'data');
      await appendFile(consoleFile, 'last words\n');
      process.kill(-owner.pid!, signal);
      await vi.waitFor(async () => expect(await kept('a-test-that-hangs')).toBe('made\nlast words\n'), SOON);
    },
  );

  it('are there while a scenario still runs, and all that can be asked for when it has ended', async () => {
    const title = expect.getState().currentTestName!.replaceAll(/[^A-Za-z0-9]+/g, '-');
    await withHomelab(loggingDriver(consoleFile), async (homelab) => {
      await addNode(homelab);
      await appendFile(consoleFile, 'begun\n');
      await vi.waitFor(async () => expect(await kept(title)).toBe('made\nbegun\n'), SOON);
    });
    await appendFile(consoleFile, 'somebody else\n');
    expect(await kept(title)).toBe('made\nbegun\n');
    expect(await kept(title, 'journal')).toBe('asked for\n');
  });

  it('stay when there is another node of that name, whose own have a number', async () => {
    const driver = loggingDriver(consoleFile);
    const scenario = (word: string) =>
      withHomelab(
        driver,
        async (homelab) => {
          await addNode(homelab);
          await appendFile(consoleFile, word);
        },
        'twice',
      );
    for (const word of ['first\n', 'second\n', 'third\n']) await scenario(word);
    expect(await kept('twice')).toBe('made\nfirst\n');
    expect(await kept('twice', 'console', 'attic-2')).toBe('made\nsecond\n');
    expect(await kept('twice', 'console', 'attic-3')).toBe('made\nthird\n');
    expect(await kept('twice', 'journal', 'attic-3')).toBe('asked for\n');
  });

  it('are each its own when two nodes of one name run at once', async () => {
    const logs = [new KeptLogs('at once'), new KeptLogs('at once')];
    const consoles = ['one', 'other'].map((name) => path.join(folder, name));
    const nodes = logs.map((each, index) => each.around(loggingDriver(consoles[index]!)));
    for (const node of nodes) await node.createNode({ name: 'attic' } as NodeRequest);
    await appendFile(consoles[0]!, 'one\n');
    await appendFile(consoles[1]!, 'other\n');
    for (const each of logs) await each.finish();
    expect(await kept('at-once')).toBe('made\none\n');
    expect(await kept('at-once', 'console', 'attic-2')).toBe('made\nother\n');
  });

  it('are none when nobody says where', async () => {
    vi.stubEnv('LAMADIST_LOGS', '');
    const driver = loggingDriver(consoleFile);
    expect(new KeptLogs('nothing').around(driver)).toBe(driver);
    await withHomelab(driver, async (homelab) => void (await addNode(homelab)));
    expect(await readdir(folder)).toEqual(['console.log']);
  });
});
