// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FIRST = 2;
const LAST = 254;

export interface ClaimedAddress {
  /** Of the loopback network: the nodes share the host's network and keep apart by it. */
  readonly host: string;
  release(): Promise<void>;
}

/** Claims an address that no other node on this machine has, whichever process it belongs to. */
export async function claimAddress(): Promise<ClaimedAddress> {
  const folder = path.join(tmpdir(), 'lamadist-addresses');
  await mkdir(folder, { recursive: true });
  for (let number = FIRST; number <= LAST; number += 1) {
    const file = path.join(folder, String(number));
    if (await claim(file)) return { host: `127.0.1.${number}`, release: () => rm(file, { force: true }) };
  }
  throw new Error(`Cannot give the node an address: all from ${FIRST} to ${LAST} are claimed in ${folder}`);
}

async function claim(file: string): Promise<boolean> {
  if (await create(file)) return true;
  if (await holderLives(file)) return false;
  await rm(file, { force: true });
  return create(file);
}

async function create(file: string): Promise<boolean> {
  return writeFile(file, `${process.pid}\n`, { flag: 'wx' }).then(
    () => true,
    () => false,
  );
}

async function holderLives(file: string): Promise<boolean> {
  try {
    process.kill(Number(await readFile(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
