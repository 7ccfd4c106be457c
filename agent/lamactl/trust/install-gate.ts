// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Policy } from '../attest/policy.ts';
import type { Connect, Target } from '../node/node.ts';
import type { World } from '../world.ts';
import { pinsOnNode } from './addon-pins.ts';
import { type Attestation, attestNode } from './attest-node.ts';
import type { ExpectationStore } from './expectation-store.ts';
import { type ImageFile, pinsOfNewImage } from './new-image-pins.ts';
import { type Pins, withPins } from './pins.ts';

export interface GateParts {
  readonly world: Pick<World, 'random' | 'clock'>;
  readonly connect: Connect;
  readonly store: ExpectationStore;
  readonly timeoutMs: number;
}

/** A node that has just come back may be busy with its own TPM. */
const ATTEMPTS = 5;
const PAUSE_MS = 3_000;

/** Lets an update begin on nodes that prove what they run, and calls it done on those that prove to run the new image. */
export class InstallGate {
  /** Nodes that the update began on here: what they ran then is what they may go back to. */
  readonly #began = new Set<string>();

  private constructor(
    private readonly parts: GateParts,
    private readonly pins: ReadonlyMap<string, Pins>,
  ) {}

  /** Works out what is expected before any node is touched. Throws a Failure. */
  static async prepare(targets: readonly Target[], image: ImageFile, parts: GateParts): Promise<InstallGate> {
    const pins = new Map<string, Pins>();
    for (const { name } of targets) {
      const policy = await parts.store.policy(name);
      if (!policy) throw new Failure('NOT_TRUSTED', `Cannot require attestation of ${name}: it was never enrolled`, { node: name });
      pins.set(name, pinsOnNode(await pinsOfNewImage(image, policy.pcr_bank), policy));
    }
    return new InstallGate(parts, pins);
  }

  /**
   * Tells whether the node runs the new image already: then the update was begun by a lamactl that was interrupted, and what is
   * left is to see it to its end. What the node proves now is what its policy says from now on, for another lamactl may see that
   * end. Throws NOT_TRUSTED.
   */
  async before(target: Target): Promise<'may-begin' | 'runs-the-new-image'> {
    const attestation = await this.#attest(target, (policy) => policy);
    const { policy, verdict } = attestation;
    if (policy && 'image' in verdict) await this.parts.store.keepPolicy(target.name, turnedRound(policy));
    if (isTrusted(attestation)) {
      this.#began.add(target.name);
      return 'may-begin';
    }
    if (policy && isTrusted(await this.#attest(target, (known) => this.#withNewImage(target, known)))) return 'runs-the-new-image';
    throw notTrusted(target.name, 'before the update', attestation);
  }

  /**
   * Expects the new image alone. A node that proves it is expected to run that from now on, and may go back to the image that
   * it proved before. Throws NOT_TRUSTED.
   */
  async afterwards(target: Target): Promise<void> {
    const { store } = this.parts;
    const known = await store.policy(target.name);
    const attestation = await this.#attest(target, (policy) => this.#withNewImage(target, policy));
    if (!known || !isTrusted(attestation)) throw notTrusted(target.name, 'after the update', attestation);
    const pins = this.#pinsFor(target);
    const previous = this.#began.delete(target.name) ? only(known.pcrs, pins) : previousOf(known, pins);
    await store.keepPolicy(target.name, { ...this.#withNewImage(target, known), ...(previous && { previous }) });
  }

  #pinsFor({ name }: Target): Pins {
    return this.pins.get(name) ?? {};
  }

  #withNewImage(target: Target, { previous: _, ...policy }: Policy): Policy {
    return { ...policy, pcrs: withPins(policy.pcrs, this.#pinsFor(target), false) };
  }

  async #attest(target: Target, expect: (policy: Policy) => Policy): Promise<Attestation> {
    for (let attempt = 1; ; attempt++) {
      const attestation = await attestNode(target, { ...this.parts, expect });
      if (attestation.verdict.verdict !== 'UNKNOWN' || attempt === ATTEMPTS) return attestation;
      await this.parts.world.clock.sleep(PAUSE_MS);
    }
  }
}

/** Of a node that runs its previous image: the other one is where it may go. */
function turnedRound({ previous = {}, ...policy }: Policy): Policy {
  return { ...policy, pcrs: { ...policy.pcrs, ...previous }, previous: only(policy.pcrs, previous) };
}

/**
 * What the image before made of the PCRs that the new one determines. Where the new one is expected already, another lamactl may have
 * seen this end, and what it was stays so.
 */
function previousOf({ pcrs, previous }: Policy, pins: Pins): Pins | undefined {
  const isExpected = Object.entries(pins).every(([pcr, { values }]) => pcrs[pcr]?.values.every((value) => values.includes(value)));
  return isExpected ? previous : only(pcrs, pins);
}

const only = (pins: Pins, those: Pins): Pins => Object.fromEntries(Object.entries(pins).filter(([pcr]) => those[pcr]));

const isTrusted = ({ verdict }: Attestation): boolean => verdict.verdict === 'TRUSTED' || verdict.verdict === 'TRUSTED (first use)';

function notTrusted(node: string, when: string, { verdict }: Attestation): Failure {
  const reason = verdict.verdict === 'REJECTED' ? ` (${verdict.reason})` : '';
  const found = 'found' in verdict ? `: ${verdict.found}` : '';
  return new Failure('NOT_TRUSTED', `Cannot trust ${node} ${when}: it is ${verdict.verdict}${reason}${found}`, {
    node,
    verdict: verdict.verdict,
    ...(verdict.verdict === 'REJECTED' && { reason: verdict.reason }),
  });
}
