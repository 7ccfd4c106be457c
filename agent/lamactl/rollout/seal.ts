// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import type { Identity } from '../../shared/tls.ts';
import { leadsToRoot } from '../attest/certificate-chain.ts';
import { revokedAmong } from '../pki/revoked-among.ts';

/** What a runner says of where a rollout stands. */
export interface SealedRecord {
  readonly rolloutId: string;
  readonly epoch: number;
  readonly holder: string;
  readonly sequence: number;
  readonly progress: Buffer;
}

export interface SealParts {
  /** The certificates of the moment. Throws a Failure. */
  readonly identity: () => Promise<Identity>;
  readonly now: () => number;
}

/** Part of what is signed: a signature for anything else is none for a record. */
const CONTEXT = 'lamadist-rollout-record-v1';
/** Who may tell nodes to install. */
const ROLES: readonly unknown[] = ['lamadist:admin', 'lamadist:operator'];
const MAX_BYTES = 512 << 10;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EnvelopeSchema = v.object({
  schema: v.literal(1),
  epoch: count,
  holder: v.string(),
  sequence: count,
  /** Base64, as the signature. */
  progress: v.string(),
  signature: v.string(),
  /** PEM: whose signature it is, and who stands between them and an authority. */
  certificate: v.string(),
});
type Envelope = v.InferOutput<typeof EnvelopeSchema>;

/**
 * Signs the records of rollouts with the administrator's own key, for they are kept by nodes, one of which may be hostile; and opens
 * those that an administrator of the same authority signed. The id stands for the plan.
 */
export class RecordSeal {
  constructor(private readonly parts: SealParts) {}

  async close({ rolloutId, epoch, holder, sequence, progress }: SealedRecord): Promise<Buffer> {
    const { certificate, key } = await this.parts.identity();
    const privateKey = createPrivateKey(key);
    const said = { epoch, holder, sequence, progress: progress.toString('base64') };
    const signature = sign(digestFor(privateKey), signedBytes(rolloutId, said), privateKey).toString('base64');
    const envelope: Envelope = { schema: 1, ...said, signature, certificate: certificate.toString('utf8') };
    return Buffer.from(JSON.stringify(envelope));
  }

  /** Throws ROLLOUT_NOT_FOUND for a record of this rollout that no administrator signed. */
  async open(rolloutId: string, bytes: Buffer): Promise<SealedRecord> {
    const { ca } = await this.parts.identity();
    try {
      if (bytes.length > MAX_BYTES) throw new Error('it is too large');
      const envelope = v.parse(EnvelopeSchema, JSON.parse(bytes.toString('utf8')));
      await this.#requireSigned(rolloutId, envelope, ca.toString('utf8'));
      const { epoch, holder, sequence, progress } = envelope;
      return { rolloutId, epoch, holder, sequence, progress: Buffer.from(progress, 'base64') };
    } catch (error) {
      throw new Failure('ROLLOUT_NOT_FOUND', `Cannot believe the record of the rollout ${rolloutId}: ${(error as Error).message}`);
    }
  }

  async #requireSigned(rolloutId: string, envelope: Envelope, ca: string): Promise<void> {
    const [leaf, ...intermediates] = certificatesIn(envelope.certificate);
    if (!leaf) throw new Error('it names no certificate');
    const publicKey = leaf.publicKey;
    const signature = Buffer.from(envelope.signature, 'base64');
    if (!verify(digestFor(publicKey), signedBytes(rolloutId, envelope), publicKey, signature)) throw new Error('its signature is not good');
    // Nodes have certificates of the same authority.
    if (!ROLES.includes(leaf.toLegacyObject().subject.O)) throw new Error('it is not an administrator who signed it');
    // This machine's clock may be behind that of the one which signed.
    const nowMs = Math.max(this.parts.now(), Date.parse(leaf.validFrom));
    const why = leadsToRoot(leaf, { roots: certificatesIn(ca), intermediates }, nowMs);
    if (why !== undefined) throw new Error(why);
    // Nobody can tell whether it was signed before: a thief would say so.
    if ((await revokedAmong([leaf, ...intermediates], ca)).length > 0) throw new Error('the certificate of who signed it is revoked');
  }
}

/** Edwards curves bring their own. */
const digestFor = ({ asymmetricKeyType }: { readonly asymmetricKeyType?: string | undefined }): string | null =>
  asymmetricKeyType?.startsWith('ed') ? null : 'sha256';

function signedBytes(
  rolloutId: string,
  { epoch, holder, sequence, progress }: Pick<Envelope, 'epoch' | 'holder' | 'sequence' | 'progress'>,
): Buffer {
  return Buffer.from(JSON.stringify([CONTEXT, rolloutId, epoch, holder, sequence, progress]));
}

const certificatesIn = (pem: string): readonly X509Certificate[] => (pem.match(PEM) ?? []).map((each) => new X509Certificate(each));
