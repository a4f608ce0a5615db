import { truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { reserveStart } from '../../../src/engine/reserve.ts';
import { findBoxProcesses, processStart } from '../../../src/state/processes.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

test('no monitor is sent ahead for a box that runs, for a part of an ID, or for what no box is called', async () => {
  const engine = testEngine();
  const { layout } = engine;
  const up = { status: 'running', pid: process.pid, pid_start: processStart(process.pid) } as const;
  const [box] = await addBoxes(engine, { name: 'up', ...up }, { name: 'idle' });
  const words = ['up', box?.id ?? '', box?.short_id ?? '', 'idl', '', '--', 'nosuch', '10000001'];
  expect(words.map((word) => reserveStart(layout, word))).toEqual(words.map(() => undefined));
});

test('records that are damaged, or too many to be read in no time, are left to the program', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'idle' });
  const { layout } = engine;
  for (const boxes of [{}, [null, 'idle'], [{ name: 'idle', status: 'stopped', short_id: '../../..' }]]) {
    writeFileSync(layout.boxesFile, JSON.stringify({ boxes }));
    expect(reserveStart(layout, 'idle')).toBeUndefined();
  }
  writeFileSync(layout.boxesFile, '{');
  expect(() => reserveStart(layout, 'idle')).toThrow(SyntaxError);
  truncateSync(layout.boxesFile, 1024 * 1024);
  expect(reserveStart(layout, 'idle')).toBeUndefined();
  expect(findBoxProcesses(box?.box_dir ?? '')).toEqual([]);
});
