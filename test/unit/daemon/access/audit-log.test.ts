// SPDX-License-Identifier: Apache-2.0
import { appendFile, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AuditEntry, AuditLog } from '../../../../agent/daemon/access/audit-log.ts';
import { CHAIN_START, checkAuditChain, lineHash } from '../../../../agent/shared/audit-chain.ts';
import { firstBrokenLine } from '../../fakes/audit.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const ENTRY: AuditEntry = {
  at: '2026-01-01T00:00:00.000Z',
  caller: 'alice',
  role: 'operator',
  certificateSha256: 'ab',
  rpc: '/lamadist.agent.v1.DeviceService/Reboot',
  result: 'OK',
  request: {},
};

const entry = (result: string, request: unknown = {}): AuditEntry => ({ ...ENTRY, result, request });

async function place() {
  const file = join(await temporaryFolder(), 'audit.log');
  return { file, text: () => readFile(file, 'utf8') };
}

/** Opens the log, writes, and closes it, as one run of the agent. */
async function run(file: string, ...entries: AuditEntry[]): Promise<void> {
  const log = await AuditLog.open(file);
  for (const each of entries) await log.append(each);
  await log.close();
}

const results = (text: string) => [...text.matchAll(/"result":"(\w+)"/g)].map(([, result]) => result);

describe('the audit log', () => {
  it('has a line for each entry, readable by its owner and group only', async () => {
    const { file, text } = await place();
    await run(file, entry('OK', { source: { path: '/v2' } }));
    const { previous, ...written } = JSON.parse(await text());
    expect(written).toEqual(entry('OK', { source: { path: '/v2' } }));
    expect(previous).toBe('0'.repeat(64));
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it('is one chain across restarts', async () => {
    const { file, text } = await place();
    await run(file, entry('A'), entry('B'));
    await run(file);
    await run(file, entry('C'));
    expect(results(await text())).toEqual(['A', 'B', 'C']);
    expect(await firstBrokenLine(await text())).toBeUndefined();
  });

  it('keeps the order of entries that come at once', async () => {
    const { file, text } = await place();
    const log = await AuditLog.open(file);
    const names = Array.from({ length: 20 }, (_, index) => `R${index}`);
    await Promise.all(names.map((name) => log.append(entry(name))));
    await log.close();
    expect(results(await text())).toEqual(names);
    expect(await firstBrokenLine(await text())).toBeUndefined();
  });

  it.each([
    ['a changed line', (lines: string[]) => lines.map((line) => line.replace('"B"', '"X"')), 3],
    ['a removed line', ([a = '', , c = '', d = '']: string[]) => [a, c, d], 2],
    ['a removed first line', (lines: string[]) => lines.slice(1), 1],
    ["two lines in each other's place", ([a = '', b = '', c = '', d = '']: string[]) => [a, c, b, d], 2],
    ['a line put in', ([a = '', ...rest]: string[]) => [a, JSON.stringify(entry('X')), ...rest], 2],
    ['a line that is no JSON', ([a = '', ...rest]: string[]) => [a, 'x', ...rest], 2],
    ['a line that is no document', ([a = '', ...rest]: string[]) => [a, 'null', ...rest], 2],
  ])('shows %s', async (_what, tamper, broken) => {
    const { file, text } = await place();
    await run(file, entry('A'), entry('B'), entry('C'), entry('D'));
    const lines = (await text()).trim().split('\n');
    expect(await firstBrokenLine(`${tamper(lines).join('\n')}\n`)).toBe(broken);
  });

  it('closes off the half of a line that a power cut left, and names it', async () => {
    const { file, text } = await place();
    await run(file, entry('A'));
    await appendFile(file, '{"at":"2026-01-');
    await run(file, entry('B'), entry('C'));
    expect(results(await text())).toEqual(['A', 'B', 'C']);
    const lines = (await text()).split('\n');
    expect(await checkAuditChain(lines)).toMatchObject({ lines: 3, cutOff: 1, breaks: [], follows: CHAIN_START });
  });

  it('closes off the half of a line that a full disk left while it runs', async () => {
    const { file, text } = await place();
    const log = await AuditLog.open(file);
    await log.append(entry('A'));
    await appendFile(file, '{"at":"2026-01-');
    await log.append(entry('B'));
    await log.close();
    expect(results(await text())).toEqual(['A', 'B']);
    expect(await checkAuditChain((await text()).split('\n'))).toMatchObject({ cutOff: 1, breaks: [] });
  });

  it.each([
    ['the line before it is taken out', ([, half = '', b = '', c = '']: string[]) => [half, b, c], undefined, 'follows'],
    ['the line before it is changed', ([a = '', ...rest]: string[]) => [a.replace('"A"', '"X"'), ...rest], 2, 'line'],
    ['it is changed itself', ([a = '', half = '', ...rest]: string[]) => [a, `${half}9`, ...rest], 2, 'line'],
    ['it is taken out', ([a = '', , ...rest]: string[]) => [a, ...rest], 2, 'line'],
    ['a line after it is changed', ([a = '', half = '', b = '', c = '']: string[]) => [a, half, b.replace('"B"', '"X"'), c], 4, 'line'],
  ])('hides nothing behind half a line: shows when %s', async (_what, tamper, line, how) => {
    const { file, text } = await place();
    await run(file, entry('A'));
    await appendFile(file, '{"at":"2026-01-');
    await run(file, entry('B'), entry('C'));
    const { breaks, follows } = await checkAuditChain(tamper((await text()).trimEnd().split('\n')));
    expect(breaks.map((each) => each.line)).toEqual(line === undefined ? [] : [line]);
    expect(follows === CHAIN_START).toBe(how === 'line');
  });

  it('is one chain through power cuts again and again, also of a file that was just begun', async () => {
    const { file } = await place();
    await run(file, entry('A'));
    await appendFile(file, '{"at":"2026-01-');
    await rename(file, `${file}.1`);
    await writeFile(file, '{"at');
    await appendFile(file, '\n{"a');
    await run(file, entry('B'));
    const all = `${await readFile(`${file}.1`, 'utf8')}\n${await readFile(file, 'utf8')}`;
    expect(await checkAuditChain(all.split('\n'))).toMatchObject({ lines: 2, cutOff: 3, breaks: [] });
  });

  it('shows every place that was tampered with, and counts those that it does not show', async () => {
    const { file, text } = await place();
    const names = Array.from({ length: 40 }, (_, index) => `R${index}`);
    await run(file, ...names.map((name) => entry(name)));
    const lines = (await text()).split('\n').map((line, index) => (index % 2 === 0 ? line.replace('alice', 'mallory') : line));
    const { breaks, breakCount } = await checkAuditChain(lines);
    expect(breaks.slice(0, 3).map(({ line }) => line)).toEqual([2, 4, 6]);
    expect({ shown: breaks.length, breakCount }).toEqual({ shown: 10, breakCount: 20 });
  });

  it('takes a line for whole that only lost its line feed', async () => {
    const { file, text } = await place();
    await run(file, entry('A'));
    await writeFile(file, (await text()).trimEnd());
    await run(file, entry('B'));
    expect(await firstBrokenLine(await text())).toBeUndefined();
  });

  it('keeps no request that is so long that the chain could not be taken up again', async () => {
    const { file, text } = await place();
    await run(file, entry('A', { message: 'ü\n'.repeat(500_000) }), entry('B', { path: `/${'x'.repeat(4_095)}` }));
    await run(file, entry('C', { message: '\u0001'.repeat(100_000) }));
    await run(file, entry('D'));
    expect(await firstBrokenLine(await text())).toBeUndefined();
    const requests = (await text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).request);
    expect(requests).toEqual(['left out: 2000014 bytes', { path: `/${'x'.repeat(4_095)}` }, expect.stringContaining('left out'), {}]);
  });

  it('shows a line of somebody else that is longer than any of its own', async () => {
    const { file, text } = await place();
    await run(file, entry('A'));
    await appendFile(file, `${'é'.repeat(100_000)}\n`);
    await run(file, entry('B'));
    expect(results(await text())).toEqual(['A', 'B']);
    expect(await firstBrokenLine(await text())).toBe(2);
  });

  it('says so when an entry cannot be written', async () => {
    const log = await AuditLog.open('/dev/full');
    onTestFinished(() => log.close());
    await expect(log.append(ENTRY)).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
  });
});

describe('the audit log that is full', () => {
  const SMALL = { fileBytes: 2_000, oldFiles: 3 };
  const files = async (file: string) => (await readdir(dirname(file))).sort();

  async function read(log: AuditLog): Promise<string> {
    let text = '';
    for await (const part of log.read()) text += part.toString();
    return text;
  }

  it('is put aside, and the chain goes on from file to file, across restarts', async () => {
    const { file } = await place();
    const names = Array.from({ length: 20 }, (_, index) => `R${index}`);
    for (const half of [names.slice(0, 10), names.slice(10)]) {
      const log = await AuditLog.open(file, SMALL);
      for (const name of half) await log.append(entry(name));
      await log.close();
    }
    const log = await AuditLog.open(file, SMALL);
    onTestFinished(() => log.close());
    expect(await files(file)).toEqual(['audit.log', 'audit.log.1', 'audit.log.2']);
    expect(results(await read(log))).toEqual(names);
    expect(await firstBrokenLine(await read(log))).toBeUndefined();
  });

  it('goes on after a power cut between putting aside and the next line', async () => {
    const { file } = await place();
    await run(file, entry('A'));
    await rename(file, `${file}.1`);
    await run(file, entry('B'));
    const log = await AuditLog.open(file);
    onTestFinished(() => log.close());
    expect(await firstBrokenLine(await read(log))).toBeUndefined();
    expect(results(await read(log))).toEqual(['A', 'B']);
  });

  it('is bounded: the oldest goes, and what is left is still one chain that says so', async () => {
    const { file } = await place();
    const log = await AuditLog.open(file, SMALL);
    onTestFinished(() => log.close());
    for (let index = 0; index < 60; index += 1) await log.append(entry(`R${index}`));
    const text = await read(log);
    expect(await files(file)).toEqual(['audit.log', 'audit.log.1', 'audit.log.2', 'audit.log.3']);
    expect(text.length).toBeLessThan(5 * SMALL.fileBytes);
    expect(results(text).at(-1)).toBe('R59');
    const chain = await checkAuditChain(text.split('\n'));
    expect(chain.breaks).toEqual([]);
    expect(chain.follows).not.toBe(CHAIN_START);
    expect(chain.head).toBe(lineHash(text.trimEnd().split('\n').at(-1) ?? ''));
  });

  it('is read as it was when it was asked for, while it is written and put aside', async () => {
    const { file } = await place();
    const log = await AuditLog.open(file, SMALL);
    onTestFinished(() => log.close());
    for (let index = 0; index < 10; index += 1) await log.append(entry(`R${index}`));
    const reading = log.read();
    let text = String((await reading.next()).value);
    for (let index = 10; index < 40; index += 1) await log.append(entry(`R${index}`));
    for await (const part of reading) text += part.toString();
    expect(results(text)).toEqual(Array.from({ length: 10 }, (_, index) => `R${index}`));
  });
});
