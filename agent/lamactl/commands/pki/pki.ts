// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter } from '../help.ts';
import type { Run } from '../session.ts';
import { addPkiImport } from './pki-import.ts';
import { addPkiInit } from './pki-init.ts';
import { addPkiIssue } from './pki-issue.ts';
import { addPkiList } from './pki-list.ts';
import { addPkiRenew } from './pki-renew.ts';
import { addPkiRevoke } from './pki-revoke.ts';
import { addPkiRotate } from './pki-rotate.ts';

export function addPki(program: Command, run: Run): void {
  const pki = program
    .command('pki')
    .summary('keep the authority that signs certificates')
    .description('Keep the authority that signs the certificates of nodes, people and programs. docs/OPERATIONS.md has the whole story.')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki init --admin alice', 'make an authority, and your own certificate'],
          ['lamactl pki issue bob --role operator --request bob.csr', 'a certificate for somebody else'],
          ['lamactl pki revoke bob', 'have every node refuse it'],
          ['lamactl pki rotate', 'replace the authority'],
        ],
        ['done', 'configuration', 'usage'],
      ),
    );
  for (const add of [addPkiInit, addPkiImport, addPkiIssue, addPkiList, addPkiRenew, addPkiRevoke, addPkiRotate]) add(pki, run);
}
