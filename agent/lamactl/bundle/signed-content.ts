// SPDX-License-Identifier: Apache-2.0
import { createHash, verify, X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { leadsToRoot } from '../attest/certificate-chain.ts';
import { badDer, type Der, expectTag, readDer, TAG } from './der.ts';

/** Object identifiers, in DER without tag and length. */
const OID = {
  signedData: '2a864886f70d010702',
  data: '2a864886f70d010701',
  contentType: '2a864886f70d010903',
  messageDigest: '2a864886f70d010904',
} as const;
const HASHES: ReadonlyMap<string, string> = new Map([
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);
const CERTIFICATES_LIMIT = 16;

/**
 * The content of a CMS SignedData (RFC 5652) that one of its signers, whose certificate leads to one of the roots, signed.
 * Throws BUNDLE_INVALID and BUNDLE_UNTRUSTED.
 */
export function signedContent(cms: Buffer, roots: readonly X509Certificate[], nowMs: number): Buffer {
  const [contentInfo] = readDer(cms);
  const [type, wrapped] = readDer(expectTag(contentInfo, TAG.sequence));
  if (expectTag(type, TAG.oid).toString('hex') !== OID.signedData) throw badDer('it is no CMS SignedData');
  const [signedData] = readDer(expectTag(wrapped, TAG.context0));
  const [, , encapsulated, ...rest] = readDer(expectTag(signedData, TAG.sequence));
  const content = contentOf(expectTag(encapsulated, TAG.sequence));
  const certificates = certificatesOf(rest.find(({ tag }) => tag === TAG.context0));
  const signers = readDer(
    expectTag(
      rest.find(({ tag }) => tag === TAG.set),
      TAG.set,
    ),
  );
  const trusted = certificates.filter(
    (certificate) => leadsToRoot(certificate, { roots, intermediates: certificates }, nowMs) === undefined,
  );
  if (signers.some((signer) => trusted.some((certificate) => isSignedBy(certificate, signer, content)))) return content;
  const why =
    trusted.length === 0 ? 'none of the certificates in it leads to the keyring' : 'nobody in it whom the keyring vouches for signed it';
  throw new Failure('BUNDLE_UNTRUSTED', `Cannot believe the bundle: ${why}`);
}

function contentOf(encapsulated: Buffer): Buffer {
  const [type, wrapped] = readDer(encapsulated);
  if (expectTag(type, TAG.oid).toString('hex') !== OID.data) throw badDer('it is of something else than data');
  if (!wrapped) throw badDer('the manifest is not in it: the bundle is of the format "plain"');
  return expectTag(readDer(expectTag(wrapped, TAG.context0))[0], TAG.octets);
}

function certificatesOf(set: Der | undefined): readonly X509Certificate[] {
  const values = set ? readDer(set.content) : [];
  if (values.length > CERTIFICATES_LIMIT) throw badDer(`it has more than ${CERTIFICATES_LIMIT} certificates`);
  return values.filter(({ tag }) => tag === TAG.sequence).map(({ whole }) => certificateOf(whole));
}

function certificateOf(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw badDer('a certificate in it is none');
  }
}

/** SignerInfo: RFC 5652, 5.3 to 5.6. */
function isSignedBy(certificate: X509Certificate, signer: Der, content: Buffer): boolean {
  const [, , digestAlgorithm, ...rest] = readDer(expectTag(signer, TAG.sequence));
  const [oid] = readDer(expectTag(digestAlgorithm, TAG.sequence));
  const hash = HASHES.get(expectTag(oid, TAG.oid).toString('hex'));
  const attributes = rest.find(({ tag }) => tag === TAG.context0);
  const signature = rest.find(({ tag }) => tag === TAG.octets);
  if (!hash || !signature) return false;
  if (!attributes) return isSignature(hash, content, certificate, signature.content);
  if (!attributesHold(attributes.content, hash, content)) return false;
  // What is signed is the set, not the field that it is in: 5.4.
  const signed = Buffer.concat([Buffer.of(TAG.set), attributes.whole.subarray(1)]);
  return isSignature(hash, signed, certificate, signature.content);
}

function attributesHold(set: Buffer, hash: string, content: Buffer): boolean {
  const attributes = new Map(
    readDer(set).map((attribute) => {
      const [oid, values] = readDer(expectTag(attribute, TAG.sequence));
      return [expectTag(oid, TAG.oid).toString('hex'), readDer(expectTag(values, TAG.set))] as const;
    }),
  );
  const [type] = attributes.get(OID.contentType) ?? [];
  const [digest] = attributes.get(OID.messageDigest) ?? [];
  const isOfContent = digest?.content.equals(createHash(hash).update(content).digest()) === true;
  return type?.content.toString('hex') === OID.data && isOfContent;
}

function isSignature(hash: string, signed: Buffer, { publicKey }: X509Certificate, signature: Buffer): boolean {
  try {
    return verify(hash, signed, publicKey, signature);
  } catch {
    // A kind of key that this kind of signature is not made with.
    return false;
  }
}
