// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { enabledUnits } from '../../../../qemu/layers/enabled-units.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: BitBake's
describe('the units that a recipe enables', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(path.join(folder, 'files'));
    await writeFile(path.join(folder, 'files/one.timer'), '[Timer]\nOnBootSec=1s\n\n[Install]\nWantedBy=timers.target\n');
    await writeFile(path.join(folder, 'files/one.service'), '[Service]\nExecStart=/bin/true\n');
    await writeFile(path.join(folder, 'files/two.service'), '[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n');
  });

  const enabled = (...lines: readonly string[]) => enabledUnits({ name: 'example', folder, text: `${lines.join('\n')}\n` });

  it('are those of its list that say what wants them', async () => {
    expect(await enabled('SYSTEMD_SERVICE:${PN} = " \\', '    one.service \\', '    one.timer \\', '"')).toEqual(['one.timer']);
    expect(await enabled('SUMMARY = "A recipe with units, and no list of them"')).toEqual([]);
  });

  it('are none where it has them disabled', async () => {
    expect(await enabled('SYSTEMD_SERVICE:${PN} = "two.service"', 'SYSTEMD_AUTO_ENABLE = "disable"')).toEqual([]);
  });

  it('are not known when one is no file of the recipe', async () => {
    await expect(enabled('SYSTEMD_SERVICE:${PN} = "three.service"')).rejects.toThrow('Cannot tell whether example enables three.service');
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: BitBake's
