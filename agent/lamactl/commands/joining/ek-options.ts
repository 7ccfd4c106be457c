// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Why the endorsement key of a TPM is to be believed. */
export interface EkOptions {
  readonly ekRoot: readonly string[];
  readonly ekIntermediate: readonly string[];
  readonly ekName?: string;
}

export function addEkOptions(command: Command): Command {
  return command
    .option('--ek-root <files...>', "certificates of TPM makers' roots, PEM or DER", [])
    .option('--ek-intermediate <files...>', 'certificates between the roots and the endorsement keys', [])
    .addOption(new Option('--ek-name <name>', 'the name of the endorsement key, as you read it elsewhere').argParser(keyName));
}

/** A Name in hexadecimal: an algorithm and a hash. */
function keyName(text: string): string {
  if (!/^[0-9a-f]{68,132}$/.test(text)) throw new InvalidArgumentError('Say a name such as 000b…, in lower-case hexadecimal.');
  return text;
}
