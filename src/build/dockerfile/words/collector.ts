/** A text and its words, as they grow together. */
import { splitAtSpace } from '../characters.ts';

export class Collector {
  text = '';
  readonly words: string[] = [];
  #word = '';

  /** Text that belongs to one word, whatever is in it. */
  add(text: string): void {
    this.text += text;
    this.#word += text;
  }

  /** Text that white space cuts. */
  split(text: string): void {
    this.text += text;
    const [first = '', ...more] = splitAtSpace(text);
    this.#word += first;
    for (const part of more) {
      this.#endWord();
      this.#word = part;
    }
  }

  end(): { text: string; words: string[] } {
    this.#endWord();
    return { text: this.text, words: this.words };
  }

  #endWord(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }
}
