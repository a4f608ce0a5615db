/** A template that does not parse or does not run; `message` starts at the position, as Go's after `template: NAME`. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
