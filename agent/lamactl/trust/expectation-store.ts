// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { parseConfig } from '../../shared/config-file.ts';
import { type Evidence, readEvidence, writeEvidence } from '../attest/evidence.ts';
import { countersSchema, type Policy, readPolicy } from '../attest/policy.ts';
import { readAttest } from '../attest/tpm/attest.ts';
import type { Verdict } from '../attest/verdict.ts';
import { contextFilePath, readContext } from '../contexts/context-file.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';

type Counters = NonNullable<Policy['last']>;

/**
 * What is expected of the nodes of a context, on the administrator's machine alone: beside the context file, in the folder
 * attestation/<context>, a policy for each node, and the last evidence of it that was trusted.
 */
export class ExpectationStore {
  constructor(
    private readonly folder: string,
    /** The file of certificates that vouch for who signs bundles, where the context names one. */
    readonly keyring?: string,
  ) {}

  policyFile(node: string): string {
    return join(this.folder, `${node}.yaml`);
  }

  /** Undefined when the node was never enrolled. Throws CONFIG_INVALID. */
  async policy(node: string): Promise<Policy | undefined> {
    const text = await readIfThere(this.policyFile(node));
    if (text === undefined) return undefined;
    const policy = readPolicy(text, this.policyFile(node));
    const counters = await readIfThere(this.#countersFile(node));
    return counters === undefined ? policy : { ...policy, last: parseConfig(countersSchema, counters, this.#countersFile(node)) };
  }

  /** Another node of the context that was enrolled with this endorsement key. */
  async nodeWith(ekName: string, but: string): Promise<string | undefined> {
    const files = await readdir(this.folder).catch(() => []);
    const nodes = files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));
    for (const node of nodes.filter((each) => each !== but)) if ((await this.policy(node))?.ek_name === ekName) return node;
    return undefined;
  }

  /** Comments in the file are lost: it is lamactl that writes it. */
  async keepPolicy(node: string, { last: _, ...policy }: Policy): Promise<void> {
    // Anchors are not read again.
    const text = stringify(policy, { aliasDuplicateObjects: false });
    await writeWhole(this.policyFile(node), `# What "lamactl attest" expects of ${node}: docs/ATTESTATION.md\n${text}`);
  }

  /** Remembers what was trusted: its counters may not go back, and what differs from it later can be told. */
  async keepVerdict(node: string, { verdict }: Verdict, evidence: Evidence): Promise<void> {
    if (verdict !== 'TRUSTED' && verdict !== 'TRUSTED (first use)') return;
    const { clock, resetCount, restartCount } = readAttest(evidence.attest).clockInfo;
    const counters: Counters = { clock: String(clock), reset_count: resetCount, restart_count: restartCount };
    await writeWhole(this.#evidenceFile(node), writeEvidence(evidence));
    await writeWhole(this.#countersFile(node), `${JSON.stringify(counters)}\n`);
  }

  /** The last evidence that was trusted. */
  async trusted(node: string): Promise<Evidence | undefined> {
    const text = await readIfThere(this.#evidenceFile(node));
    return text === undefined ? undefined : readEvidence(Buffer.from(text));
  }

  /** The counters of another TPM, or of one that was cleared, say nothing. */
  async forgetTrusted(node: string): Promise<void> {
    for (const file of [this.#countersFile(node), this.#evidenceFile(node)]) await rm(file, { force: true });
  }

  /** What the last quote that was trusted counted: written by lamactl alone, and so not in the policy, which people write. */
  #countersFile(node: string): string {
    return join(this.folder, `${node}.counters.json`);
  }

  #evidenceFile(node: string): string {
    return join(this.folder, `${node}.trusted.json`);
  }
}

/** Throws CONFIG_INVALID when there is no such context. */
export async function openExpectationStore(
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  homeDirectory: string,
): Promise<ExpectationStore> {
  const file = contextFilePath(env, homeDirectory);
  const { name, keyring } = await readContext(file, context);
  return new ExpectationStore(join(dirname(file), 'attestation', name), keyring);
}
