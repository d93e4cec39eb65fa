/** Reads the page's two JSON islands, wires, done. */
import { cannotStart, Room } from './room.ts';
import type { RoomFacts, Sheet } from './wire.ts';

function island<T>(id: string): T {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`The page carries no ${id}.`);
  return JSON.parse(text) as T;
}

const root = document.getElementById('cockpit');
if (root) {
  try {
    const room = new Room(root, island<Sheet>('sheet'), island<RoomFacts>('room'));
    root.removeAttribute('aria-busy');
    void room.next();
  } catch {
    cannotStart(root, 'The reading room could not be opened. Reload the page; nothing is lost.');
  }
}
