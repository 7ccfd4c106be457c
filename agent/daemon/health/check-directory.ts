// SPDX-License-Identifier: Apache-2.0
import { readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readBounded } from '../files/bounded-file.ts';
import type { BrokenCheck, Check, CheckSet } from './check.ts';
import { CHECK_SUFFIX, type CheckFile, LARGEST_FILE_BYTES, readCheckFile } from './check-file.ts';

const MOST_FILES = 256;

export interface CheckDirectory extends CheckSet {
  /** The names that an empty file or a link to /dev/null takes out. */
  readonly masked: readonly string[];
}

/**
 * Reads the checks in these folders, in the order of their names. A file in a later folder stands in for one of the same name in
 * an earlier one. Whatever cannot be read is among the broken, so that it fails the gate; only the folder that may be missing is
 * empty where it does not exist.
 */
export async function readCheckDirectory(folders: readonly string[], mayBeMissing?: string): Promise<CheckDirectory> {
  const listings = await Promise.all(folders.map((folder) => list(folder, folder === mayBeMissing)));
  const broken = listings.flatMap((listing) => listing.broken);
  const fileByName = new Map(listings.flatMap(({ files }) => files.map((file) => [basename(file), file] as const)));
  const names = [...fileByName.keys()].sort();
  if (names.length > MOST_FILES) broken.push(tooMany(folders.at(-1) ?? '', names.length));
  const files = await Promise.all(names.slice(0, MOST_FILES).map((name) => readOne(fileByName.get(name)!)));
  return {
    checks: files.flatMap((file): Check[] => (file.type === 'check' ? [file.check] : [])),
    broken: [...broken, ...files.flatMap((file) => (file.type === 'broken' ? file.broken : []))],
    masked: names.filter((_, index) => files[index]?.type === 'masked').map((name) => basename(name, CHECK_SUFFIX)),
  };
}

interface Listing {
  readonly files: readonly string[];
  readonly broken: readonly BrokenCheck[];
}

async function list(folder: string, mayBeMissing: boolean): Promise<Listing> {
  try {
    const visible = (await readdir(folder)).filter((name) => !name.startsWith('.'));
    return {
      files: visible.filter((name) => name.endsWith(CHECK_SUFFIX)).map((name) => join(folder, name)),
      broken: visible.filter((name) => name.endsWith('.yml')).map((name) => misnamed(join(folder, name))),
    };
  } catch (error) {
    return mayBeMissing && isMissing(error) ? { files: [], broken: [] } : { files: [], broken: [unreadable(folder, error)] };
  }
}

async function readOne(file: string): Promise<CheckFile | { readonly type: 'masked' }> {
  try {
    if ((await realpath(file)) === '/dev/null') return { type: 'masked' };
    const content = await readBounded(file, LARGEST_FILE_BYTES + 1);
    return content.byteLength === 0 ? { type: 'masked' } : readCheckFile(file, content);
  } catch (error) {
    return { type: 'broken', broken: [unreadable(file, error)] };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function misnamed(file: string): BrokenCheck {
  return { file, line: 1, field: '', message: `only files that end in "${CHECK_SUFFIX}" are read: rename it` };
}

function tooMany(folder: string, count: number): BrokenCheck {
  return { file: folder, line: 1, field: '', message: `${count} check files, of which only ${MOST_FILES} are read: remove some` };
}

function unreadable(file: string, error: unknown): BrokenCheck {
  const state = error instanceof Error ? error.message : String(error);
  return { file, line: 1, field: '', message: `cannot be read (${state}): mend it, or its owner and mode` };
}
