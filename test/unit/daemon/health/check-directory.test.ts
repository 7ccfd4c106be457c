// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCheckDirectory } from '../../../../agent/daemon/health/check-directory.ts';

const CHECK = 'severity: required\ncondition: {type: clock-synchronised}\n';
const ADVISORY = CHECK.replace('required', 'advisory');

let root: string;
let vendor: string;
let admin: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'health-'));
  vendor = join(root, 'usr');
  admin = join(root, 'etc');
  await mkdir(vendor);
  await mkdir(admin);
});

afterEach(() => rm(root, { recursive: true }));

const read = () => readCheckDirectory([vendor, admin]);
const names = async () => (await read()).checks.map(({ name }) => name);

test('reads the checks of all folders, in the order of their names', async () => {
  await writeFile(join(vendor, 'b.yaml'), CHECK);
  await writeFile(join(vendor, 'd.yaml'), CHECK);
  await writeFile(join(admin, 'c.yaml'), CHECK);
  await writeFile(join(admin, 'a.yaml'), CHECK);
  expect(await read()).toMatchObject({ checks: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }], broken: [], masked: [] });
});

test('a file in a later folder stands in for the one of the same name', async () => {
  await writeFile(join(vendor, 'a.yaml'), CHECK);
  await writeFile(join(admin, 'a.yaml'), ADVISORY);
  expect(await read()).toMatchObject({ checks: [{ name: 'a', severity: 'advisory' }] });
});

test('a broken override does not bring the earlier file back', async () => {
  await writeFile(join(vendor, 'a.yaml'), CHECK);
  await writeFile(join(admin, 'a.yaml'), 'severity: must');
  const { checks, broken } = await read();
  expect(checks).toEqual([]);
  expect(broken[0]).toMatchObject({ file: join(admin, 'a.yaml'), line: 1 });
});

describe('a check is masked', () => {
  beforeEach(() => writeFile(join(vendor, 'a.yaml'), CHECK));

  test('by an empty file', async () => {
    await writeFile(join(admin, 'a.yaml'), '');
    expect(await read()).toEqual({ checks: [], broken: [], masked: ['a'] });
  });

  test('by a link to /dev/null', async () => {
    await symlink('/dev/null', join(admin, 'a.yaml'));
    expect(await read()).toEqual({ checks: [], broken: [], masked: ['a'] });
  });

  test('but not by a file of blanks and comments, which may be half an edit', async () => {
    await writeFile(join(admin, 'a.yaml'), '\n# severity: required\n');
    expect(await read()).toMatchObject({ checks: [], broken: [{ message: expect.stringContaining('holds no check') }], masked: [] });
  });
});

test('a link to a check elsewhere is followed', async () => {
  await writeFile(join(root, 'shared'), CHECK);
  await symlink(join(root, 'shared'), join(admin, 'a.yaml'));
  expect(await names()).toEqual(['a']);
});

test('passes over hidden files and other endings', async () => {
  for (const name of ['README', '.a.yaml', 'a.yaml~', 'a.yaml.bak', '.hidden.yml']) await writeFile(join(admin, name), 'anything');
  expect(await read()).toEqual({ checks: [], broken: [], masked: [] });
});

describe('never silently leaves out', () => {
  test('a file that ends in .yml', async () => {
    await writeFile(join(admin, 'a.yml'), CHECK);
    expect((await read()).broken).toEqual([
      { file: join(admin, 'a.yml'), line: 1, field: '', message: 'only files that end in ".yaml" are read: rename it' },
    ]);
  });

  test('a link that leads nowhere', async () => {
    await symlink(join(root, 'gone'), join(admin, 'a.yaml'));
    expect((await read()).broken).toMatchObject([{ file: join(admin, 'a.yaml'), message: expect.stringContaining('ENOENT') }]);
  });

  test('a folder in the place of a file', async () => {
    await mkdir(join(admin, 'a.yaml'));
    expect((await read()).broken).toMatchObject([{ file: join(admin, 'a.yaml'), message: expect.stringContaining('regular file') }]);
  });

  test('a FIFO, on which another reader would wait for ever', async () => {
    execFileSync('mkfifo', [join(admin, 'a.yaml')]);
    expect((await read()).broken).toMatchObject([{ file: join(admin, 'a.yaml'), message: expect.stringContaining('regular file') }]);
  });

  test('a folder that is a file', async () => {
    await writeFile(join(root, 'flat'), '');
    const { broken } = await readCheckDirectory([vendor, join(root, 'flat')]);
    expect(broken).toMatchObject([{ file: join(root, 'flat'), line: 1, message: expect.stringContaining('ENOTDIR') }]);
  });

  test('a file that is too large', async () => {
    await writeFile(join(admin, 'a.yaml'), Buffer.alloc(1024 * 1024, 'a'));
    expect((await read()).broken).toMatchObject([{ message: 'larger than 65536 bytes: make it smaller' }]);
  });

  test('the files after the 256th', async () => {
    await Promise.all(Array.from({ length: 257 }, (_, index) => writeFile(join(admin, `c${index}.yaml`), CHECK)));
    const { checks, broken } = await read();
    expect(checks).toHaveLength(256);
    expect(broken).toMatchObject([{ file: admin, message: '257 check files, of which only 256 are read: remove some' }]);
  });
});

test('a folder that does not exist is broken, unless it may be missing', async () => {
  await writeFile(join(vendor, 'a.yaml'), CHECK);
  const missing = join(root, 'missing');
  expect(await readCheckDirectory([vendor, missing], missing)).toMatchObject({ checks: [{ name: 'a' }], broken: [] });
  const { broken } = await readCheckDirectory([vendor, missing]);
  expect(broken).toMatchObject([{ file: missing, message: expect.stringContaining('ENOENT') }]);
});
