// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../../agent/lamactl/attest/verify.ts';
import { lockFile } from '../../../../agent/lamactl/file-lock.ts';
import { appendToRecord, readRecord } from '../../../../agent/lamactl/trust/evidence-record.ts';
import { type Forgery, forge } from '../../fakes/attest/forged-tpm.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { FakeWorld, worldCertificates } from '../fake-world.ts';

const certificates = worldCertificates();

function judged(node: string, forgery: Forgery = {}) {
  const question = forge(forgery);
  return { node, time: '2026-11-20T12:00:00.000Z', verdict: verify(question), evidence: question.evidence, policy: question.policy };
}

async function recordOf(...rounds: (readonly ReturnType<typeof judged>[])[]): Promise<string> {
  const file = join(await temporaryFolder(), 'record');
  for (const round of rounds) await appendToRecord(file, round);
  return file;
}

async function read(file: string) {
  const lines = [];
  for await (const line of readRecord(file)) lines.push(line);
  return lines;
}

async function change(file: string, edit: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  await writeFile(
    file,
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

const bad: Forgery = { words: { type: 0x8017 } };
const two = () => recordOf([judged('attic'), judged('cellar', bad)], [judged('attic')]);
const lamactl = async (line: string) => {
  const world = new FakeWorld({}, certificates);
  return { exit: await world.run(line), world };
};

describe('a record of evidence', () => {
  it('holds verdicts with all that they rest on, in their order', async () => {
    const lines = await read(await two());
    expect(lines.map(({ node, verdict }) => `${node} ${verdict.verdict}`)).toEqual(['attic TRUSTED', 'cellar REJECTED', 'attic TRUSTED']);
    expect(lines[1]?.evidence).toEqual(forge(bad).evidence === undefined ? undefined : expect.objectContaining({ pcr_bank: 'sha256' }));
  });

  it('is judged again, by the policies of then', async () => {
    const { exit, world } = await lamactl(`attest record --file ${await two()} -o json`);
    expect(exit).toBe(0);
    expect(world.json()).toMatchObject({ verdicts: [{ agrees: true }, { agrees: true, now: { reason: 'type' } }, { agrees: true }] });
  });

  it('holds a node that gave no evidence', async () => {
    const file = join(await temporaryFolder(), 'record');
    const verdict = { verdict: 'UNKNOWN', found: 'it is off' } as const;
    await appendToRecord(file, [{ node: 'attic', time: '2026-11-20T12:00:00.000Z', verdict }]);
    expect(await read(file)).toMatchObject([{ node: 'attic', verdict }]);
    expect((await lamactl(`attest record --file ${file}`)).exit).toBe(0);
  });

  it.each([
    ['changed', (lines: string[]) => lines.map((line, at) => (at === 0 ? line.replace('attic', 'attix') : line)), 2],
    ['taken out', (lines: string[]) => lines.toSpliced(1, 1), 2],
    ['taken out at the start', (lines: string[]) => lines.slice(1), 1],
    ['put in', (lines: string[]) => [...lines.slice(0, 2), lines[1]!, lines[2]!], 3],
    ['no JSON', (lines: string[]) => [lines[0]!, 'x'], 2],
  ] as const)('is not read beyond a line that was %s', async (_, edit, line) => {
    const file = await two();
    await change(file, (lines) => edit(lines));
    await expect(read(file)).rejects.toMatchObject({ code: 'EVIDENCE_INVALID', facts: { line: String(line) } });
  });

  it.each([
    ['verdict', { verdict: { verdict: 'TRUSTED (first use)' } }],
    ['verdict', { verdict: { verdict: 'REJECTED', reason: 'type', found: '', pcr: {} } }],
    ['evidence', { evidence: { nonce: 'x' } }],
    ['policy', { policy: { pcrs: [] } }],
    ['policy', { policy: 'nested' }],
    ['evidence', { evidence: 'nested' }],
    ['verdict', { verdict: 'nested' }],
  ])('is refused with the line when its %s is not as it is written', async (part, change) => {
    const file = await recordOf([judged('attic')]);
    const [line = ''] = (await readFile(file, 'utf8')).split('\n');
    const text = JSON.stringify({ ...JSON.parse(line), ...change });
    await writeFile(file, `${text.replace('"nested"', '['.repeat(20_000) + ']'.repeat(20_000))}\n`);
    const { exit, world } = await lamactl(`attest record --file ${file}`);
    expect([exit, world.stderr.text]).toEqual([16, expect.stringContaining('line 1: ')]);
    if (part !== 'verdict') expect(world.stderr.text).toContain(part);
  });

  it.each([
    ['is no JSON', 'x\n'],
    ['is another file', '# what I wanted to buy'],
    [
      'is trusted for nothing',
      `${JSON.stringify({ previous: '0'.repeat(64), node: 'attic', time: '2026-11-20T12:00:00.000Z', verdict: { verdict: 'TRUSTED' } })}\n`,
    ],
  ])('is not appended to where its end %s', async (_, end) => {
    const file = join(await temporaryFolder(), 'record');
    await writeFile(file, end);
    await expect(appendToRecord(file, [judged('attic')])).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' });
    expect(await readFile(file, 'utf8')).toBe(end);
  });

  it.each([
    ['the newline alone of its last line', 1, 4],
    ['the half of its last line', 2000, 3],
    ['all but a few bytes of its last line', -20, 3],
  ])('goes on after a power cut that left out %s', async (_, bytes, lines) => {
    const file = await two();
    const content = await readFile(file);
    const lastLine = content.lastIndexOf('\n', content.length - 2) + 1;
    await truncate(file, bytes > 0 ? content.length - bytes : lastLine - bytes);
    await appendToRecord(file, [judged('shed')]);
    const nodes = (await read(file)).map(({ node }) => node);
    expect([nodes.length, nodes.at(-1)]).toEqual([lines, 'shed']);
  });

  it.each([
    ['at its end', 0],
    ['in the midst of a line', 2000],
  ])('goes on after a power cut that left zeros %s', async (_, bytes) => {
    const file = await two();
    const content = await readFile(file);
    await truncate(file, content.length - bytes);
    await appendFile(file, Buffer.alloc(4096));
    await appendToRecord(file, [judged('shed')]);
    expect((await read(file)).at(-1)?.node).toBe('shed');
  });

  it('goes on after a power cut that left zeros between pages of a line', async () => {
    const file = await two();
    const line = (await readFile(file, 'utf8')).split('\n').at(-2) ?? '';
    const next = JSON.stringify({ ...JSON.parse(line), previous: (await read(file)).at(-1)?.sha256 });
    await appendFile(file, Buffer.concat([Buffer.from(next.slice(0, 200)), Buffer.alloc(1 << 20), Buffer.from(next.slice(200, 400))]));
    await appendToRecord(file, [judged('shed')]);
    expect((await read(file)).at(-1)?.node).toBe('shed');
  });

  it.each([
    ['of zeros and something else', 4096, 'a disk'],
    ['that is too long for a line', (64 << 20) + 1, ''],
  ])('leaves another file alone: one %s', async (_, sizeBytes, end) => {
    const file = join(await temporaryFolder(), 'record');
    await writeFile(file, '');
    await truncate(file, sizeBytes);
    await appendFile(file, end);
    await expect(appendToRecord(file, [judged('attic')])).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' });
    expect((await stat(file)).size).toBe(sizeBytes + end.length);
    await expect(read(file)).rejects.toMatchObject({ code: 'EVIDENCE_INVALID', facts: { line: '1' } });
  });

  it('begins anew after a power cut in its first line', async () => {
    const file = await recordOf([judged('attic')]);
    await truncate(file, 300);
    await appendToRecord(file, [judged('shed')]);
    expect((await read(file)).map(({ node }) => node)).toEqual(['shed']);
  });

  it('is refused when it has no lines', async () => {
    const file = join(await temporaryFolder(), 'record');
    await writeFile(file, '');
    const { exit, world } = await lamactl(`attest record --file ${file}`);
    expect([exit, world.stderr.text]).toEqual([16, expect.stringContaining('it has no lines')]);
  });

  it('tells by the hash of its last line whether lines at its end are missing', async () => {
    const file = await two();
    const head = (await read(file)).at(-1)?.sha256;
    expect((await lamactl(`attest record --file ${file} --head ${head}`)).exit).toBe(0);
    await change(file, (lines) => lines.slice(0, -1));
    const { exit, world } = await lamactl(`attest record --file ${file} --head ${head}`);
    expect([exit, world.stderr.text]).toEqual([16, expect.stringContaining('lines were taken away')]);
  });

  it('says when a verdict of then does not hold', async () => {
    const file = await recordOf([{ ...judged('attic', bad), verdict: { verdict: 'TRUSTED' } }]);
    const { exit, world } = await lamactl(`attest record --file ${file}`);
    expect([exit, world.stdout.text]).toEqual([16, expect.stringMatching(/attic +TRUSTED +REJECTED \(type\)/)]);
  });

  it.each([
    ['another reason', { verdict: 'REJECTED', reason: 'magic', found: '' }],
    ['a question that only the one who asked could compare', { verdict: 'REJECTED', reason: 'nonce', found: '' }],
    ['the image before', { verdict: 'TRUSTED', image: 'previous' }],
  ] as const)('says so when a verdict holds, but not for %s', async (_, verdict) => {
    const forgery = verdict.verdict === 'REJECTED' ? bad : {};
    const file = await recordOf([{ ...judged('attic', forgery), verdict }]);
    expect((await lamactl(`attest record --file ${file}`)).exit).toBe(16);
  });

  it('is not written by two at once: the second waits', async () => {
    const file = await two();
    await writeFile(`${file}.lock`, `${process.pid}`);
    const second = appendToRecord(file, [judged('shed')]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await read(file)).toHaveLength(3);
    await rm(`${file}.lock`);
    await second;
    expect((await read(file)).map(({ node }) => node)).toEqual(['attic', 'cellar', 'attic', 'shed']);
  });

  it('is given up when another does not end', async () => {
    const file = await two();
    await writeFile(`${file}.lock`, `${process.pid}`);
    await expect(lockFile(file, 60)).rejects.toThrow('another lamactl writes to it');
  });

  it('is written although one that is gone left its lock', async () => {
    const file = await two();
    const { pid } = spawnSync('true');
    await writeFile(`${file}.lock`, `${pid}`);
    await appendToRecord(file, [judged('attic')]);
    expect(await read(file)).toHaveLength(4);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});
