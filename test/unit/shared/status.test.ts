// SPDX-License-Identifier: Apache-2.0
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { FAILURES, Failure, type FailureCode } from '../../../agent/shared/failure.ts';
import { google } from '../../../agent/shared/gen/messages.js';
import { failureIn, toStatus } from '../../../agent/shared/status.ts';

const DETAILS = 'grpc-status-details-bin';

/** What a server could send that is not LamaDist's, or means harm. */
function sending(info: google.rpc.ErrorInfo.$Properties, typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo') {
  const value = google.rpc.ErrorInfo.encode(info).finish();
  return carrying(google.rpc.Status.encode({ code: 9, details: [{ type_url: typeUrl, value }] }).finish());
}

function carrying(bytes: Uint8Array) {
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(bytes));
  return { code: 9, details: 'Cannot', metadata };
}

const OURS = { domain: 'lamadist.agent.v1', reason: 'NO_SPACE' };

describe('a failure on the wire', () => {
  it.each(Object.keys(FAILURES) as FailureCode[])('%s arrives as it was sent, with its facts', (code) => {
    const sent = toStatus(new Failure(code, 'Cannot do it: "ü" is the state', { slot: 'rootfs.1' }));
    expect(sent).toMatchObject({ code: status[FAILURES[code].status], details: 'Cannot do it: "ü" is the state' });
    const arrived = failureIn(sent);
    expect(arrived).toMatchObject({ code, message: 'Cannot do it: "ü" is the state' });
    expect(arrived?.facts).toEqual({ slot: 'rootfs.1' });
  });

  it('carries google.rpc.Status, with the remedy, for clients that are not ours', () => {
    const [bytes] = toStatus(new Failure('NO_SPACE', 'Cannot write: full')).metadata?.get(DETAILS) ?? [];
    const sent = google.rpc.Status.decode(bytes as Buffer);
    expect(sent).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: 'Cannot write: full' });
    expect(google.rpc.ErrorInfo.decode(sent.details[0]?.value as Buffer).metadata).toEqual({ remedy: FAILURES.NO_SPACE.remedy });
  });

  it('is cut to what trailers hold, and is text whatever it is made of', () => {
    const long = toStatus(new Failure('INTERNAL', `Cannot ${'x'.repeat(1_000_000)}`));
    expect(long.details).toHaveLength(1001);
    expect(long.details).toMatch(/x…$/);
    const broken = toStatus(new Failure('INTERNAL', 'Cannot \ud83d'));
    expect(broken.details).toBe('Cannot \ufffd');
    expect(() => encodeURI(toStatus(new Failure('INTERNAL', '😀'.repeat(700))).details)).not.toThrow();
  });

  it.each([
    ['without details', { details: 'Cannot', metadata: new Metadata() }],
    ['without metadata', { details: 'Cannot' }],
    ['with details that are no message', carrying(Buffer.from([0xff, 0xff, 0xff]))],
    ['with other details', sending(OURS, 'type.googleapis.com/google.rpc.RetryInfo')],
    ['of another domain', sending({ ...OURS, domain: 'googleapis.com' })],
    ['with an unknown code', sending({ ...OURS, reason: 'MOON_TOO_FULL' })],
    ['with the name of something that every object has', sending({ ...OURS, reason: 'constructor' })],
  ])('is not read into a status %s', (_what, sent) => {
    expect(failureIn(sent)).toBeUndefined();
  });
});
