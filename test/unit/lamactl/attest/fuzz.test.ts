// SPDX-License-Identifier: Apache-2.0
// Whatever a node sends, a parser answers or refuses: it throws nothing but a Failure, ends soon, and takes no memory that the
// input did not bring. FUZZ_RUNS says how many inputs each parser gets: `npm run fuzz` gives them a million in all.
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readEfiVariable } from '../../../../agent/lamactl/attest/event-log/efi-variable.ts';
import { readEventLog } from '../../../../agent/lamactl/attest/event-log/event-log.ts';
import { readEvidence, writeEvidence } from '../../../../agent/lamactl/attest/evidence.ts';
import { readImaLog } from '../../../../agent/lamactl/attest/ima-log.ts';
import { expectedPcr4, expectedPcr11 } from '../../../../agent/lamactl/attest/image/expected-pcrs.ts';
import { readUki } from '../../../../agent/lamactl/attest/image/uki.ts';
import { readAttest } from '../../../../agent/lamactl/attest/tpm/attest.ts';
import { makeCredential } from '../../../../agent/lamactl/attest/tpm/make-credential.ts';
import { readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import { readSignature } from '../../../../agent/lamactl/attest/tpm/signature.ts';
import { readUserspaceLog } from '../../../../agent/lamactl/attest/userspace-log.ts';
import { verify } from '../../../../agent/lamactl/attest/verify.ts';
import { readLine, toldBy } from '../../../../agent/lamactl/trust/recorded-line.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { GOOD_FILES, secureBootVariable, writeBinaryImaLog } from '../../../../qemu/measured-boot/measured-boot.ts';
import { smallUki } from '../../../../qemu/measured-boot/small-uki.ts';
import { forge, forgeKey } from '../../fakes/attest/forged-tpm.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const SLOWEST_MS = 2000;
/** What the heap may grow by over all of the runs of all parsers. */
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
const startBytes = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
let inputs = 0;

const good = forge();
const { evidence } = good;
const random = (sizeBytes: number) => Buffer.alloc(sizeBytes, 0x42);

const PARSERS: Readonly<Record<string, { readonly seed: Buffer; readonly read: (bytes: Buffer) => unknown }>> = {
  'TPM2B_PUBLIC of an AK': { seed: evidence.ak_public, read: (bytes) => readPublic(bytes, 'AK') },
  'an EK, up to the credential': {
    seed: forgeKey('ek').area,
    read: (bytes) => makeCredential(readPublic(bytes, 'EK'), random(34), random(32), random),
  },
  TPMS_ATTEST: { seed: evidence.attest, read: readAttest },
  TPMT_SIGNATURE: { seed: evidence.signature, read: readSignature },
  'the firmware event log': { seed: evidence.event_log, read: readEventLog },
  'an EFI variable': { seed: secureBootVariable(1), read: readEfiVariable },
  'the userspace log': { seed: evidence.userspace_log, read: (bytes) => readUserspaceLog(bytes, 'sha256') },
  'the IMA log as text': { seed: evidence.ima_log, read: readImaLog },
  'the IMA log in binary': { seed: writeBinaryImaLog(GOOD_FILES), read: readImaLog },
  'the evidence file': { seed: Buffer.from(writeEvidence(evidence)), read: readEvidence },
  'a line of a record': {
    seed: Buffer.from(
      JSON.stringify({
        previous: '0'.repeat(64),
        node: 'attic',
        time: evidence.time,
        verdict: { verdict: 'TRUSTED' },
        policy: good.policy,
        evidence: JSON.parse(writeEvidence(evidence)),
      }),
    ),
    read: (bytes) => {
      const line = readLine(bytes.toString('utf8'));
      return line && toldBy(line);
    },
  },
  'a unified kernel image': {
    seed: smallUki(257),
    read: (bytes) => [expectedPcr4(readUki(bytes), 'sha256'), expectedPcr11(readUki(bytes), 'sha256')],
  },
};

/** Bytes that are like good ones: some are changed, a piece is cut out or doubled, or the end is missing. */
function damaged(seed: Buffer): fc.Arbitrary<Buffer> {
  const place = fc.nat(seed.length);
  const octet = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
  const changed = fc.array(fc.tuple(place, octet), { minLength: 1, maxLength: 8 }).map((changes) => {
    const bytes = Buffer.from(seed);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });
  const cut = fc.tuple(place, place).map(([from, to]) => Buffer.concat([seed.subarray(0, from), seed.subarray(to)]));
  const arbitrary = fc.uint8Array({ maxLength: 512 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 4, arbitrary: changed }, { weight: 2, arbitrary: cut }, { weight: 1, arbitrary });
}

function answersOrRefuses(read: (bytes: Buffer) => unknown, bytes: Buffer): void {
  inputs++;
  const startMs = performance.now();
  try {
    read(bytes);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    expect(thrown.code).toBe('EVIDENCE_INVALID');
  }
  expect(performance.now() - startMs).toBeLessThan(SLOWEST_MS);
}

describe('whatever comes', { timeout: 60_000 + RUNS * 20 }, () => {
  afterAll(() => {
    process.stderr.write(`fuzz: ${inputs} inputs\n`);
  });

  it.each(Object.entries(PARSERS))('as %s is read or refused', (_, { seed, read }) => {
    expect(() => read(seed)).not.toThrow();
    fc.assert(
      fc.property(damaged(seed), (bytes) => answersOrRefuses(read, bytes)),
      { numRuns: RUNS },
    );
  });

  const parts = ['ek_certificate', 'ek_public', 'ak_public', 'attest', 'signature', 'event_log', 'userspace_log', 'ima_log'] as const;
  it.each(parts)('in %s leads to a verdict, and to no trust unless nothing that counts was changed', (part) => {
    fc.assert(
      fc.property(damaged(evidence[part]), (bytes) => {
        inputs++;
        const { verdict } = verify({ ...good, evidence: { ...evidence, [part]: bytes } });
        // What an event that is no measurement says may change; and IMA may have gone on.
        if (!['event_log', 'userspace_log', 'ima_log'].includes(part) && !bytes.equals(evidence[part])) expect(verdict).toBe('REJECTED');
      }),
      { numRuns: RUNS },
    );
  });

  it('takes no memory that it does not give back', () => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    expect(heapUsed + arrayBuffers - startBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
  });
});
