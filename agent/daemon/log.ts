// SPDX-License-Identifier: Apache-2.0
import { type DestinationStream, type Logger, pino } from 'pino';

/** syslog(3) priorities; journald reads `<N>` at the start of a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** Names of fields that hold a secret, or could. */
const SECRET = ['key', 'authorization', 'headers'];

/** A logger for standard output under systemd: JSON lines, each behind its priority, and no field of a certificate's key or a header. */
export function journalLogger(level: string, out: Pick<NodeJS.WriteStream, 'write'>): Logger {
  const destination: DestinationStream & { lastLevel?: number } = {
    write(line) {
      out.write(`<${PRIORITY[this.lastLevel ?? 30] ?? 6}>${line}`);
    },
  };
  const options = {
    level,
    // The journal adds these, and the time, by itself.
    base: null,
    timestamp: false,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`]), censor: '[left out]' },
  };
  // pino tells a destination the level of the line that it is about to write, when asked by this symbol.
  Object.defineProperty(destination, Symbol.for('pino.metadata'), { value: true });
  return pino(options, destination);
}
