import { expect, test } from 'vitest';

import { templateView } from '../../../src/commands/rows/template-view.ts';
import { renderer } from '../../../src/output/template/document.ts';

const inspected = {
  Id: 'd1',
  State: { Status: 'running', Pid: 12, Health: undefined },
  Config: { Labels: { z: 'y', 'a.b': 'c' }, Entrypoint: null, Volumes: null, Env: ['A=1'] },
  NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] } },
};

test.each([
  ['{{.State}}', '{running 12 <nil>}'],
  ['{{.State.Health}} {{json .State.Health}}', '<nil> null'],
  ['{{json .State}}', '{"Status":"running","Pid":12}'],
  ['{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}', 'none'],
  ['{{.Config.Labels}}', 'map[a.b:c z:y]'],
  ['{{.Config.Labels.nosuch}}', '<no value>'],
  ['{{index .Config.Labels "a.b"}}', 'c'],
  ['{{json .Config.Labels}}', '{"a.b":"c","z":"y"}'],
  ['{{.Config.Entrypoint}} {{json .Config.Entrypoint}}', '[] null'],
  ['{{.Config.Volumes}} {{json .Config.Volumes}}', 'map[] null'],
  ['{{if .Config.Entrypoint}}a{{else}}b{{end}}', 'b'],
  ['{{range $p, $b := .NetworkSettings.Ports}}{{$p}} {{(index $b 0).HostPort}}{{end}}', '80/tcp 8080'],
])('%s', (template, output) => {
  expect(renderer(template)(templateView(inspected))).toBe(output);
});

test('what looks into a field without a value finds no such key, as in Docker', () => {
  expect(() => renderer('{{.State.Health.Status}}')(templateView(inspected))).toThrow(
    expect.objectContaining({
      message:
        'template parsing error: template: :1:8: executing "" at <.State.Health.Status>: map has no entry for key "Health"',
      exitStatus: 1,
    }),
  );
});

test('a template that does not parse exits with 64, one that does not run with 1', () => {
  expect(() => renderer('{{foo}}')).toThrow(
    expect.objectContaining({
      message: 'template parsing error: template: :1: function "foo" not defined',
      exitStatus: 64,
    }),
  );
  expect(() => renderer('{{.Foo}}', 'version', 'system.versionInfo')({})).toThrow(
    expect.objectContaining({
      message: `template parsing error: template: version:1:2: executing "version" at <.Foo>: can't evaluate field Foo in type system.versionInfo`,
      exitStatus: 1,
    }),
  );
});
