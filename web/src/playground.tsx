import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { createClient } from 'graphql-ws'
import { examples } from './examples'
import { EXAMPLES_PLUGIN } from './examples-pane'

// Opens a socket with the first subscription, and closes it after the last.
const wsClient = createClient({ url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href })

// The server does not speak incremental delivery; asking for it would only change the Accept header.
const fetcher = createGraphiQLFetcher({ url: '/graphql', wsClient, enableIncrementalDelivery: false })

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
