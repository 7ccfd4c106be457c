// SPDX-License-Identifier: Apache-2.0
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { put, take } from '../../../../agent/daemon/rollout/register.ts';
import { RolloutRegisters } from '../../../../agent/daemon/rollout/registers.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { keepingLogger } from '../../fakes/log.ts';

const id = (number: number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;
const claim = { epoch: 1, holder: 'anna' };
const record = (sequence: number, ended = false, plan = 'plan') => ({
  epoch: 1,
  sequence,
  witnesses: ['attic'],
  summary: 'two',
  ended,
  plan: Buffer.from(plan),
  progress: Buffer.from(`p${sequence}`),
});

async function open() {
  const folder = join(await temporaryFolder(), 'rollouts');
  const { log, lines } = keepingLogger();
  return { folder, lines, registers: new RolloutRegisters(folder, log), again: () => new RolloutRegisters(folder, log) };
}

describe('the rollouts that a node remembers', () => {
  it('outlive a restart, plan and progress byte by byte', async () => {
    const { registers, again } = await open();
    await registers.change(id(1), (register) => take(register, claim));
    expect(await again().read(id(1))).toEqual({ promised: claim });
    await registers.change(id(1), (register) => put(register, 'anna', record(1)));
    await registers.change(id(1), (register) => put(register, 'anna', record(2, false, '')));
    expect(await again().read(id(1))).toEqual({ promised: claim, record: { ...record(2) } });
  });

  it('let nobody fence off a runner while a command of its is taken, and take none afterwards', async () => {
    const { registers } = await open();
    await registers.change(id(1), (register) => take(register, claim));
    const order: string[] = [];
    let fenced: Promise<unknown> | undefined;
    const install = registers.guard(id(1), 1, async () => {
      // It takes long enough for whoever does not wait.
      await Promise.race([fenced, new Promise((resolve) => setTimeout(resolve, 500))]);
      order.push('installed');
    });
    fenced = registers.change(id(1), (register) => take(register, { epoch: 2, holder: 'bert' })).then(() => order.push('fenced off'));
    await Promise.all([install, fenced]);
    expect(order).toEqual(['installed', 'fenced off']);
    const late = registers.guard(id(1), 1, async () => order.push('installed late'));
    await expect(late).rejects.toMatchObject({ code: 'ROLLOUT_TAKEN_OVER' });
    expect(order).toHaveLength(2);
  });

  it('are told of each other as long as there is no record of one', async () => {
    const { registers } = await open();
    await registers.change(id(1), (register) => put(register, 'anna', record(1)));
    const seen: number[] = [];
    for (const sequence of [1, 2]) {
      await registers.change(id(2), (register, others) => {
        seen.push(others.length);
        return put(register, 'anna', record(sequence));
      });
    }
    expect(seen).toEqual([1, 0]);
  });

  it('stay as they are when a change is refused', async () => {
    const { registers } = await open();
    await registers.change(id(1), (register) => put(register, 'anna', record(3)));
    await expect(registers.change(id(1), (register) => take(register, { epoch: 1, holder: 'bert' }))).rejects.toThrow('anna holds it');
    expect(await registers.read(id(1))).toMatchObject({ promised: claim });
  });

  it('are eight at the most: the oldest that ended goes first', async () => {
    const { registers, folder } = await open();
    for (let number = 1; number <= 8; number++) {
      await registers.change(id(number), (register) => put(register, 'anna', record(1, number === 3)));
    }
    await registers.change(id(9), (register) => put(register, 'anna', record(1)));
    const ids = (await registers.list()).map((known) => known.id);
    expect(ids).toHaveLength(8);
    expect(ids).not.toContain(id(3));
    expect(await readdir(folder)).toHaveLength(16);
  });

  it('are listed without one whose file is damaged, and that is logged', async () => {
    const { registers, folder, lines } = await open();
    await registers.change(id(1), (register) => take(register, claim));
    await writeFile(join(folder, `${id(2)}.json`), '{"schema":1');
    expect((await registers.list()).map((known) => known.id)).toEqual([id(1)]);
    expect(lines).toHaveLength(1);
    await expect(registers.read(id(2))).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' });
  });
});
