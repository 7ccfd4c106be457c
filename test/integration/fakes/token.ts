// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { until } from '../../../qemu/host/deadline.ts';
import { PrivateBus } from './private-bus.ts';
import { SoftwareTpm } from './software-tpm.ts';

const TPM2_PKCS11 = '/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so';
const BROKER_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 60_000;

/** How each library names the kinds of keys that LamaDist uses. */
const KEY_KINDS = {
  p256: { pkcs11Tool: 'EC:prime256v1', tpm2Ptool: 'ecc256' },
  rsa2048: { pkcs11Tool: 'rsa:2048', tpm2Ptool: 'rsa2048' },
} as const;

export interface TokenKey {
  readonly label: string;
  readonly kind: keyof typeof KEY_KINDS;
}

/** A token of PKCS#11 with one key, which it made itself. */
export interface Token {
  readonly label: string;
  readonly pin: string;
  /** The path of the library through which programs reach it. */
  readonly module: string;
  /** What that library has to find in its environment. */
  readonly env: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

const NAMES = { label: 'home lab', pin: '271828' } as const;
const SO_PIN = '314159';

/** SoftHSM, which stands for a smart card or a security module. */
export async function softHsm({ label, kind }: TokenKey): Promise<Token> {
  const folder = await mkdtemp(join(tmpdir(), 'lamadist-softhsm-'));
  const module = '/usr/lib/softhsm/libsofthsm2.so';
  const env = { SOFTHSM2_CONF: join(folder, 'softhsm2.conf') };
  await mkdir(join(folder, 'tokens'));
  await writeFile(env.SOFTHSM2_CONF, `directories.tokendir = ${join(folder, 'tokens')}\n`);
  const run = (program: string, args: readonly string[]) => execa(program, args, { env, timeout: COMMAND_TIMEOUT_MS });
  await run('softhsm2-util', ['--init-token', '--free', '--label', NAMES.label, '--pin', NAMES.pin, '--so-pin', SO_PIN]);
  const generate = ['--keypairgen', '--key-type', KEY_KINDS[kind].pkcs11Tool, '--label', label, '--usage-sign'];
  await run('pkcs11-tool', ['--module', module, '--token-label', NAMES.label, '--login', '--pin', NAMES.pin, ...generate]);
  return { ...NAMES, module, env, end: () => rm(folder, { recursive: true }) };
}

/** A TPM through tpm2-pkcs11. Several programs share its few places for keys by a broker, where a machine's kernel would do it. */
export async function tpmToken({ label, kind }: TokenKey): Promise<Token> {
  const [tpm, bus] = await Promise.all([SoftwareTpm.start(), PrivateBus.create()]);
  const store = await mkdtemp(join(tmpdir(), 'lamadist-tpm2-pkcs11-'));
  const tcti = 'tabrmd:bus_type=session';
  const env = {
    ...{ DBUS_SESSION_BUS_ADDRESS: bus.address, TSS2_LOG: 'all+NONE' },
    ...{ TPM2_PKCS11_TCTI: tcti, TPM2TOOLS_TCTI: tcti, TPM2_PKCS11_STORE: store },
  };
  const broker = spawn('tpm2-abrmd', ['--session', '--allow-root', `--tcti=${tpm.tcti}`], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const run = (program: string, args: readonly string[]) => execa(program, args, { env, timeout: COMMAND_TIMEOUT_MS });
  await until('the broker of the TPM', BROKER_TIMEOUT_MS, async () =>
    (await execa('tpm2_getrandom', ['--hex', '1'], { env, timeout: BROKER_TIMEOUT_MS, reject: false })).failed ? undefined : true,
  );
  await run('tpm2_ptool', ['init', '--path', store]);
  const token = ['--label', NAMES.label, '--userpin', NAMES.pin];
  await run('tpm2_ptool', ['addtoken', '--pid', '1', ...token, '--sopin', SO_PIN, '--path', store]);
  await run('tpm2_ptool', ['addkey', ...token, '--key-label', label, '--algorithm', KEY_KINDS[kind].tpm2Ptool, '--path', store]);
  return {
    ...{ ...NAMES, module: TPM2_PKCS11, env },
    end: async () => {
      await ended(broker);
      await Promise.all([tpm.end(), bus.dispose(), rm(store, { recursive: true })]);
    },
  };
}

async function ended(broker: ChildProcess): Promise<void> {
  if (broker.exitCode !== null) return;
  const exit = once(broker, 'exit');
  broker.kill('SIGKILL');
  await exit;
}
