// SPDX-License-Identifier: Apache-2.0
// A release refuses development keys: the layer's own Python, with a stand-in for BitBake. That BitBake runs it before anything is
// built is shown by `npm run test:yocto`.
import { mkdir, writeFile } from 'node:fs/promises';
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
        value = values.get(name)
        return value and re.sub(r'\\$\\{(\\w+)\\}', lambda match: self.getVar(match[1]) or '', value)
class bb:
    def fatal(message):
        sys.exit(message)
functions = re.sub(r'^python (\\w+)\\(\\) \\{$', r'def \\1(d):', text[text.index('def '):text.index('addhandler')], flags=re.M)
exec(re.sub(r'^\\}$', '', functions, flags=re.M))
lamadist_refuse_development_keys(D())
`;

/** A folder of keys: of development, when it says so. */
async function keys(development: boolean): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['ima', 'modules', 'gnupg']) await mkdir(path.join(folder, name));
  for (const name of ['bundle.key', 'bundle-ca.crt', 'secure-boot.key', 'pcr.key']) await writeFile(path.join(folder, name), '');
  if (development) await writeFile(path.join(folder, 'DEVELOPMENT-KEYS'), '');
  return folder;
}

/** What a build with these variables is stopped with; nothing when it goes on. */
async function refusal(variables: Readonly<Record<string, string>>): Promise<string> {
  const { exitCode, stderr } = await execa('python3', ['-c', REFUSAL, LAYER, JSON.stringify(variables)], { reject: false });
  expect(exitCode === 0).toBe(stderr === '');
  return stderr;
}

describe('a release', () => {
  it.each(['GPG_PATH', 'IMA_EVM_KEY_DIR', 'LAMADIST_PCR_KEY', 'LAMADIST_UKI_KEY', 'MODSIGN_KEY_DIR', 'RAUC_KEYRING_FILE', 'RAUC_KEY_FILE'])(
    'is refused when %s is of the folder of development keys',
    async (variable) => {
      const folder = await keys(true);
      const said = await refusal({ LAMADIST_RELEASE: '1', LAMADIST_KEYS: folder });
      expect(said).toMatch(/^Cannot build a release: it would be signed with development keys: /);
      expect(said).toContain(`${variable}="${folder}/`);
    },
  );

  it('is refused when one key alone is', async () => {
    const [development, own] = [await keys(true), await keys(false)];
    const said = await refusal({ LAMADIST_RELEASE: '1', LAMADIST_KEYS: own, LAMADIST_UKI_KEY: `${development}/secure-boot.key` });
    expect(said).toContain(`development keys: LAMADIST_UKI_KEY="${development}/secure-boot.key". `);
  });

  it("is made with a maker's own keys, in files or in a module", async () => {
    const own = await keys(false);
    expect(await refusal({ LAMADIST_RELEASE: '1', LAMADIST_KEYS: own, RAUC_KEY_FILE: 'pkcs11:token=lamadist;object=bundle' })).toBe('');
  });
});

describe('a build that stays at home', () => {
  it('is made with development keys', async () => {
    expect(await refusal({ LAMADIST_KEYS: await keys(true) })).toBe('');
  });
});
