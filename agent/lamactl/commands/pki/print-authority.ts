// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { certificateFingerprint } from '../../../shared/fingerprint.ts';
import { contextIfThere } from '../../contexts/context-file.ts';
import { renderDocument } from '../../output/document.ts';
import { facts } from '../../output/table.ts';
import type { Office } from '../../pki/office.ts';
import { type Registry, signingAuthority } from '../../pki/registry.ts';
import type { Session } from '../session.ts';

/** Shows the authority that a context has now, and what comes next. */
export async function printAuthority({ format, paint, world: { stdout } }: Session, office: Office, registry: Registry): Promise<void> {
  const { context, contextFile, folder } = office;
  const authority = signingAuthority(registry);
  const fingerprint = `sha256:${certificateFingerprint(new X509Certificate(authority.certificate))}`;
  if (format !== 'table') {
    stdout.write(await renderDocument(format, { context, contextFile, folder, authority: authority.name, fingerprint }));
    return;
  }
  const isReady = (await contextIfThere(contextFile, context)) !== undefined;
  stdout.write(
    facts(paint, [
      ['Authority', authority.name],
      ['Pin it with', `lamadist.enrol_ca=${fingerprint}`],
      ['Kept in', folder],
      ['Context', `${context}, in ${contextFile}`],
      ['Next', isReady ? 'lamactl enroll ADDRESS --name NAME' : 'lamactl pki init'],
    ]),
  );
}
