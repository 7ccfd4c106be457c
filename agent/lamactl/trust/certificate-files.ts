// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { readInput } from '../input-file.ts';

/** Of a keyring with a few hundred certificates. */
const LIMIT_BYTES = 1 << 20;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Every certificate in these files, PEM (any number of them) or DER. Throws CONFIG_INVALID. */
export async function readCertificates(files: readonly string[]): Promise<readonly X509Certificate[]> {
  return (await Promise.all(files.map(readOne))).flat();
}

async function readOne(file: string): Promise<readonly X509Certificate[]> {
  const content = await readInput(file, LIMIT_BYTES);
  try {
    const texts = content.toString('latin1').match(PEM);
    return (texts ?? [content]).map((each) => new X509Certificate(each));
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot read certificates from ${file}: ${(error as Error).message}`, { file }, { cause: error });
  }
}
