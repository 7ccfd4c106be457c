// SPDX-License-Identifier: Apache-2.0
// What the tools of the build container say of the layers. They come from Python's index, once: without it, the test says so.
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { lockedTools } from './locked-tools.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const DEADLINE_MS = 600_000;

describe('the layers', () => {
  it(
    "are valid by kas's own schema, and of the style that oelint-adv asks for",
    async ({ skip }) => {
      const tools = await lockedTools();
      if (tools.type === 'missing') return skip(`kas and oelint-adv cannot be had here: ${tools.why}`);
      const env = { PATH: `${tools.folder}:${process.env.PATH}` };
      const { exitCode, all } = await execa(path.join(ROOT, '.ci/lint-layers'), { env, reject: false, all: true, timeout: DEADLINE_MS });
      expect(all.trim()).toBe("The layers' kas files and recipes are clean");
      expect(exitCode).toBe(0);
    },
    DEADLINE_MS,
  );
});
