import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestHint } from '../src/rest.ts';

/** As much of an element as the hint uses. */
class Part {
  textContent = '';
  children: Part[] = [];
  get childElementCount(): number {
    return this.children.length;
  }
  setAttribute(): void {}
  addEventListener(): void {}
  append(...parts: readonly (Part | string)[]): void {
    for (const part of parts) if (part instanceof Part) this.children.push(part);
  }
  replaceChildren(): void {
    this.children = [];
  }
}

test('the hint to rest counts on, keeps its button, and goes', () => {
  Object.assign(globalThis, { document: { createElement: () => new Part() } });
  const hint = new RestHint(() => {});
  const element = hint.element as unknown as Part;
  hint.show(49);
  assert.equal(element.childElementCount, 0);
  hint.show(50);
  const button = element.children[1];
  assert.equal(element.children[0]?.textContent, '50 minutes without a break');
  hint.show(63);
  assert.equal(element.children[0]?.textContent, '63 minutes without a break');
  assert.equal(element.children[1], button);
  hint.show(0);
  assert.equal(element.childElementCount, 0);
});
