// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { FakeNode } from '../fake-node.ts';
import { FakeWorld, worldCertificates } from '../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const world = () => new FakeWorld({ attic: new FakeNode(), cellar: new FakeNode() }, certificates);

describe('what is printed', () => {
  it('is what a template makes of the document, and ends its line', async () => {
    const both = world();
    expect(await both.run(['status', '--all', '-o', 'jsonpath={range .nodes[*]}{.node}={.state}{"\\n"}{end}'])).toBe(0);
    expect(both.stdout.text).toBe('attic=healthy\ncellar=healthy\n');
    const one = world();
    expect(await one.run('status -n attic -o jsonpath={.nodes[0].device.slots[?(@.booted==true)].bootname}')).toBe(0);
    expect(one.stdout.text).toMatch(/^[AB]\n$/);
  });

  it('is nothing, and a clear error, for a template that cannot be read', async () => {
    const both = world();
    expect(await both.run('status --all -o jsonpath={.nodes')).toBe(2);
    expect(both.stderr.text).toContain('a brace is not closed; an example is {.nodes[*].node}');
    expect(both.stdout.text).toBe('');
  });

  it('is a table with more columns when it is wide, of one node too', async () => {
    const both = world();
    await both.run('status --all');
    expect(both.stdout.text).not.toContain('KERNEL');
    for (const nodes of ['--all', '-n attic']) {
      const wide = world();
      expect(await wide.run(`status ${nodes} -o wide`)).toBe(0);
      expect(wide.stdout.text).toMatch(/^NODE +STATE +VERSION +SLOT +PHASE +SINCE +ADDRESS +COMPATIBLE +KERNEL +AGENT +WHY$/m);
      expect(wide.stdout.text).toMatch(/^attic +healthy .* 10\.0\.0\.5/m);
    }
  });
});
