// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { linksOf } from '../../../../qemu/layers/recipe-lines.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: BitBake's
it('finds the links of a recipe, in its loops and over its lines', () => {
  const recipe = [
    'do_install() {',
    '    install -d ${D}${systemd_system_unitdir}/a.target.wants',
    '    for unit in one two; do',
    '        ln -s ../$unit.service ${D}${systemd_system_unitdir}/a.target.wants/$unit.service',
    '    done',
    '    ln -s /dev/null \\',
    '        ${D}${sysconfdir}/nothing',
    '}',
    '',
  ].join('\n');
  expect(linksOf(recipe)).toEqual([
    { path: '/usr/lib/systemd/system/a.target.wants/one.service', to: '../one.service' },
    { path: '/usr/lib/systemd/system/a.target.wants/two.service', to: '../two.service' },
    { path: '/etc/nothing', to: '/dev/null' },
  ]);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: BitBake's
