// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../host/deadline.ts';
import { inRoot, WORK } from '../root/in-root.ts';
import type { Root } from '../root/prepare-root.ts';

/** Where the node finds its TPM, in the words of TPM2TOOLS_TCTI. The control channel is beside it, called tpm.sock.ctrl. */
export const NODE_TCTI = 'swtpm:path=/run/swtpm/tpm.sock';

/** Below the TPM's folder; the node sees this folder of it alone. */
const SOCKET = 'sockets/tpm.sock';
/** Where the tools of the launcher find it, working on the TPM's folder. */
export const LAUNCHER_TCTI = `swtpm:path=${WORK}/${SOCKET}`;
const START_TIMEOUT_MS = 10_000;

/**
 * Switches the node's software TPM on, outside of the node: its seeds and keys stay in the folder from boot to boot, its
 * registers start anew as on a real reset. Returns how to switch it off.
 */
export async function switchTpmOn(root: Root, folder: string): Promise<() => Promise<void>> {
  const sockets = [SOCKET, `${SOCKET}.ctrl`].map((name) => path.join(folder, name));
  for (const socket of sockets) await rm(socket, { force: true });
  const options = [
    ['--tpmstate', `dir=${WORK},mode=0600`],
    ['--server', `type=unixio,path=${WORK}/${SOCKET}`],
    ['--ctrl', `type=unixio,path=${WORK}/${SOCKET}.ctrl`],
    ['--log', `file=${WORK}/swtpm.log,truncate`],
    ['--flags', 'startup-clear'],
  ];
  const [file, ...args] = inRoot(root, folder, ['swtpm', 'socket', '--tpm2', ...options.flat()]);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: 'ignore' });
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const finish = () => {
      ended = true;
      resolve();
    };
    child.once('error', finish);
    child.once('close', finish);
  });
  await until('the TPM', START_TIMEOUT_MS, async () => {
    if (ended) throw new Error(`Cannot start the TPM: swtpm ended at once; its log is in ${folder}`);
    return sockets.every(existsSync) || undefined;
  });
  // Inside the node any service that speaks to the TPM may; the agent's unit decides who does.
  for (const socket of sockets) await chmod(socket, 0o666);
  return async () => {
    child.kill('SIGKILL');
    await end;
  };
}
