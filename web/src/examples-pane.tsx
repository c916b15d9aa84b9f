import { useGraphiQL, useGraphiQLActions, type GraphiQLPlugin } from '@graphiql/react'
import { examples, type Example } from './examples'

// EXAMPLES_PLUGIN is a pane that lists the examples, says what each is for, and opens them in tabs.
export const EXAMPLES_PLUGIN: GraphiQLPlugin = { title: 'Examples', icon: ListIcon, content: ExamplesPane }

function ExamplesPane() {
  const open = useOpenExample()
  const active = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex].title)
  return (
    <section aria-label="Examples" className="examples">
      <h2>Examples</h2>
      <ul>
        {examples.map((example) => (
          <li key={example.name}>
            <button type="button" aria-current={example.name === active} onClick={() => open(example)}>
              <strong>{example.name}</strong>
              <span>{example.purpose}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

// useOpenExample returns a function that goes to the tab of an example, or opens one.
function useOpenExample() {
  const { tabs, queryEditor } = useGraphiQL(({ tabs, queryEditor }) => ({ tabs, queryEditor }))
  const { addTab, changeTab, setOperationName } = useGraphiQLActions()
  return ({ name, query }: Example) => {
    const index = tabs.findIndex((tab) => tab.title === name)
    if (index >= 0) {
      changeTab(index)
    } else {
      addTab()
      queryEditor?.setValue(query)
    }
    // The editor tells the name only after a while; who runs the example sooner would ask for the one before.
    setOperationName(name)
  }
}

function ListIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <path d="M7 4.5h11M7 10h11M7 15.5h11M2 4.5h.5M2 10h.5M2 15.5h.5" />
    </svg>
  )
}
