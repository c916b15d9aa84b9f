import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit'
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { OperationTypeNode, getOperationAST, parse } from 'graphql'
import { createClient, type Client } from 'graphql-ws'
import { examples } from './examples'
import { EXAMPLES_PLUGIN } from './examples-pane'
import { storage } from './storage'

// Each client opens a socket with the first subscription, and closes it after the last. Browsers send no headers with sockets, so
// the credential of the header editor goes into the first message. It is that of all subscriptions of a socket.
let latest: { authorization?: string; client: Client } | undefined

function socketFor(headers: Record<string, unknown> = {}): Client {
  const name = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization')
  const authorization = name && String(headers[name])
  if (!latest || latest.authorization !== authorization) {
    const url = new URL('/graphql', location.href.replace(/^http/, 'ws')).href
    latest = { authorization, client: createClient({ url, connectionParams: authorization ? { Authorization: authorization } : undefined }) }
  }
  return latest.client
}

// The server does not speak incremental delivery; asking for it would only change the Accept header.
const answers = createGraphiQLFetcher({ url: '/graphql', enableIncrementalDelivery: false })

// The editor's own idea of the document may be older than what is asked, so the kind is looked up here.
const fetcher: Fetcher = ({ query, operationName, variables }, options) => {
  if (!subscribes(query, operationName)) {
    return answers({ query, operationName, variables }, options)
  }
  return socketFor(options?.headers).iterate({ query, operationName, variables }) as ReturnType<Fetcher> // errors are plain objects there
}

function subscribes(query: string, operationName?: string | null): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === OperationTypeNode.SUBSCRIPTION
  } catch {
    return false // the server says what is wrong
  }
}

const firstTab = [{ query: examples[0].query }]
const plugins = [EXAMPLES_PLUGIN, HISTORY_PLUGIN]

// Playground is GraphiQL over the API of the server that the page came from, with the examples at hand.
// Headers are not kept between visits: they hold keys.
export function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={firstTab}
      plugins={plugins}
      visiblePlugin={EXAMPLES_PLUGIN}
      shouldPersistHeaders={false}
      storage={storage}
      defaultEditorToolsVisibility={false}
    >
      <GraphiQL.Logo>
        <span className="playground-title">
          regtok <a href="/schema.graphqls">schema</a>
        </span>
      </GraphiQL.Logo>
    </GraphiQL>
  )
}
