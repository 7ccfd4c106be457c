// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const TRESPASSERS = join(ROOT, 'agent/daemon/update/trespassers');

async function violations(): Promise<string[]> {
  const { stdout } = await execa('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'agent', 'qemu'], {
    preferLocal: true,
    cwd: ROOT,
    reject: false,
    timeout: 120_000,
  });
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string; to: string }[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

describe('the rules about who may know whom', { timeout: 180_000 }, () => {
  afterEach(() => rm(TRESPASSERS, { recursive: true, force: true }));

  it('are kept everywhere', async () => {
    expect(await violations()).toEqual([]);
  });

  it('catch a subject that reaches for a neighbour, an edge or a library that is not its own, and a cycle', async () => {
    await mkdir(TRESPASSERS, { recursive: true });
    await writeFile(
      join(TRESPASSERS, 'one.ts'),
      ["import '../../platform/dbus/system-bus.ts';", "import '../../rpc/server.ts';", "import 'execa';", "import './two.ts';"].join('\n'),
    );
    await writeFile(join(TRESPASSERS, 'two.ts'), "import './one.ts';");
    const rules = new Set((await violations()).map((violation) => violation.split(':')[0]));
    expect(rules).toEqual(new Set(['subjects-know-no-edge-and-no-neighbour', 'programs-are-run-by-platform', 'no-cycles']));
  });
});
