// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PROTO = join(ROOT, 'proto');
const buf = (...args: string[]) =>
  execa('buf', args, { cwd: PROTO, localDir: ROOT, preferLocal: true, reject: false, all: true, timeout: 60_000 });

describe('the protos', { timeout: 90_000 }, () => {
  it("pass buf's STANDARD rules", async () => {
    expect(await buf('lint')).toMatchObject({ all: '', exitCode: 0 });
  });

  it('are formatted as buf formats them', async () => {
    expect(await buf('format', '--diff', '--exit-code')).toMatchObject({ all: '', exitCode: 0 });
  });
});
