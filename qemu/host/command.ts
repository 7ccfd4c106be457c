// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program of the host to its end and returns what it wrote to stdout.
 * Throws with the end of its stderr when it fails or does not end in time.
 */
export async function run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<string> {
  const [file, ...args] = argv;
  const result = await execa(file, args, {
    timeout: options.timeoutMs,
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.env && { env: options.env }),
    ...(options.signal && { cancelSignal: options.signal }),
  });
  if (result.failed) {
    const why = result.timedOut
      ? `it did not end within ${options.timeoutMs} ms`
      : lastLines(result.stderr || result.shortMessage || 'it failed');
    throw new Error(`Cannot run "${argv.join(' ')}": ${why}`);
  }
  return result.stdout;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-8).join('\n');
}
