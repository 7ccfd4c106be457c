// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { BANKS, type Bank } from '../../attest/tpm/algorithms.ts';
import type { Rejection } from '../../attest/verdict.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import type { NodeConnection } from '../../node/node.ts';
import { renderDocument } from '../../output/document.ts';
import { table } from '../../output/table.ts';
import type { Booted } from '../../trust/booted-image.ts';
import type { ExpectationStore } from '../../trust/expectation-store.ts';
import type { Pins } from '../../trust/pins.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, TPM_TIMEOUT_MS } from '../session.ts';
import { ATTEST_EXITS } from './attest-exit.ts';

interface Options {
  readonly uki?: readonly string[];
  readonly loader?: readonly string[];
  /** false when it is said that there is none. */
  readonly addon?: string | false;
  readonly bank?: Bank;
  readonly profile?: number;
  readonly bundleMetadata?: true;
  readonly add?: true;
  readonly replace?: true;
}

export function addAttestLearn(attest: Command, run: Run): void {
  attest
    .command('learn')
    .summary('what an image, or a node that is believed, makes of PCRs')
    .description(
      'With --uki, compute from a unified kernel image alone what PCR 4 and 11 are once it has booted, and from the addon of a node PCR 12; print that, or with --node or --all write it into the policies of enrolled nodes. Without --uki, pin what the firmware of a node has in PCR 0, 2 and 7, because it is seen for the first time.',
    )
    .option('--uki <files...>', 'the image (.efi); where each slot has its own, all of them')
    .option('--loader <files...>', 'what the firmware starts before the image, such as systemd-boot, in its order')
    .option('--addon <file>', "the node's own addon (.addon.efi), which is booted with every image; a policy remembers it")
    .option('--no-addon', 'the node has no addon any more')
    .addOption(new Option('--bank <bank>', 'the PCR bank of what is printed (default: sha256)').choices(BANKS))
    .addOption(new Option('--profile <number>', 'the profile that boots, as in "@1" (default: the first)').argParser(profileNumber))
    .option('--bundle-metadata', 'print it as the section of a RAUC manifest that tells lamactl of it')
    .option('--add', 'with --uki: allow what was allowed before, too')
    .option('--replace', 'without --uki: pin it although something else is pinned')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl attest learn -n attic', 'believe its firmware, once'],
          ['lamactl attest learn -n attic --uki lamadist.efi', 'expect this image of it'],
          ['lamactl attest learn -n attic --uki lamadist.efi --addon attic.addon.efi', 'the same of a node with words of its own'],
          ['lamactl attest learn --uki lamadist.efi', 'only print what the image leads to'],
          ['lamactl attest learn --uki lamadist-a.efi lamadist-b.efi --bundle-metadata >> manifest.raucm', 'before the bundle is made'],
        ],
        [...ATTEST_EXITS, 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => learn(session, options)));
}

async function learn(session: Session, options: Options): Promise<ExitName> {
  refuseIdle(session, options);
  if (options.uki === undefined) return learnFromNodes(session, options);
  const { readBooted } = await import('../../trust/booted-image.ts');
  const { uki: ukis, loader: loaders, addon, profile } = options;
  const booted = await readBooted({ ukis, loaders, addon: addon || undefined, profile });
  return session.namesNodes ? expectOfNodes(session, booted, options) : printPins(session, booted, options);
}

/** What goes with an image alone, with nodes alone, or with none. */
const NEEDS_IMAGE = ['loader', 'addon', 'profile', 'bundleMetadata', 'add', 'bank'] as const satisfies readonly (keyof Options)[];
const NEEDS_NO_NODE = ['bundleMetadata', 'bank'] as const satisfies readonly (keyof Options)[];

/** An option that would do nothing was meant to do something. Throws INVALID_REQUEST. */
function refuseIdle({ namesNodes }: Session, options: Options): void {
  const given = (names: readonly (keyof Options)[]) => names.find((name) => options[name] !== undefined);
  const refuse = (field: keyof Options | undefined, why: string) => {
    if (field === undefined) return;
    const flag = options[field] === false ? `no-${field}` : field.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`);
    throw new Failure('INVALID_REQUEST', `Cannot use --${flag} here: ${why}`, { field });
  };
  if (options.uki === undefined) refuse(given(NEEDS_IMAGE), 'name the image that boots by --uki');
  else refuse(given(['replace']), 'what an image leads to takes the place of what was pinned; --add keeps both');
  if (namesNodes) refuse(given(NEEDS_NO_NODE), 'it is of what is printed, and not of what a policy expects');
  else refuse(options.addon === false ? 'addon' : given(['add']), 'it changes policies: name the nodes by -n or --all');
}

/** A policy is YAML, so that this is what is printed where no other form is asked for. */
async function printPins({ world, format }: Session, booted: Booted, { bank = 'sha256', bundleMetadata }: Options): Promise<ExitName> {
  const { pinsOfBooted } = await import('../../trust/booted-image.ts');
  if (bundleMetadata) {
    if (booted.addon)
      throw new Failure('INVALID_REQUEST', 'Cannot put an addon into the metadata of a bundle: it belongs to one node', { field: 'addon' });
    const { writeBundleMetadata } = await import('../../bundle/bundle-metadata.ts');
    world.stdout.write(writeBundleMetadata(BANKS.map((each) => [each, pinsOfBooted(booted, each)] as const)));
  } else {
    world.stdout.write(await renderDocument(format === 'json' ? 'json' : 'yaml', { pcr_bank: bank, pcrs: pinsOfBooted(booted, bank) }));
  }
  return 'done';
}

/** Writes into policies what an image leads to; no node is asked. */
async function expectOfNodes(session: Session, booted: Booted, { add, addon }: Options): Promise<ExitName> {
  const { pinsOfBooted } = await import('../../trust/booted-image.ts');
  const { withPins } = await import('../../trust/pins.ts');
  const { addonOf, pinsOnNode, withoutAddon } = await import('../../trust/addon-pins.ts');
  const store = await session.expectations();
  const targets = await session.targets();
  const learnt = await Promise.all(
    targets.map(async ({ name }) => {
      const known = await enrolled(store, name);
      const policy = addon === false ? withoutAddon(known) : known;
      const pcrs = pinsOnNode(pinsOfBooted(booted, policy.pcr_bank), policy);
      const own = booted.addon && { addon: addonOf(booted.addon, policy.pcr_bank) };
      // Who says what the image is, says that it is no other.
      const { previous: before, ...rest } = policy;
      await store.keepPolicy(name, { ...rest, ...own, ...(add && { previous: before }), pcrs: withPins(policy.pcrs, pcrs, add === true) });
      return { node: name, pcrs };
    }),
  );
  const { world, format, paint } = session;
  world.stdout.write(
    format === 'table'
      ? table(paint, ['NODE', 'PCR', 'FROM', 'VALUE'], learnt.flatMap(rowsOf))
      : await renderDocument(format, { nodes: learnt }),
  );
  return worst(['done']);
}

async function learnFromNodes(session: Session, { replace }: Options): Promise<ExitName> {
  const store = await session.expectations();
  return askAndPrint(
    session,
    session.timeoutMs(TPM_TIMEOUT_MS),
    (node, { name }) => learnOne(session, store, name, node, replace === true),
    {
      document: (result) => ('reason' in result ? { verdict: 'REJECTED', ...result } : { pcrs: result }),
      text: (answers) =>
        table(
          session.paint,
          ['NODE', 'PCR', 'FROM', 'VALUE'],
          given(answers).flatMap(({ node, value }) =>
            'reason' in value
              ? [[node, String(value.pcr ?? ''), 'REJECTED', `${value.reason}: ${value.found}`]]
              : rowsOf({ node, pcrs: value }),
          ),
        ),
      exit: (result) => ('reason' in result ? 'rejected' : 'first-use'),
    },
  );
}

/** Nothing is learnt from evidence that is not true, whatever it says. */
async function learnOne(
  { world }: Session,
  store: ExpectationStore,
  name: string,
  node: NodeConnection,
  replace: boolean,
): Promise<Pins | Rejection> {
  const { trueEvidence } = await import('../../trust/true-evidence.ts');
  const { newPins, pinsOfFirstUse, requireNew, withPins } = await import('../../trust/pins.ts');
  const policy = await enrolled(store, name);
  const evidence = await trueEvidence(node, policy, world);
  if ('reason' in evidence) return evidence;
  const pins = pinsOfFirstUse(evidence);
  if (!replace) requireNew(name, policy.pcrs, pins);
  const pcrs = withPins(policy.pcrs, newPins(policy.pcrs, pins), false);
  await store.keepPolicy(name, { ...policy, pcrs });
  return Object.fromEntries(Object.entries(pcrs).filter(([pcr]) => pins[pcr]));
}

async function enrolled(store: ExpectationStore, name: string) {
  const policy = await store.policy(name);
  if (!policy)
    throw new Failure('CONFIG_INVALID', `Cannot learn of ${name}: it was never enrolled; begin with "lamactl attest enroll -n ${name}"`, {
      node: name,
    });
  return policy;
}

function rowsOf({ node, pcrs }: { readonly node: string; readonly pcrs: Pins }): readonly (readonly string[])[] {
  return Object.entries(pcrs).flatMap(([pcr, { from, values }]) => values.map((value) => [node, pcr, from, value]));
}

/** Profiles are counted from 0, and systemd-stub is told of one as "@1": systemd-stub(7). */
function profileNumber(text: string): number {
  const [, digits] = /^@?(\d{1,2})$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('Say the number of a profile, such as 0 or @1.');
  return Number(digits);
}
