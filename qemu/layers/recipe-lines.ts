// SPDX-License-Identifier: Apache-2.0
// What a recipe does in its shell lines, and where on the target.

/** Folders of the target with a merged /usr. */
const TARGET_FOLDERS: Readonly<Record<string, string>> = {
  datadir: '/usr/share',
  libexecdir: '/usr/libexec',
  nonarch_base_libdir: '/usr/lib',
  nonarch_libdir: '/usr/lib',
  sysconfdir: '/etc',
  systemd_system_unitdir: '/usr/lib/systemd/system',
  systemd_unitdir: '/usr/lib/systemd',
};

/** A path of the target in the words of a recipe, as it is. */
export const onTarget = (folder: string): string => folder.replace(/\$\{(\w+)\}/, (_, name: string) => TARGET_FOLDERS[name] ?? name);

/** The shell lines of a recipe, one for each turn of its loops. */
export function shellLines(recipe: string): string[] {
  const turns: string[] = [];
  let loop: { readonly name: string; readonly values: readonly string[] } | undefined;
  for (const line of recipe.replaceAll('\\\n', ' ').split('\n')) {
    const [, name, values] = /^\s+for (\w+) in ([^;]+); do$/.exec(line) ?? [];
    if (name !== undefined && values !== undefined) loop = { name, values: values.trim().split(/\s+/) };
    else if (/^\s+done$/.test(line)) loop = undefined;
    else if (/^\s+[a-z]/.test(line)) {
      const { name: variable, values: each } = loop ?? { name: '', values: [''] };
      turns.push(...each.map((value) => (variable === '' ? line : line.replaceAll(`$${variable}`, value))));
    }
  }
  return turns;
}

/** A symbolic link on the target: where it is, and what it says. */
export interface Link {
  readonly path: string;
  readonly to: string;
}

/** The links that a recipe makes by itself, such as those that enable a unit by hand. */
export function linksOf(recipe: string): Link[] {
  return shellLines(recipe).flatMap((line) => {
    const [, to, place] = /^\s+ln -s (.*\S)\s+\$\{D\}(\S+)$/.exec(line) ?? [];
    return to === undefined || place === undefined ? [] : [{ path: onTarget(place), to }];
  });
}
