// SPDX-License-Identifier: Apache-2.0

/**
 * The name of the mount unit for an absolute path. systemd.unit(5), "String Escaping for Inclusion in Unit Names": slashes
 * become dashes, and every other byte that a unit's name cannot carry, a leading dot too, is written \xNN.
 */
export function mountUnitOf(path: string): string {
  const trimmed = path
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return `${trimmed === '' ? '-' : escaped(trimmed)}.mount`;
}

function escaped(path: string): string {
  return [...Buffer.from(path)]
    .map((byte, position) => {
      const character = String.fromCharCode(byte);
      if (character === '/') return '-';
      const allowed = /[\w:.]/.test(character) && !(position === 0 && character === '.');
      return allowed ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
