// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contextFilePath, parseContextFile, readContext, readNames } from '../../../../agent/lamactl/contexts/context-file.ts';
import { Certificates } from '../certificates.ts';

const folder = new Certificates();
afterAll(() => folder.remove());

const GOOD = `current-context: home
contexts:
  home:
    ca: pki/ca.pem
    certificate: /etc/admin.pem
    key: admin.key
    nodes:
      attic: { address: "10.0.0.5:7443", name: attic.lan, labels: { place: roof } }
      cellar: { address: cellar.lan }
  work:
    ca: ca.pem
    certificate: admin.pem
    key: admin.key
    nodes:
      rack: { address: "[fd00::5]" }
`;

describe('the place of the context file', () => {
  it('is LAMACTL_CONFIG, then the XDG folder, then ~/.config', () => {
    expect(contextFilePath({ LAMACTL_CONFIG: '/a.yaml', XDG_CONFIG_HOME: '/xdg' }, '/home/u')).toBe('/a.yaml');
    expect(contextFilePath({ XDG_CONFIG_HOME: '/xdg' }, '/home/u')).toBe('/xdg/lamactl/config.yaml');
    expect(contextFilePath({}, '/home/u')).toBe('/home/u/.config/lamactl/config.yaml');
  });
});

describe('a context file', () => {
  const file = folder.path('config.yaml');
  beforeAll(() => writeFileSync(file, GOOD));

  it('gives the current context, with paths relative to itself', async () => {
    expect(await readContext(file, undefined)).toMatchObject({
      name: 'home',
      ca: folder.path('pki/ca.pem'),
      certificate: '/etc/admin.pem',
      key: folder.path('admin.key'),
      nodes: { attic: { address: '10.0.0.5:7443', name: 'attic.lan' }, cellar: { address: 'cellar.lan' } },
    });
  });

  it('gives the context that is named, and lists what it holds when there is none of that name', async () => {
    expect((await readContext(file, 'work')).name).toBe('work');
    await expect(readContext(file, 'office')).rejects.toThrow(`Cannot use context "office": ${file} holds "home", "work"`);
    await expect(readContext(file, 'hoem')).rejects.toThrow('; did you mean "home"?');
    await expect(readContext(file, 'toString')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('needs no current-context while it holds only one', async () => {
    const single = folder.path('single.yaml');
    writeFileSync(single, GOOD.slice(GOOD.indexOf('contexts:'), GOOD.indexOf('  work:')));
    expect((await readContext(single, undefined)).name).toBe('home');
  });

  it('says so when it holds more than one and none is chosen', async () => {
    const many = folder.path('many.yaml');
    writeFileSync(many, GOOD.slice(GOOD.indexOf('contexts:')));
    await expect(readContext(many, undefined)).rejects.toThrow('name one with --context');
  });

  it('says so when it holds none', async () => {
    const none = folder.path('none.yaml');
    writeFileSync(none, 'contexts: {}');
    await expect(readContext(none, undefined)).rejects.toThrow(`${none} holds none; add one, as "lamactl --help" shows`);
  });

  it('is not waited for when it is a pipe, neither by a command nor by completion', async () => {
    const pipe = folder.path('pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    await expect(readContext(pipe, undefined)).rejects.toThrow(`Cannot read the context file ${pipe}: it is not a file`);
    expect(await readNames({ LAMACTL_CONFIG: pipe }, '/', undefined)).toEqual({ nodes: [], contexts: [] });
  });

  it('is refused when it is far too large', async () => {
    const large = folder.path('large.yaml');
    writeFileSync(large, '');
    truncateSync(large, 5 << 20);
    await expect(readContext(large, undefined)).rejects.toThrow('it has 5242880 bytes, and 4194304 are the most');
  });

  const broken = (change: (text: string) => string) => () => parseContextFile(change(GOOD), '/c.yaml');

  it.each([
    [
      'an unknown field',
      (text: string) => text.replace('    key: admin.key\n', '    key: admin.key\n    kee: x\n'),
      'line 7: "contexts.home.kee" is not a known field',
    ],
    ['a missing field', (text: string) => text.replace('    ca: pki/ca.pem\n', ''), 'line 3: "contexts.home.ca" is missing'],
    ['a wrong type', (text: string) => text.replace('ca: pki/ca.pem', 'ca: [1]'), 'line 4: "contexts.home.ca" must be string, not Array'],
    [
      'a wrong address',
      (text: string) => text.replace('cellar.lan', '"cellar.lan:0"'),
      'line 9: "contexts.home.nodes.cellar.address" is not an address',
    ],
    [
      'a name with a comma',
      (text: string) => text.replace('cellar:', '"a,b":'),
      'line 9: "contexts.home.nodes.a,b" has characters other than',
    ],
    ['broken YAML', (text: string) => text.replace('home:', 'home: ]'), 'line 3: '],
    ['a key that stands twice', (text: string) => text.replace('  work:', '  home:'), 'line 10: '],
    ['an empty file', () => '', 'line 1: "contexts" is missing'],
  ])('refuses %s and says where', (_what, change, message) => {
    expect(broken(change)).toThrow(message);
    expect(broken(change)).toThrow('Cannot use /c.yaml: ');
  });
});
