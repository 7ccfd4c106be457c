// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { Attester } from '../attestation/attester.ts';
import { handedOver } from '../platform/systemd/handed-over.ts';
import { readMeasurementLogs } from '../platform/tpm2/measurement-logs.ts';
import { Tpm2Tools } from '../platform/tpm2/tpm2-tools.ts';
import { Tpm2Tpm } from '../platform/tpm2/tpm2-tpm.ts';
import { systemClock as clock } from '../timing/clock.ts';
import type { Folders } from './folders.ts';

/** The kernel's resource manager, which keeps the objects of its clients apart. */
const USUAL_TPM = 'device:/dev/tpmrm0';

/** The node's TPM, and the logs that the unit hands over open: root alone may open them. */
export function attesterOf(env: NodeJS.ProcessEnv, folders: Folders): Attester {
  const tools = new Tpm2Tools(env.TPM2TOOLS_TCTI ?? USUAL_TPM);
  const tpm = new Tpm2Tpm(tools, tmpdir(), join(folders.state, 'ak-name'));
  const logs = {
    firmware: handedOver(env, 'firmware-log'),
    userspace: handedOver(env, 'userspace-log'),
    ima: handedOver(env, 'ima-log'),
  };
  return new Attester(tpm, () => readMeasurementLogs(logs), clock);
}

/** Makes the keys at the first start, and compares the attestation key with the one that was made at every other. */
export async function prepareKeys(attester: Attester, log: Logger, stopping: AbortSignal): Promise<void> {
  try {
    await attester.identity({ asker: 'agent', signal: stopping });
    log.info('The TPM is ready');
  } catch (thrown) {
    const { code, message } = Failure.from(thrown);
    if (!stopping.aborted) log.warn({ code, reason: message }, 'The node cannot be attested');
  }
}
