// SPDX-License-Identifier: Apache-2.0
// As much of BitBake's language as the layers' assignments need to be understood.

export type LayerVariables = Readonly<Record<string, string>>;

/** Reads BitBake's plain assignments of one line, for a kind of processor as its overrides name it. */
export function assignments(text: string, processor = 'x86-64'): LayerVariables {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(new RegExp(`^([A-Z][A-Z0-9_]*)(?::${processor})? \\??= "([^"\\n]*)"$`, 'gm')))
    found[name!] = value!;
  return found;
}

/** Python in an assignment, where it compares a variable with a word. */
const CHOICE = /\$\{@'([^']*)' if d\.getVar\('([A-Z0-9_]+)'\) == '([^']*)' else '([^']*)'\}/g;

/** Puts the values in the place of ${NAMES}, and of choices by the value of a name. Throws on a name that has none. */
export function expand(text: string, variables: LayerVariables): string {
  const lookUp = (name: string): string => {
    const value = variables[name];
    if (value === undefined) throw new Error(`Cannot expand "\${${name}}": the layers do not say what it is`);
    return expand(value, variables);
  };
  const chosen = text.replace(CHOICE, (_, then: string, name: string, word: string, otherwise: string) =>
    lookUp(name) === word ? then : otherwise,
  );
  return chosen.replace(/\$\{([A-Z0-9_]+)\}/g, (_, name: string) => lookUp(name));
}

/** The words that a text assigns to a variable, and adds to it, on any number of lines. */
export function wordsOf(text: string, variable: string, variables: LayerVariables = {}): string[] {
  const name = variable.replace(/[${}]/g, '\\$&');
  const values = [...text.matchAll(new RegExp(`^${name} (?:\\?|\\+)?= "([^"]*)"`, 'gm'))].map(([, value = '']) => value);
  return expand(values.join(' '), variables)
    .split(/[\s\\]+/)
    .filter((word) => word !== '');
}
