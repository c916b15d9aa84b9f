import type { Storage } from '@graphiql/toolkit'

// What the page keeps between visits, without headers: they hold keys. The history would keep them whatever GraphiQL is told.
export const storage: Storage = {
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  setItem: (key, value) => localStorage.setItem(key, withoutHeaders(value)),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length
  },
}

function withoutHeaders(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value, (name, part) => (name === 'headers' ? undefined : part)))
  } catch {
    return value // a single operation, and no JSON
  }
}
