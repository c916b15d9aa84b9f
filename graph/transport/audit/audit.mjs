// Runs the audits of GraphQL over HTTP against the server at the given address, and prints what came of each as JSON.
// Also prints the introspection query that the tools of the reference implementation send, with every option on.
import { getIntrospectionQuery } from 'graphql'
import { auditServer } from 'graphql-http'

const [url] = process.argv.slice(2)
const results = await auditServer({ url })
const introspection = getIntrospectionQuery({
  descriptions: true,
  directiveIsRepeatable: true,
  inputValueDeprecation: true,
  oneOf: true,
  schemaDescription: true,
  specifiedByUrl: true,
})
const audits = results.map(({ id, name, status, reason = '' }) => ({ id, name, status, reason }))
console.log(JSON.stringify({ audits, introspection }))
