// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { Failure } from '../../shared/failure.ts';
import { oneLine, printable } from '../../shared/printable.ts';

export interface KubectlOptions {
  /** The operator's; without it kubectl looks where it always does. */
  readonly kubeconfig?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs kubectl; resolves with what it printed. Throws DRAIN_FAILED with the end of what it complained about. */
export type Kubectl = (args: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<string>;

const MAX_OUTPUT_BYTES = 4 << 20;
const MAX_COMPLAINT_LENGTH = 500;

export function kubectlOf({ kubeconfig, env }: KubectlOptions): Kubectl {
  return async (args, timeoutMs, signal) => {
    const all = [...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), ...args];
    const result = await execa('kubectl', all, {
      reject: false,
      timeout: timeoutMs,
      cancelSignal: signal,
      maxBuffer: MAX_OUTPUT_BYTES,
      stdin: 'ignore',
      env,
      extendEnv: false,
    });
    if (!result.failed) return result.stdout;
    const complaint = result.timedOut ? `it did not end within ${timeoutMs} ms` : result.stderr || result.shortMessage;
    const found = oneLine(printable(String(complaint))).slice(-MAX_COMPLAINT_LENGTH);
    throw new Failure('DRAIN_FAILED', `Cannot run "kubectl ${args.join(' ')}": ${found}`);
  };
}
