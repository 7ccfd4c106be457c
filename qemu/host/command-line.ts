// SPDX-License-Identifier: Apache-2.0
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * The options that this process was started with through `npm run`. With what is not among them it ends with exit code 2, and says
 * what is wrong; `--help` has it print the usage, and end.
 */
export function optionsOf<const T extends Options>(usage: string, options: T) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } }, strict: true, allowPositionals: false });
    // Without "--" before it, npm takes an option for one of its own.
    const taken = Object.keys(options).find((name) => process.env[`npm_config_${name}`] !== undefined);
    if (taken) throw new Error(`npm took "--${taken}" for itself: write "--" before it`);
    if (!('help' in values)) return values;
  } catch (error) {
    return refuse((error as Error).message, usage);
  }
  process.stdout.write(`${usage}\n`);
  return process.exit(0);
}

/** Ends this process, which was started with something that it cannot do. */
export function refuse(what: string, usage: string): never {
  process.stderr.write(`${what}\n${usage}\n`);
  return process.exit(2);
}
