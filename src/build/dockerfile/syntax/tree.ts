/** The syntax tree of a Dockerfile: instructions with their arguments apart, not yet understood. */
import type { Lines } from '../error.ts';

/** A document in the Dockerfile itself: `<<EOF` … `EOF`. */
export interface Heredoc {
  /** The terminator, and the name of the file that COPY and ADD make. */
  name: string;
  /** 0 when none is given, as in `3<<EOF`. */
  descriptor: number;
  /** False when a part of the terminator is quoted: then variables stay as they are. */
  expand: boolean;
  /** `<<-`: leading tabs do not count. They are still in `content`. */
  chomp: boolean;
  /** Each line with its line end. */
  content: string;
}

/** Arguments as an instruction's syntax cuts them apart; nothing is expanded or unquoted yet. */
export type Arguments =
  | { form: 'none' }
  /** A JSON array of strings. */
  | { form: 'json'; values: string[] }
  /** The rest of the line as it stands. */
  | { form: 'text'; text: string }
  /** Cut at white space; for ARG quotes hold words together. */
  | { form: 'words'; words: string[] }
  /** `K=V …`, or `K V`, where the whole rest is the value. */
  | { form: 'pairs'; pairs: Pair[] }
  /** HEALTHCHECK: a kind and the command that follows it. */
  | { form: 'check'; kind: string; command: Arguments }
  /** ONBUILD: the instruction that waits. */
  | { form: 'instruction'; instruction: SyntaxNode };

export interface Pair {
  key: string;
  value: string;
}

export interface SyntaxNode {
  /** The instruction as it is written. */
  word: string;
  /** In lower case. */
  keyword: string;
  /** `--name` and `--name=value`, in order. */
  flags: string[];
  arguments: Arguments;
  heredocs: Heredoc[];
  /** The whole instruction on one line, without heredocs. */
  source: string;
  lines: Lines;
  /** The comment lines right above, without their `#`. */
  comments: string[];
}

export type Escape = '\\' | '`';

/** What the comments at the top of a Dockerfile say to the parser, as they are written. */
export interface Directives {
  /** The frontend asked for; accepted, since this is the one. */
  syntax?: string;
  escape?: string;
  check?: string;
}

export interface SyntaxTree {
  nodes: SyntaxNode[];
  directives: Directives;
  escape: Escape;
  warnings: Warning[];
}

export interface Warning {
  message: string;
  lines: Lines;
}
