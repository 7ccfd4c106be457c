// SPDX-License-Identifier: Apache-2.0
// What a recipe takes of its fetched files and what it puts where, as far as its shell lines say so.
import path from 'node:path';
import { onTarget, shellLines } from '../../qemu/layers/recipe-lines.ts';

const FETCHED = /\$\{(?:WORKDIR|UNPACKDIR|FETCHED|@d\.getVar\('UNPACKDIR'\) or d\.getVar\('WORKDIR'\))\}\/([^\s"';,)]+)/g;

const SOURCES = [/\$\{S\}\/([^\s"';,)]+)/g];

/** The files of its own that a recipe takes from where they were unpacked; a name may be a pattern. */
function takenFiles(recipe: string): string[] {
  // Where the sources are those files, they are taken from there as well.
  const sources = /^S = "\$\{(?:WORKDIR|UNPACKDIR|FETCHED)\}"$/m.test(recipe) ? SOURCES : [];
  return shellLines(recipe).flatMap((line) =>
    [FETCHED, ...sources].flatMap((from) => [...line.matchAll(from)].map(([, file = '']) => file)),
  );
}

const matching = (pattern: string) => new RegExp(`(^|/)${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);

/**
 * What a recipe takes and does not have: not named in its SRC_URI, or not in the folder that is named there. `made` are names
 * that a task or a build puts there; `beside` are the files that it can fetch, by their paths.
 */
export function missingFiles(recipe: string, beside: readonly string[], made: readonly string[]): string[] {
  const fetched = [...recipe.matchAll(/file:\/\/([\w.@-]+)/g)].map(([, name = '']) => name);
  return takenFiles(recipe).filter((file) => {
    const [first = ''] = file.split('/');
    if (made.includes(first)) return false;
    return !fetched.includes(first) || !beside.some((candidate) => matching(file).test(candidate));
  });
}

/** A file of its own that a recipe installs by itself. */
export interface InstalledFile {
  readonly file: string;
  readonly mode: number;
  readonly target: string;
}

/** The files that a recipe installs one by one, or in a loop over their names. */
export function installedFiles(recipe: string): InstalledFile[] {
  return shellLines(recipe).flatMap((line) => {
    const [, mode, file = '', target = ''] = /^\s+install (?:-D )?-m (\d{4}) \$\{WORKDIR\}\/([^\s/]+) \$\{D\}(\S+)$/.exec(line) ?? [];
    return mode === undefined ? [] : [{ file, mode: Number.parseInt(mode, 8), target: onTarget(target) }];
  });
}

/** Where a recipe installs files of its own, as paths of the target. */
export function installedPaths(recipe: string, beside: readonly string[]): string[] {
  return shellLines(recipe).flatMap((line) => {
    const [, options = '', sources = '', target = ''] = /^\s+install ((?:-\S+ (?:\d+ )?)*)(\$.*) \$\{D\}(\S+)$/.exec(line) ?? [];
    const to = onTarget(target);
    if (target === '' || options.includes('-D')) return target === '' ? [] : [to];
    const names = [...sources.matchAll(FETCHED)].flatMap(([, file = '']) => beside.filter((candidate) => matching(file).test(candidate)));
    // A target that is no folder is the file itself.
    return [to, ...names.map((name) => path.join(to, path.basename(name)))];
  });
}

/** The programs that a unit or its drop-in runs, whatever for. */
export function programsOf(unit: string): string[] {
  return [...unit.matchAll(/^Exec(?:Condition|Reload|Start|StartPost|StartPre|Stop|StopPost)=[-+!@:]*(\S+)/gm)].map(
    ([, program = '']) => program,
  );
}
