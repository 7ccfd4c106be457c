// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readUki } from '../../agent/lamactl/attest/image/uki.ts';
import { run } from '../host/command.ts';
import { readUkiBehind } from '../image/image-uki.ts';
import {
  BOOT_APPLICATION,
  type Boot,
  event,
  extensions,
  GOOD_BOOT,
  GOOD_EVENTS,
  IPL,
  type TestEvent,
  writeEventLog,
  writeImaLog,
  writeUserspaceLog,
} from '../measured-boot/measured-boot.ts';
import { inRoot } from '../root/in-root.ts';
import type { Root } from '../root/prepare-root.ts';
import type { Bootname } from './boot-loader.ts';
import type { NodeFolder } from './node-folder.ts';
import { LAUNCHER_TCTI } from './tpm.ts';

const EXTEND_TIMEOUT_MS = 30_000;

/**
 * Measures a boot of the slot's UKI into the TPM as firmware, stub and systemd of a real machine do, and writes the logs that
 * tell of it. All of it happens before PID 1 runs; an image without a UKI is not measured, and proves nothing.
 */
export async function measureBoot(root: Root, folder: NodeFolder, bootname: Bootname): Promise<void> {
  const log = (name: string) => path.join(folder.measured, name);
  const uki = await readUkiBehind(folder.slot(bootname));
  if (!uki) {
    for (const name of ['firmware', 'userspace', 'ima']) await rm(log(name), { force: true });
    return;
  }
  const boot = bootOf(uki);
  const [sha1, sha256] = [extensions(boot, 'sha1'), extensions(boot, 'sha256')];
  const specs = sha256.map(([pcr, strong], index) => `${pcr}:sha1=${sha1[index]?.[1].toString('hex')},sha256=${strong.toString('hex')}`);
  await run(inRoot(root, folder.tpm, ['env', `TPM2TOOLS_TCTI=${LAUNCHER_TCTI}`, 'tpm2_pcrextend', ...specs]), {
    timeoutMs: EXTEND_TIMEOUT_MS,
  });
  await writeFile(log('firmware'), writeEventLog(boot.events), { mode: 0o400 });
  await writeFile(log('userspace'), writeUserspaceLog(boot.phases), { mode: 0o400 });
  await writeFile(log('ima'), writeImaLog(boot.files), { mode: 0o400 });
}

/** A boot of this UKI under Secure Boot. */
function bootOf(uki: Buffer): Boot {
  const before = GOOD_EVENTS.filter(({ type }) => type !== BOOT_APPLICATION && type !== IPL);
  const sections = readUki(uki).measured.flatMap(({ name, content }): TestEvent[] => [
    event(11, IPL, `${name}\0`),
    event(11, IPL, `${name}\0`, content),
  ]);
  return { ...GOOD_BOOT, events: [...before, event(4, BOOT_APPLICATION, 'where the UKI is', authenticodeBytes(uki)), ...sections] };
}

/** What the Authenticode hash is of, of an image without a certificate: all of it but for its checksum and the entry of the certificate. */
function authenticodeBytes(uki: Buffer): Buffer {
  const optional = uki.readUInt32LE(0x3c) + 24;
  const [checksum, certificateEntry] = [optional + 64, optional + 144];
  return Buffer.concat([uki.subarray(0, checksum), uki.subarray(checksum + 4, certificateEntry), uki.subarray(certificateEntry + 8)]);
}
