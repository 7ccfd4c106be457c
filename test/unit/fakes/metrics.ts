// SPDX-License-Identifier: Apache-2.0
import type { Registry } from 'prom-client';

/** The series of one scrape, by name and labels as Prometheus writes them, and the kind of each metric. */
export async function scrape(registry: Registry) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '');
  const series = new Map(lines.filter((line) => !line.startsWith('#')).map((line) => splitAt(line, line.lastIndexOf(' '))));
  const described = (word: string) => lines.filter((line) => line.startsWith(`# ${word} `)).map((line) => line.slice(word.length + 3));
  const types = new Map(described('TYPE').map((line) => splitAt(line, line.indexOf(' '))));
  const helps = new Map(described('HELP').map((line) => splitAt(line, line.indexOf(' '))));
  return { types, helps, of: (start: string) => Object.fromEntries([...series].filter(([name]) => name.startsWith(start))) };
}

const splitAt = (line: string, index: number): [string, string] => [line.slice(0, index), line.slice(index + 1)];
