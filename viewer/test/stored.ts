/** As much of IndexedDB as the store uses. */
export const rows = new Map<string, unknown>();

type Range = string | readonly [string, string];

const found = (range: Range): string[] =>
  [...rows.keys()].filter((key) =>
    typeof range === 'string' ? key === range : key >= range[0] && key <= range[1],
  );

function transaction(): object {
  const now: { oncomplete?: () => void } = {};
  setTimeout(() => now.oncomplete?.());
  const table = {
    get: (key: string) => {
      const request: { result: unknown; onsuccess?: () => void } = { result: structuredClone(rows.get(key)) };
      queueMicrotask(() => request.onsuccess?.());
      return request;
    },
    getAll: (range: Range) => ({ result: found(range).map((key) => rows.get(key)) }),
    getAllKeys: (range: Range) => ({ result: found(range) }),
    count: (range: Range) => ({ result: found(range).length }),
    put: (value: unknown, key: string) => ({ result: rows.set(key, structuredClone(value)) }),
    delete: (range: Range) => {
      for (const key of found(range)) rows.delete(key);
      return { result: undefined };
    },
  };
  return Object.assign(now, { objectStore: () => table });
}

const indexedDB = {
  open: () => {
    const request: { result: object; onsuccess?: () => void } = { result: { transaction, close: () => {} } };
    setTimeout(() => request.onsuccess?.());
    return request;
  },
};
const IDBKeyRange = { bound: (low: string, high: string): Range => [low, high] };
Object.assign(globalThis, { indexedDB, IDBKeyRange });

/** Long enough for everything that is on its way. */
export const settle = () => new Promise((done) => setTimeout(done, 40));
