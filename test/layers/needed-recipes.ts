// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** The files of recipes that are in a graph of BitBake's (task-depends.dot). */
export function recipesOfGraph(dot: string): Set<string> {
  return new Set([...dot.matchAll(/\\n(?:[a-z0-9:-]+:)?(\/[^\\"]+\.bb)"\]/g)].map(([, file = '']) => file));
}

/** The names of those recipes of a graph that it needs for the host alone: what they need for a target is not in the graph. */
export function recipesForHost(dot: string): string[] {
  const forTarget = new Set([...dot.matchAll(/\\n(\/[^\\"]+\.bb)"\]/g)].map(([, file]) => file));
  return [...recipesOfGraph(dot)].filter((file) => !forTarget.has(file)).map((file) => path.basename(file, '.bb').replace(/_.*/, ''));
}

/** Whether an append is one to that recipe, as BitBake compares their names: % stands for the rest of a version. */
export function appendsTo(append: string, recipe: string): boolean {
  const name = path.basename(append, '.bbappend');
  const base = path.basename(recipe, '.bb');
  return name.endsWith('%') ? base.startsWith(name.slice(0, -1)) : name === base;
}

/**
 * What BBMASK leaves out so that of these layers only the recipes in `needed` are parsed, and those that our appends are to:
 * whole folders where it can.
 */
export async function masks(layers: readonly string[], needed: ReadonlySet<string>, ourAppends: readonly string[]): Promise<string[]> {
  const files = (await Promise.all(layers.map(recipesBelow))).flat();
  const recipes = files.filter((file) => file.endsWith('.bb'));
  const kept = recipes.filter((recipe) => needed.has(recipe) || ourAppends.some((append) => appendsTo(append, recipe)));
  const keptAppends = files.filter((file) => file.endsWith('.bbappend') && kept.some((recipe) => appendsTo(file, recipe)));
  const stay = new Set([...kept, ...keptAppends]);
  const folders = new Set([...stay].map((file) => path.dirname(file)));
  const leave = files.filter((file) => !stay.has(file));
  return [...new Set(leave.map((file) => (folders.has(path.dirname(file)) ? `${file}$` : `${path.dirname(file)}/`)))].map(literally).sort();
}

async function recipesBelow(layer: string): Promise<string[]> {
  const entries = await readdir(layer, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (/\.(bb|bbappend)$/.test(entry.name) ? [path.join(entry.parentPath, entry.name)] : []));
}

/** As a regular expression; the last $ is one. */
function literally(text: string): string {
  return text.replace(/[.+%]/g, '\\$&');
}
