// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { contextIfThere } from '../contexts/context-file.ts';
import { readIfThere } from '../whole-file.ts';
import { isIssuedBy } from './issuing.ts';
import { authoritiesFile, type Office } from './office.ts';

/** The files for somebody who gets a certificate. Throws INVALID_REQUEST where one would take the place of another's. */
export async function handoutFiles(office: Office, name: string, folder: string) {
  const file = (each: string) => join(folder, each);
  const files = { certificate: file(`${name}.pem`), key: file(`${name}.key`), ca: file('ca.pem') };
  const own = await ownFilesOf(office);
  const { authorities } = await office.registry.read();
  for (const path of [files.certificate, files.ca]) {
    if (own.includes(resolve(path))) throw refused(path, `context "${office.context}" goes by the file of that name`);
    const there = await readIfThere(path);
    const isOurs = pemBlocks(there ?? '', 'CERTIFICATE').some((pem) => authorities.some((authority) => isIssuedBy(pem, authority)));
    if (there !== undefined && !isOurs) throw refused(path, 'it is there, and has no certificate of your authority');
  }
  return files;
}

async function ownFilesOf(office: Office): Promise<readonly string[]> {
  const found = await contextIfThere(office.contextFile, office.context);
  return [authoritiesFile(office), ...(found ? [found.ca, found.certificate] : [])];
}

function refused(path: string, found: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot write ${path}: ${found}; say another folder with --folder`, { field: 'folder' });
}
