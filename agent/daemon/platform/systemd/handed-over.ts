// SPDX-License-Identifier: Apache-2.0

/** systemd.socket(5): the first descriptor that is handed over. */
const FIRST_DESCRIPTOR = 3;

/** The descriptor that systemd opened for this process under a name (OpenFile=): sd_listen_fds_with_names(3). Undefined when it did not. */
export function handedOver(env: Readonly<Record<string, string | undefined>>, name: string): number | undefined {
  if (env.LISTEN_PID !== String(process.pid)) return undefined;
  const position = (env.LISTEN_FDNAMES ?? '').split(':').indexOf(name);
  return position < 0 ? undefined : FIRST_DESCRIPTOR + position;
}
