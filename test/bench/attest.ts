// SPDX-License-Identifier: Apache-2.0
import { createHash, verify as verifyBare } from 'node:crypto';
import { readPublic } from '../../agent/lamactl/attest/tpm/public-area.ts';
import { keyObject, readSignature } from '../../agent/lamactl/attest/tpm/signature.ts';
import { CHECKS, type Checks, type Question, verify } from '../../agent/lamactl/attest/verify.ts';
import { event, GOOD_BOOT, GOOD_EVENTS, GOOD_FILES } from '../../qemu/measured-boot/measured-boot.ts';
import { forge } from '../unit/fakes/attest/forged-tpm.ts';
import type { Measurement } from './measurement.ts';

const QUOTE_ALONE: Checks = { quote: CHECKS.quote, boot: [] };
/** As many events as the firmware of a PC writes. */
const FIRMWARE_EVENTS = 120;
const IMA_LINES = 5000;

/** How fast evidence is verified on one core, beside the bare verification of its signature. */
export function attestBenchmarks(): readonly Measurement[] {
  const more = Array.from({ length: FIRMWARE_EVENTS - GOOD_EVENTS.length }, (_, index) => event(5, 0xd, `event ${index}`.padEnd(200)));
  const boot = { ...GOOD_BOOT, events: [...GOOD_EVENTS, ...more] };
  const manyFiles = Array.from({ length: IMA_LINES - GOOD_FILES.length }, (_, index) => {
    const path = `/usr/lib/some/library-${index}.so`;
    return { path, hash: createHash('sha256').update(path).digest('hex') };
  });
  const empty = Buffer.alloc(0);
  const bare = forge({ evidence: { event_log: empty, userspace_log: empty, ima_log: empty } });
  const logged = forge({ boot });
  const measured = forge({ boot: { ...boot, files: [...GOOD_FILES, ...manyFiles] } });
  return [
    { name: 'floor: the bare signature', run: bareSignature(bare) },
    { name: 'signature and all of the quote', run: trusted(bare, QUOTE_ALONE) },
    { name: `with the replay of ${FIRMWARE_EVENTS} firmware events`, run: trusted(logged, CHECKS) },
    { name: `… and an IMA log of ${IMA_LINES} lines`, run: trusted(measured, CHECKS) },
  ];
}

function bareSignature({ evidence }: Question): () => void {
  const key = keyObject(readPublic(evidence.ak_public, 'AK').key);
  const { bytes } = readSignature(evidence.signature);
  return () => {
    if (!key || !verifyBare('sha256', evidence.attest, { key, dsaEncoding: 'ieee-p1363' }, bytes))
      throw new Error('Cannot measure: the signature is wrong');
  };
}

function trusted(question: Question, checks: Checks): () => void {
  return () => {
    const verdict = verify(question, checks);
    if (verdict.verdict !== 'TRUSTED') throw new Error(`Cannot measure: the verdict is ${JSON.stringify(verdict)}`);
  };
}
