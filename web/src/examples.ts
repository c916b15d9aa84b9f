// An operation that is ready to run, made from one file of ../examples.
export interface Example {
  // The operation's name: GraphiQL titles its tab with it.
  name: string
  // What it is for: the comment at the top of the file.
  purpose: string
  query: string
}

const files = import.meta.glob<string>('../examples/*.graphql', { query: '?raw', import: 'default', eager: true })

// The examples in the order of their file names, the most useful first.
export const examples: Example[] = Object.keys(files)
  .sort()
  .map((file) => parse(files[file]))

function parse(query: string): Example {
  const name = /^(?:query|mutation|subscription) (\w+)/m.exec(query)?.[1] ?? ''
  const comment = /^(#.*\n)+/.exec(query)?.[0] ?? ''
  return { name, purpose: comment.replaceAll('\n', ' ').replaceAll('# ', '').trim(), query }
}
