// SPDX-License-Identifier: Apache-2.0
import { type Logger, pino } from 'pino';

/** A logger that keeps its lines for the test to read. */
export function keepingLogger(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}
