// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const cwd = path.join(import.meta.dirname, '../..');

it('shellcheck has nothing to say about any shell script', { timeout: 120_000 }, async () => {
  const { stdout } = await execa('git', ['grep', '-lE', '^#!/bin/(ba)?sh'], { cwd });
  const scripts = stdout.split('\n');
  expect(scripts).toContain('kas/build');
  const { all } = await execa('shellcheck', ['--format=gcc', ...scripts], { cwd, all: true, reject: false });
  expect(all).toBe('');
});
