// SPDX-License-Identifier: Apache-2.0
import { readEventLog } from './event-log/event-log.ts';
import { type SecureBoot, secureBoot } from './event-log/secure-boot.ts';
import type { Evidence } from './evidence.ts';
import { readAttest } from './tpm/attest.ts';

/** What evidence says beside its PCRs, in the form in which a policy would expect it. Judges nothing. */
export interface Reported {
  /** TPMS_ATTEST firmwareVersion, 16 hexadecimal digits: for `tpm_firmware`. */
  readonly tpmFirmware: string;
  /** Milliseconds that the TPM was on, and how often it was reset and restarted (TPMS_CLOCK_INFO). */
  readonly clock: string;
  readonly resetCount: number;
  readonly restartCount: number;
  readonly secureBoot: 'on' | 'off' | 'unknown';
  /** SHA-256 of what allowed something to run: for `authorities`. */
  readonly authorities: readonly string[];
}

/** Throws EVIDENCE_INVALID. */
export function reported(evidence: Evidence): Reported {
  const { firmwareVersion, clockInfo } = readAttest(evidence.attest);
  const { enabled, authorities } = secureBootIn(evidence);
  return {
    tpmFirmware: firmwareVersion.toString(16).padStart(16, '0'),
    clock: String(clockInfo.clock),
    resetCount: clockInfo.resetCount,
    restartCount: clockInfo.restartCount,
    secureBoot: enabled === undefined ? 'unknown' : enabled ? 'on' : 'off',
    authorities: [...new Set(authorities)],
  };
}

/** Old loaders log what is no variable. Where no policy asks for Secure Boot, nothing is wrong with that. */
function secureBootIn({ event_log }: Evidence): SecureBoot {
  const { events } = readEventLog(event_log);
  try {
    return secureBoot(events);
  } catch {
    return { enabled: undefined, authorities: [] };
  }
}
