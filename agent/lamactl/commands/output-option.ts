// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../shared/failure.ts';
import { FORMATS, parseFormat } from '../output/document.ts';

/** -o of every command. */
export function outputOption(): Option {
  const option = new Option('-o, --output <format>', 'what to print; jsonpath=TEMPLATE prints parts of it');
  // For help and completion; what is said is read below, for a template is any text.
  option.argChoices = [...FORMATS];
  return option.default(parseFormat('table'), 'table').argParser(read);
}

function read(text: string): ReturnType<typeof parseFormat> {
  try {
    const output = parseFormat(text);
    if (output) return output;
  } catch (error) {
    throw new InvalidArgumentError(`${Failure.from(error).message}.`);
  }
  throw new InvalidArgumentError(`Allowed choices are ${FORMATS.join(', ')}, jsonpath=TEMPLATE.`);
}
