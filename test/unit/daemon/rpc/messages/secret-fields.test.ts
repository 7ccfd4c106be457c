// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { SECRET_FIELDS, withoutSecrets } from '../../../../../agent/daemon/rpc/messages/secret-fields.ts';

describe('what is written down of a request', () => {
  it('has no secret in it', () => {
    const request = { source: { url: 'https://a' }, urlAccess: { headers: [{ name: 'authorization', value: 'Bearer abc' }] } };
    expect(withoutSecrets(request)).toEqual({ source: { url: 'https://a' }, urlAccess: '(left out)' });
  });

  it('has no query of a URL in it, which may be what signs it', () => {
    const request = { source: { url: 'https://a/v2.raucb?X-Amz-Signature=abc' }, force: true };
    expect(withoutSecrets(request)).toEqual({ source: { url: 'https://a/v2.raucb?(secret)' }, force: true });
  });

  it('leaves out whatever the protocol marks as secret', async () => {
    const marked = new Set<string>();
    for (const type of await messageTypes()) {
      for (const field of type.fieldsArray) if (field.options?.debug_redact) marked.add(field.name);
    }
    expect(new Set(SECRET_FIELDS)).toEqual(marked);
  });
});

async function messageTypes(): Promise<protobuf.Type[]> {
  const folder = 'proto/lamadist/agent/v1';
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/') ? null : join(target.startsWith('lamadist/') ? 'proto' : '', target);
  await root.load((await readdir(folder)).map((file) => join(folder, file)));
  const { nestedArray } = root.lookup('lamadist.agent.v1') as protobuf.Namespace;
  return nestedArray.filter((nested) => nested instanceof protobuf.Type);
}
