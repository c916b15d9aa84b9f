// Lets the clients that people use talk to the server at the given address, none of them changed, and prints what each hears as JSON.
import { createClient as createSocket } from 'graphql-ws'
import { createClient as createEvents } from 'graphql-sse'
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import WebSocket from 'ws'

globalThis.WebSocket ??= WebSocket // as browsers and newer versions of Node.js have it

const [url] = process.argv.slice(2)
const socketURL = url.replace('http', 'ws')
const count = 'subscription ($to: Int!) { count(to: $to) }'
const hello = 'query ($name: String) { hello(name: $name) }'
const broken = 'subscription { nothing }'
const failing = 'subscription { fail }'

// collect is what a subscription of graphql-ws or graphql-sse brings, and how it ends.
function collect(client, query, variables) {
  return new Promise((resolve) => {
    const heard = []
    const end = (how) => resolve([...heard, how])
    client.subscribe({ query, variables }, {
      next: ({ data, errors }) => heard.push(errors ? errors[0].message : data),
      error: (e) => end(`error: ${Array.isArray(e) ? e[0].message : e.message}`),
      complete: () => end('complete'),
    })
  })
}

async function viaGraphQLWs() {
  const client = createSocket({ url: socketURL, webSocketImpl: WebSocket, retryAttempts: 0 })
  const heard = {}
  heard.subscription = await collect(client, count, { to: 3 })
  heard.query = await collect(client, hello, { name: 'Ada' })
  heard.mutation = await collect(client, 'mutation { hello }')
  heard.broken = await collect(client, broken)
  heard.failing = await collect(client, failing)
  await client.dispose()
  return heard
}

async function viaGraphQLSse() {
  const client = createEvents({ url, retryAttempts: 0 })
  const heard = {}
  heard.subscription = await collect(client, count, { to: 3 })
  heard.query = await collect(client, hello, { name: 'Ada' })
  heard.mutation = await collect(client, 'mutation { hello }')
  heard.broken = await collect(client, broken)
  heard.failing = await collect(client, failing)
  client.dispose()
  return heard
}

async function viaApollo() {
  const socket = createSocket({ url: socketURL, webSocketImpl: WebSocket, retryAttempts: 0 })
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(socket), new HttpLink({ uri: url })),
  })
  const follow = (query, variables) => new Promise((resolve) => {
    const heard = []
    client.subscribe({ query: gql(query), variables }).subscribe({
      next: ({ data, error }) => heard.push(error ? `error: ${error.message}` : data),
      error: (e) => resolve([...heard, `error: ${e.message}`]),
      complete: () => resolve([...heard, 'complete']),
    })
  })
  const heard = {}
  heard.subscription = await follow(count, { to: 3 })
  heard.query = [(await client.query({ query: gql(hello), variables: { name: 'Ada' } })).data]
  heard.mutation = [(await client.mutate({ mutation: gql('mutation { hello }') })).data]
  heard.broken = await follow(broken)
  heard.failing = await follow(failing)
  client.stop()
  await socket.dispose()
  return heard
}

// urql over its own fetch: it lists text/event-stream for whatever it asks.
async function viaUrql(exchanges, dispose = () => {}) {
  const client = new Client({ url, exchanges, preferGetMethod: false, fetchSubscriptions: exchanges.length === 1 })
  const follow = (query, variables) => new Promise((resolve) => {
    const heard = []
    client.subscription(query, variables).subscribe(({ data, error, hasNext }) => { // the last result comes once more, when it is over
      if (error) {
        resolve([...heard, `error: ${error.graphQLErrors[0]?.message ?? error.message}`])
      } else if (hasNext) {
        heard.push(data)
      } else {
        resolve(heard)
      }
    })
  })
  const heard = {}
  heard.subscription = await follow(count, { to: 3 })
  heard.query = [(await client.query(hello, { name: 'Ada' })).data]
  heard.mutation = [(await client.mutation('mutation { hello }', {})).data]
  heard.broken = await follow(broken)
  heard.failing = await follow(failing)
  await dispose()
  return heard
}

function urqlOverSocket() {
  const socket = createSocket({ url: socketURL, webSocketImpl: WebSocket, retryAttempts: 0 })
  const forward = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables }, sink) }),
  })
  return viaUrql([fetchExchange, subscriptionExchange({ forwardSubscription: forward })].reverse(), () => socket.dispose())
}

// told within half a minute, or what was not.
async function within(name, run) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${name} does not end`)), 30_000).unref())
  return Promise.race([run(), late])
}

const told = {
  'graphql-ws': await within('graphql-ws', viaGraphQLWs),
  'graphql-sse': await within('graphql-sse', viaGraphQLSse),
  apollo: await within('Apollo', viaApollo),
  'urql by fetch': await within('urql by fetch', () => viaUrql([fetchExchange])),
  'urql over a socket': await within('urql over a socket', urqlOverSocket),
}
console.log(JSON.stringify(told))
process.exit(0) // some keep connections for a while
