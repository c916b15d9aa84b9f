// Lets clients that send hashes in the place of documents talk to the server at the given address, none of them changed, and prints
// what each sends and hears as JSON.
import { createHash } from 'node:crypto'
import { createClient as createSocket } from 'graphql-ws'
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import WebSocket from 'ws'

const [url] = process.argv.slice(2)
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

// sent is what went out since it was emptied, and asked is the document that it was about.
let sent = []
let asked = ''

function note(how, { query, extensions }) {
  const hash = extensions?.persistedQuery?.sha256Hash
  const parts = [how]
  if (hash) {
    parts.push(hash === sha256(asked) ? 'hash' : hash)
  }
  if (query) {
    parts.push(query === asked ? 'document' : query)
  }
  sent.push(parts.join(' '))
}

function notingFetch(input, init) {
  const given = new URL(input).searchParams
  const byURL = () => ({ query: given.get('query'), extensions: JSON.parse(given.get('extensions')) })
  note(init.method, init.method === 'GET' ? byURL() : JSON.parse(init.body))
  return fetch(input, init)
}

class NotingSocket extends WebSocket {
  send(text, ...rest) {
    const { type, payload } = JSON.parse(text)
    if (type === 'subscribe') {
      note('socket', payload)
    }
    super.send(text, ...rest)
  }
}

globalThis.WebSocket ??= WebSocket // as browsers and newer versions of Node.js have it

const openSocket = () => createSocket({ url: url.replace('http', 'ws'), webSocketImpl: NotingSocket, retryAttempts: 0 })

// told is what a client sends for a document, and then what it hears.
async function told(ask, text) {
  [sent, asked] = [[], text]
  const heard = await ask(text)
  return [...sent, ...heard]
}

// talk asks for two documents twice, and for one that no manifest holds.
async function talk(name, { ask, follow, dispose }) {
  const query = `query ${name} {\n  hello\n}`
  const subscription = `subscription ${name} {\n  count(to: 2)\n}`
  const heard = {
    query: await told(ask, query),
    'query again': await told(ask, query),
    subscription: await told(follow, subscription),
    'subscription again': await told(follow, subscription),
    stranger: await told(ask, `query Stranger${name} {\n  hello\n}`),
  }
  await dispose()
  return heard
}

function apollo() {
  const socket = openSocket()
  const hashes = new PersistedQueryLink({ sha256 })
  const http = new HttpLink({ uri: url, fetch: notingFetch })
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: hashes.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(socket), http),
    defaultOptions: { query: { fetchPolicy: 'no-cache' } },
  })
  const code = (error) => error.errors?.[0].extensions.code ?? error.message
  return {
    ask: (query) => client.query({ query: gql(query) }).then(({ data }) => [data], (error) => [code(error)]),
    follow: (query) => new Promise((resolve) => {
      const heard = []
      client.subscribe({ query: gql(query) }).subscribe({
        next: ({ data, error }) => heard.push(error ? code(error) : data),
        error: (error) => resolve([...heard, code(error)]),
        complete: () => resolve(heard),
      })
    }),
    dispose: () => {
      client.stop()
      return socket.dispose()
    },
  }
}

// urql sends queries by GET, unless both the exchange and the client are told not to.
function urql(get) {
  const socket = openSocket()
  const forwardSubscription = (body) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...body, query: body.query ?? '' }, sink) }) })
  const hashes = persistedExchange({ generateHash: async (text) => sha256(text), enableForSubscriptions: true, preferGetForPersistedQueries: get })
  const exchanges = [hashes, subscriptionExchange({ forwardSubscription }), fetchExchange]
  const client = new Client({ url, fetch: notingFetch, exchanges, preferGetMethod: get })
  const code = (error) => error.graphQLErrors[0]?.extensions.code ?? error.message
  return {
    ask: async (query) => {
      const { data, error } = await client.query(query, {})
      return [error ? code(error) : data]
    },
    follow: (query) => new Promise((resolve) => {
      const heard = []
      const following = client.subscription(query, {}).subscribe(({ data, error, hasNext }) => { // the last result comes once more, when it is over
        if (!error && hasNext) {
          heard.push(data)
          return
        }
        following.unsubscribe() // the same one, asked for again, would wait for this one
        resolve(error ? [...heard, code(error)] : heard)
      })
    }),
    dispose: () => socket.dispose(),
  }
}

// within half a minute, or it fails.
async function within(name, run) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${name} does not end`)), 30_000).unref())
  return Promise.race([run(), late])
}

const clients = { Apollo: apollo, Urql: () => urql(false), UrqlByGet: () => urql('within-url-limit') }
const all = {}
for (const [name, client] of Object.entries(clients)) {
  all[name] = await within(name, () => talk(name, client()))
}
console.log(JSON.stringify(all))
process.exit(0) // some keep connections for a while
