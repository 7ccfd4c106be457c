// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedAuthorities } from '../../../../../agent/daemon/platform/linux/pinned-authorities.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const [ONE, OTHER] = ['ab'.repeat(32), 'cd'.repeat(32)] as const;

async function pinnedBy(commandLine: string): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'cmdline'), `${commandLine}\n`);
  return pinnedAuthorities(folder);
}

describe('the authorities that the kernel command line pins', () => {
  it('are none where it says nothing of them', async () => {
    expect(await pinnedBy('quiet root=/dev/sda lamadist.other=1')).toEqual([]);
  });

  it.each([
    [`quiet lamadist.enrol_ca=sha256:${ONE}`, [ONE]],
    [`lamadist.enrol_ca=sha256:${ONE},${OTHER} quiet`, [ONE, OTHER]],
    [`lamadist.enrol_ca=${ONE} lamadist.enrol_ca=${OTHER}`, [ONE, OTHER]],
    [`"lamadist.enrol_ca=sha256:${ONE}"`, [ONE]],
    [`lamadist.enrol_ca="sha256:${ONE}"`, [ONE]],
    [`lamadist.enrol-ca=sha256:${ONE}`, [ONE]],
  ])('are read from %s', async (commandLine, pins) => {
    expect(await pinnedBy(commandLine)).toEqual(pins);
  });

  it.each([
    'lamadist.enrol_ca=',
    'lamadist.enrol_ca',
    `lamadist.enrol_ca=sha256:${ONE},`,
    `lamadist.enroll_ca=sha256:${ONE}`,
    `LAMADIST.ENROL_CA=sha256:${ONE}`,
    `lamadist_enrol_ca=sha256:${ONE}`,
  ])('are never taken for none because of %s', async (commandLine) => {
    await expect(pinnedBy(commandLine)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(commandLine) });
  });
});
