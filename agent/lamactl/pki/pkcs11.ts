// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey } from 'node:crypto';
import { execa } from 'execa';
import { Failure } from '../../shared/failure.ts';
import type { Signer } from './certificates.ts';

/** A token in a slow chip takes a few seconds for a signature. */
const TIMEOUT_MS = 60_000;
/** How pkcs11-tool gets the PIN: by a variable that only the same user can read, and not in the list of processes. */
const PIN_VARIABLE = 'LAMACTL_TOKEN_PIN';

interface TokenKey {
  readonly module: string;
  readonly token: string;
  /** Options of pkcs11-tool that choose the key. */
  readonly object: readonly string[];
}

/** Reads `pkcs11:token=…;object=…?module-path=…` (RFC 7512); `id` may stand for `object`. Throws INVALID_REQUEST. */
export function parseTokenUri(uri: string): TokenKey {
  if (/[?&;]pin-(?:value|source)=/.test(uri)) {
    // It would be in the list of processes, in the registry, and in what is printed.
    throw new Failure(
      'INVALID_REQUEST',
      'Cannot use the key of the token: its URI names a PIN; give that with --passphrase-file, or when asked',
    );
  }
  const match = /^pkcs11:(?<path>[^?]*)\?(?<query>.*)$/.exec(uri);
  const attributes = new Map((match?.groups?.path ?? '').split(';').map(pair));
  const query = new Map((match?.groups?.query ?? '').split('&').map(pair));
  const [token, object, id, module] = [attributes.get('token'), attributes.get('object'), attributes.get('id'), query.get('module-path')];
  if (!module?.startsWith('/') || !token || !(object || id)) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot use the key "${uri}": say pkcs11:token=NAME;object=NAME?module-path=/…, with the path of the token's PKCS#11 module`,
    );
  }
  return { module, token, object: object ? ['--label', object] : ['--id', Buffer.from(id ?? '', 'latin1').toString('hex')] };
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), decode(text.slice(equals + 1))];
}

/** Percent-encoding is of bytes, which an id need not have as UTF-8. */
function decode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const SIGN = ['--sign', '--mechanism', 'ECDSA', '--signature-format', 'rs'];

/** A key (P-256) that never leaves its token: a smart card, a security module or, through tpm2-pkcs11, a TPM. Throws CONFIG_INVALID. */
export async function openToken(uri: string, pin: string): Promise<Signer> {
  const key = parseTokenUri(uri);
  const spki = await pkcs11Tool(key, pin, ['--read-object', '--type', 'pubkey']);
  const publicKey = readPublicKey(uri, spki);
  return {
    publicKey,
    // Fewer modules hash by themselves than sign what was hashed.
    sign: (data) => pkcs11Tool(key, pin, SIGN, createHash('sha256').update(data).digest()),
  };
}

function readPublicKey(uri: string, spki: Buffer) {
  try {
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    if (publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1') return publicKey;
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot use the key ${uri}: its public half cannot be read`, {}, { cause: error });
  }
  throw new Failure('CONFIG_INVALID', `Cannot use the key ${uri}: it is not ECDSA P-256`);
}

/** OpenSC's tool, which speaks to every module. */
async function pkcs11Tool(
  { module, token, object }: TokenKey,
  pin: string,
  action: readonly string[],
  input: Buffer = Buffer.alloc(0),
): Promise<Buffer> {
  const argv = ['--module', module, '--token-label', token, '--login', '--pin', `env:${PIN_VARIABLE}`, ...object, ...action];
  const result = await execa('pkcs11-tool', argv, {
    env: { [PIN_VARIABLE]: pin },
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
    timeout: TIMEOUT_MS,
    reject: false,
  });
  if (!result.failed) return Buffer.from(result.stdout);
  const lines = Buffer.from(result.stderr ?? [])
    .toString()
    .trim()
    .split('\n');
  const said = lines.find((line) => line.startsWith('error: ')) ?? (lines.at(-1) || result.shortMessage);
  throw new Failure('CONFIG_INVALID', `Cannot use the token "${token}" with pkcs11-tool (of OpenSC): ${said}`);
}
