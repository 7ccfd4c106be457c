// SPDX-License-Identifier: Apache-2.0
import type { ClientReadableStream } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { collectQuote } from '../../../../../agent/lamactl/node/wire/evidence-stream.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';

type Message = lamadist.agent.v1.GetEvidenceResponse.$Properties;
const { MeasurementLog } = lamadist.agent.v1;
const MiB = 1 << 20;

it.each([
  ['firmware', MeasurementLog.MEASUREMENT_LOG_FIRMWARE, 4],
  ['userspace', MeasurementLog.MEASUREMENT_LOG_USERSPACE, 1],
  ['ima', MeasurementLog.MEASUREMENT_LOG_IMA, 16],
])('of a node that sends its %s log without an end, no more is kept than the log may have', async (name, log, limitMiB) => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Message> {
    for (; sent < 100; sent++) yield { chunk: { log, data: Buffer.alloc(MiB) } };
  }
  const stream = Object.assign(endless(), { getAuthContext: () => null }) as unknown as ClientReadableStream<Message>;
  await expect(collectQuote(stream, Buffer.alloc(0))).rejects.toMatchObject({
    code: 'EVIDENCE_INVALID',
    message: `Cannot read the evidence: its ${name} log has more than ${limitMiB * MiB} bytes`,
  });
  expect(sent).toBe(limitMiB);
});

it('of a node that sends nothing for ever is given up', async () => {
  async function* nothing(): AsyncGenerator<Message> {
    for (let sent = 0; sent < 100; sent++) yield { chunk: { log: MeasurementLog.MEASUREMENT_LOG_IMA, data: Buffer.alloc(0) } };
  }
  const stream = Object.assign(nothing(), { getAuthContext: () => null }) as unknown as ClientReadableStream<Message>;
  await expect(collectQuote(stream, Buffer.alloc(0))).rejects.toMatchObject({ message: expect.stringContaining('its ima log is empty') });
});
