// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { execa } from 'execa';
import { Failure } from '../../../shared/failure.ts';

/** Runs tpm2-tools, each as its own process; what they read and write are files in one folder. */
export class Tpm2Tools {
  constructor(
    /** Where the TPM is, in the words of TPM2TOOLS_TCTI: "device:/dev/tpmrm0". */
    private readonly tcti: string,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  /** Runs `tpm2_<name>`. Throws TPM_MISSING, TPM_UNAVAILABLE, or DEADLINE_EXCEEDED when the signal came first. */
  async run(name: string, args: readonly string[], folder: string, signal: AbortSignal): Promise<void> {
    await this.#requireDevice();
    const result = await execa(`tpm2_${name}`, args, {
      cwd: folder,
      // Nothing of the agent's own environment, which names sockets and credentials.
      extendEnv: false,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', TPM2TOOLS_TCTI: this.tcti, ...this.environment },
      cancelSignal: signal,
      forceKillAfterDelay: 500,
      maxBuffer: 64 * 1024,
      stdin: 'ignore',
      reject: false,
    });
    if (!result.failed) return;
    if (result.isCanceled) throw new Failure('DEADLINE_EXCEEDED', `Cannot run tpm2_${name}: the time for it was over`);
    throw refusal(name, reason(String(result.stderr)) || String(result.shortMessage));
  }

  /** A node without a TPM is a state of its own, and no error of a tool. */
  async #requireDevice(): Promise<void> {
    const [, device] = /^device:(.+)$/.exec(this.tcti) ?? [];
    if (device === undefined) return;
    try {
      await access(device, constants.R_OK | constants.W_OK);
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw new Failure('TPM_MISSING', `Cannot use the TPM: there is no ${device}`);
      throw new Failure('TPM_UNAVAILABLE', `Cannot use the TPM: ${message}`);
    }
  }
}

/** TPM_RC_LOCKOUT: TPM 2.0 Part 2, 6.6.3. */
const LOCKED = /\b0x0*921\b/i;
/** TPM_RC_AUTH_FAIL and TPM_RC_BAD_AUTH of any session: a password is asked for that nobody gave. */
const OWNED = /\b0x0*[9ab](?:8e|a2)\b/i;

function refusal(tool: string, found: string): Failure {
  const facts = { tool };
  if (LOCKED.test(found)) return new Failure('TPM_LOCKED', `Cannot run tpm2_${tool}: the TPM is locked against guessing (${found})`, facts);
  const because = OWNED.test(found) ? `its owner or endorsement hierarchy has a password (${found})` : found;
  return new Failure('TPM_UNAVAILABLE', `Cannot run tpm2_${tool}: ${because}`, facts);
}

/** The first line that tells an error: those after it only say where it came through. */
function reason(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('ERROR') || line.startsWith('WARNING'));
  return (lines.find((line) => line.includes('0x')) ?? lines[0] ?? '').replace(/^(ERROR|WARNING): /, '').slice(0, 400);
}
