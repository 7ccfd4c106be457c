// SPDX-License-Identifier: Apache-2.0
// A build at home gets development keys, and a release refuses them: the layer's own Python, with a stand-in for BitBake. That
// BitBake runs it before anything is built is shown by `npm run test:yocto`.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const LAYER = path.join(import.meta.dirname, '../../meta-lamadist');
/** Reads the assignments and functions of the class and its settings, and says why it would stop a build with these variables. */
const REFUSAL = `
import json, os, re, sys
layer, given = sys.argv[1], json.loads(sys.argv[2])
settings = open(layer + '/conf/distro/include/lamadist-keys.inc').read()
text = open(layer + '/classes/lamadist-keys.bbclass').read()
values = dict(re.findall(r'^(\\w+) \\?= "(.*)"$', settings, re.M))
values.update(re.findall(r'^(\\w+) = "((?:[^"\\\\]|\\\\\\n)*)"', text.replace('\\\\\\n', ' '), re.M))
values.update(given)
class D:
    def getVar(self, name):
        return name in values and self.expand(values[name]) or None
    def expand(self, text):
        return re.sub(r'\\$\\{(\\w+)\\}', lambda match: self.getVar(match[1]) or '', text)
class bb:
    def fatal(message):
        sys.exit(message)
    def plain(message):
        print(message)
functions = re.sub(r'^python (\\w+)\\(\\) \\{$', r'def \\1(d):', text[text.index('def '):text.index('addhandler')], flags=re.M)
exec(re.sub(r'^\\}$', '', functions, flags=re.M))
lamadist_refuse_development_keys(D())
lamadist_make_development_keys(D())
`;

/** What the distribution's settings have below the folder of keys. */
const NAMED_BY_DEFAULT = [
  ...(await readFile(path.join(LAYER, 'conf/distro/include/lamadist-keys.inc'), 'utf8')).matchAll(
    /^(\w+) \?= "\$\{(?:LAMADIST_KEYS|IMA_EVM_KEY_DIR)\}\/.*"$/gm,
  ),
].map(([, variable = '']) => variable);
/** What meta-integrity's classes take from the two folders, where nobody says otherwise. */
const NAMED_ELSEWHERE = ['IMA_EVM_PRIVKEY', 'IMA_EVM_ROOT_CA', 'MODSIGN_PRIVKEY', 'MODSIGN_X509'];

/** A folder of keys: of development, when it says so. */
async function keys(development: boolean): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['ima', 'modules', 'gnupg']) await mkdir(path.join(folder, name));
  for (const name of ['bundle.key', 'bundle-ca.crt', 'secure-boot.key', 'pcr.key']) await writeFile(path.join(folder, name), '');
  if (development) await writeFile(path.join(folder, 'DEVELOPMENT-KEYS'), '');
  return folder;
}

/** A layer whose make-development-keys runs these words of the shell. */
async function layerThat(words: string): Promise<string> {
  const layer = await temporaryFolder();
  await mkdir(path.join(layer, 'scripts'));
  await writeFile(path.join(layer, 'scripts/make-development-keys'), `#!/bin/sh\n${words}\n`, { mode: 0o755 });
  return layer;
}

/** A release whose key ring opens with a word of the maker's own. */
const OWN = { LAMADIST_RELEASE: '1', RPM_GPG_PASSPHRASE: 'own' };

/** What a build with these variables is stopped with; nothing when it goes on. */
async function refusal(variables: Readonly<Record<string, string>>): Promise<string> {
  const { exitCode, stderr } = await execa('python3', ['-c', REFUSAL, LAYER, JSON.stringify(variables)], { reject: false });
  expect(exitCode === 0).toBe(stderr === '');
  return stderr;
}

describe('a release', () => {
  it('has keys to look at', () => {
    expect(NAMED_BY_DEFAULT).toEqual(
      expect.arrayContaining(['GPG_PATH', 'LAMADIST_PCR_PUBLIC_KEY', 'LAMADIST_UKI_CERT', 'RAUC_CERT_FILE']),
    );
  });

  it.each(NAMED_BY_DEFAULT)('is refused when %s is of the folder of development keys', async (variable) => {
    const folder = await keys(true);
    const said = await refusal({ LAMADIST_RELEASE: '1', LAMADIST_KEYS: folder });
    expect(said).toMatch(/^Cannot build a release: it would be signed with development keys: /);
    expect(said).toContain(`${variable}="${folder}/`);
  });

  it.each(NAMED_ELSEWHERE)('is refused when %s alone is of such a folder', async (variable) => {
    const [development, own] = [await keys(true), await keys(false)];
    const said = await refusal({ ...OWN, LAMADIST_KEYS: own, [variable]: `${development}/ima/key` });
    expect(said).toContain(`development keys: ${variable}="${development}/ima/key". `);
  });

  it('is refused when one key alone is', async () => {
    const [development, own] = [await keys(true), await keys(false)];
    const said = await refusal({ ...OWN, LAMADIST_KEYS: own, LAMADIST_UKI_KEY: `${development}/secure-boot.key` });
    expect(said).toContain(`development keys: LAMADIST_UKI_KEY="${development}/secure-boot.key". `);
  });

  it('is refused when the key ring opens with the word of development', async () => {
    const said = await refusal({ LAMADIST_RELEASE: '1', LAMADIST_KEYS: await keys(false) });
    expect(said).toContain('development keys: RPM_GPG_PASSPHRASE="development". ');
  });

  it("is made with a maker's own keys, in files or in a module", async () => {
    expect(await refusal({ ...OWN, LAMADIST_KEYS: await keys(false), RAUC_KEY_FILE: 'pkcs11:token=lamadist;object=bundle' })).toBe('');
  });

  it('gets no keys made when there are none', async () => {
    const build = await temporaryFolder();
    const said = await refusal({ ...OWN, TOPDIR: build });
    expect(said).toContain(`Cannot sign what would be built: there is no folder "${build}/keys", where LAMADIST_KEYS looks for GPG_PATH, `);
    expect(await readdir(build)).toEqual([]);
  });
});

describe('a build that stays at home', () => {
  it('is made with development keys', async () => {
    expect(await refusal({ LAMADIST_KEYS: await keys(true) })).toBe('');
  });

  it('gets them made in its own folder, once', async () => {
    const build = { TOPDIR: await temporaryFolder(), LAMADIST_LAYERDIR: await layerThat('mkdir "$1"') };
    expect(await refusal(build)).toBe('');
    expect(await readdir(build.TOPDIR)).toEqual(['keys']);
    expect(await refusal(build)).toBe('');
  });

  it('stops with what was said when they cannot be made', async () => {
    const build = { TOPDIR: await temporaryFolder(), LAMADIST_LAYERDIR: await layerThat('echo openssl: not found >&2; exit 127') };
    expect(await refusal(build)).toMatch(
      /^Cannot make development keys in ".*\/keys", which needs OpenSSL 3 and GnuPG: openssl: not found/,
    );
  });

  it('stops when the folder that somebody named is not there', async () => {
    expect(await refusal({ LAMADIST_KEYS: '/nowhere/keys' })).toContain('there is no folder "/nowhere/keys"');
  });
});
