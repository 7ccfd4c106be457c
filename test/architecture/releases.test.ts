// SPDX-License-Identifier: Apache-2.0
// What a release says of itself: its version, and what changed, by a repository of a few commits.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** A repository with our scripts in it, and one empty commit for each subject. */
async function repository(...subjects: string[]) {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'kas'));
  await mkdir(path.join(folder, '.ci'));
  for (const script of ['kas/version', '.ci/release-notes', '.ci/check-messages'])
    await copyFile(path.join(ROOT, script), path.join(folder, script));
  const identity = [
    '-c',
    'user.name=Somebody',
    '-c',
    'user.email=somebody@lamadist.invalid',
    '-c',
    'commit.gpgSign=false',
    '-c',
    'tag.gpgSign=false',
  ];
  const git = async (...args: string[]) => execa('git', ['-C', folder, ...identity, ...args]);
  const commit = async (subject: string) => git('commit', '--quiet', '--signoff', '--allow-empty', '--message', subject);
  const run = async (script: string, ...args: string[]) => execa(path.join(folder, script), args, { cwd: folder, reject: false });
  await git('init', '--quiet');
  await git('add', '.');
  for (const subject of subjects) await commit(subject);
  return { folder, git, commit, run };
}

describe('the version of a checkout', () => {
  it('is what its tag says', async () => {
    const { git, run } = await repository('feat: a beginning');
    await git('tag', 'v1.2.3');
    expect((await run('kas/version')).stdout).toBe('1.2.3');
  });

  it('counts the commits since its tag, and tells of changes that are in no commit', async () => {
    const { folder, git, commit, run } = await repository('feat: a beginning');
    await git('tag', 'v1.2.3-rc.1');
    await commit('fix: an end');
    expect((await run('kas/version')).stdout).toMatch(/^1\.2\.3-rc\.1\+1\.g[0-9a-f]{7}$/);
    await writeFile(path.join(folder, 'kas/version'), '\n', { flag: 'a' });
    expect((await run('kas/version')).stdout).toMatch(/^1\.2\.3-rc\.1\+1\.g[0-9a-f]{7}\.dirty$/);
  });

  it('counts from 0.0.0 where there is no tag', async () => {
    const { run } = await repository('feat: a beginning', 'feat: a second');
    expect((await run('kas/version')).stdout).toMatch(/^0\.0\.0\+2\.g[0-9a-f]{7}$/);
  });
});

describe('the notes of a release', () => {
  it('have what is new and what was mended since the tag before, and leave out what nobody sees', async () => {
    const { git, commit, run } = await repository('feat: an old thing');
    await git('tag', 'v1.0.0');
    for (const subject of ['feat(update): a new thing', 'fix: a mended thing', 'test: a proof', 'feat!: another way'])
      await commit(subject);
    await git('tag', 'v1.1.0');
    const { stdout } = await run('.ci/release-notes', 'v1.1.0');
    const lines = stdout
      .replace(/ \([0-9a-f]+\)$/gm, '')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines).toEqual([
      '## What no longer works as before',
      '- another way',
      '## New',
      '- update: a new thing',
      '- another way',
      '## Mended',
      '- a mended thing',
    ]);
  });
});

describe('the messages of commits', () => {
  it('are refused when they are not of the convention, or not signed off', async () => {
    const { git, commit, run } = await repository('feat: a beginning');
    await commit('Fixed stuff');
    await git('commit', '--quiet', '--allow-empty', '--message', 'fix: not signed off');
    const { exitCode, stdout } = await run('.ci/check-messages', 'HEAD~2', 'HEAD');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/is no Conventional Commit: Fixed stuff/);
    expect(stdout).toMatch(/is not signed off: fix: not signed off/);
  });

  it('are accepted when they are both', async () => {
    const { commit, run } = await repository('feat: a beginning');
    await commit('fix(update): an end');
    expect((await run('.ci/check-messages', 'HEAD~1', 'HEAD')).exitCode).toBe(0);
  });
});
