// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../../qemu/driver.ts';

/** Fails when the journal cannot be read, and not when it has no such line. */
const DENIALS = `journalctl --sync && journal=$(journalctl --no-pager --output=cat) && printf '%s\\n' "$journal" | sed -n '/avc:  denied/p'`;

/** polkit asks systemd about the unit of whoever calls; the tester's way in has one that no image has, in /run. */
const OF_THE_TESTER = / denied {2}\{ status \} .* scontext=\S*:policykit_t:\S* tcontext=\S*:init_runtime_t:\S* tclass=service /;

/** What SELinux denied in any boot of the node, and what it would have denied, as the journal has it. */
export async function denials(node: VirtualNode): Promise<readonly string[]> {
  return (await everyDenial(node)).filter(isOfTheNode);
}

/** The same, with what the tester's way in brings with it. */
export async function everyDenial(node: VirtualNode): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await node.shell(DENIALS, { timeoutMs: 120_000 });
  if (exitCode !== 0) throw new Error(`Cannot tell what SELinux denied on ${node.name}: ${stderr.trim()}`);
  return linesIn(stdout);
}

/** The lines of a journal in which SELinux denied something, but for what the tester's way in brings with it. */
export function denialsIn(journal: string): readonly string[] {
  return linesIn(journal).filter(isOfTheNode);
}

const linesIn = (journal: string): string[] => journal.split('\n').filter((line) => line.includes('avc:  denied'));
const isOfTheNode = (line: string): boolean => !OF_THE_TESTER.test(line);
