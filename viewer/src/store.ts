/** Unsent answers and times in IndexedDB, by user and reading; nothing else is ever kept on the machine. */
import type { Visit } from './timelog.ts';
import type { Content } from './wire.ts';

export interface Kept {
  readonly base: number;
  readonly queue: readonly Content[];
}

const DATABASE = 'spondy-room';
const TABLE = 'drafts';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run<T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      // Strict: an answer that counts as kept outlives the machine's sudden end as well.
      const transaction = database.transaction(TABLE, mode, { durability: 'strict' });
      const request = act(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** Without IndexedDB (private window, full disk) the room still works; only this safety net is gone. */
async function quietly<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch {
    return otherwise;
  }
}

const key = (user: string, reading: string): string => `${user}|${reading}`;

export const recall = (user: string, reading: string): Promise<Kept | undefined> =>
  quietly(
    run('readonly', (table) => table.get(key(user, reading)) as IDBRequest<Kept | undefined>),
    undefined,
  );

export const remember = (user: string, reading: string, kept: Kept): Promise<unknown> =>
  quietly<unknown>(
    run('readwrite', (table) => table.put(kept, key(user, reading))),
    undefined,
  );

export const forget = (user: string, reading: string): Promise<unknown> =>
  quietly<unknown>(
    run('readwrite', (table) => table.delete(key(user, reading))),
    undefined,
  );

/** Everything of one user; nobody else's. No user name has the sign that ends it here. */
const everythingOf = (user: string): IDBKeyRange => IDBKeyRange.bound(key(user, ''), key(user, '\uffff'));

/** The readings of which answers are unsent; null where that cannot be told. */
export const unsentReadings = (user: string): Promise<ReadonlySet<string> | null> =>
  quietly(
    run('readonly', (table) => table.getAllKeys(everythingOf(user))).then(
      (keys) => new Set(keys.map((found) => String(found).slice(key(user, '').length))),
    ),
    null,
  );

/** Of how many readings answers are unsent. */
export const unsent = (user: string): Promise<number> =>
  quietly(
    run('readonly', (table) => table.count(everythingOf(user))),
    0,
  );

export async function forgetAll(user: string): Promise<unknown> {
  await quietly<unknown>(
    run('readwrite', (table) => table.delete(timesOf(user))),
    undefined,
  );
  return quietly<unknown>(
    run('readwrite', (table) => table.delete(everythingOf(user))),
    undefined,
  );
}

// Times of readings, by visit. No user name begins with the sign that stands before them: they are no answers.
const timesKey = (user: string, visit: string): string => `~${key(user, visit)}`;

const timesOf = (user: string): IDBKeyRange =>
  IDBKeyRange.bound(timesKey(user, ''), timesKey(user, '\uffff'));

export const keptTimes = (user: string): Promise<readonly Visit[]> =>
  quietly(
    run('readonly', (table) => table.getAll(timesOf(user)) as IDBRequest<Visit[]>),
    [],
  );

export const rememberTimes = (user: string, visit: Visit): Promise<unknown> =>
  quietly<unknown>(
    run('readwrite', (table) => table.put(visit, timesKey(user, visit.visit))),
    undefined,
  );

/** Take out what has arrived, in one step: another window may still be adding to the same visit. */
export const dropTimes = (user: string, visit: string, arrived: ReadonlySet<number>): Promise<unknown> =>
  quietly<unknown>(
    run('readwrite', (table) => {
      const place = timesKey(user, visit);
      const found = table.get(place) as IDBRequest<Visit | undefined>;
      found.onsuccess = () => {
        if (!found.result) return;
        const told = found.result.told.filter(({ number }) => !arrived.has(number));
        if (told.length > 0) table.put({ ...found.result, told }, place);
        else table.delete(place);
      };
      return found;
    }),
    undefined,
  );

export const forgetTimes = (user: string, visit: string): Promise<unknown> =>
  quietly<unknown>(
    run('readwrite', (table) => table.delete(timesKey(user, visit))),
    undefined,
  );
