// What a browser has and Node.js lacks, for the example that follows from standard input, and all that it says as lines of JSON.
import WebSocket from 'ws'

const kept = new Map()
globalThis.WebSocket = WebSocket
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, String(value)) }
console.log = (update) => process.stdout.write(JSON.stringify({ update }) + '\n')
console.warn = (broke) => process.stdout.write(JSON.stringify({ broke }) + '\n')
