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
    throw new Failure('TPM_UNAVAILABLE', `Cannot run tpm2_${name}: ${reason(String(result.stderr)) || result.shortMessage}`, {
      tool: name,
    });
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

/** The first line that tells an error: those after it only say where it came through. */
function reason(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('ERROR') || line.startsWith('WARNING'));
  return (lines.find((line) => line.includes('0x')) ?? lines[0] ?? '').replace(/^(ERROR|WARNING): /, '').slice(0, 400);
}
