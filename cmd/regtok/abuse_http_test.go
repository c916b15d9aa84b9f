package main

import (
	"net/http"
	"strings"
)

const plainQuery = `{"query":"{ viewer { subject } }"}`

// hostileHTTP are requests that are wrong before anybody looks at GraphQL.
func hostileHTTP() []attack {
	line := "GET /livez HTTP/1.1\r\nHost: HOST\r\n"
	return []attack{
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""},
		{"a method with blanks", "G E T /livez HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, ""},
		{"no Host", "GET /livez HTTP/1.1\r\n\r\n", 400, ""},
		{"two Hosts", line + "Host: HOST\r\n\r\n", 400, ""},
		{"a version that there is not", "GET /livez HTTP/9.9\r\nHost: HOST\r\n\r\n", 505, ""},
		{"a header without a colon", line + "nonsense\r\n\r\n", 400, ""},
		{"a header name with a blank before the colon", line + "Content-Length : 5\r\n\r\n", 400, ""},
		{"a header with a zero byte", line + "X-A: a\x00b\r\n\r\n", 400, ""},
		{"two lengths", posted(plainQuery, "Content-Length: 3\r\nContent-Length: 34"), 400, ""},
		{"a negative length", posted(plainQuery, "Content-Length: -1"), 400, ""},
		{"a length beyond all numbers", posted("", "Content-Length: 99999999999999999999"), 400, ""},
		{"another encoding than chunks", posted("", "Transfer-Encoding: gzip, chunked"), 501, ""},
		{"a chunk of no length", posted("zz\r\n{}", "Transfer-Encoding: chunked", "Content-Length:"), 400, "BAD_REQUEST"},
		{"a chunk of more than there is", posted("ffffffffffffffff0\r\n{}", "Transfer-Encoding: chunked", "Content-Length:"), 400, "BAD_REQUEST"},
		{"a header of 70 KB", line + "X-Long: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431, ""},
		{"10,000 headers", line + many(10_000, "X-%d: a\r\n") + "\r\n", 431, ""},
		{"an address of 70 KB", "GET /" + strings.Repeat("a", 70<<10) + " HTTP/1.1\r\nHost: HOST\r\n\r\n", 431, ""},
		{"a way out of the pages", request(http.MethodGet, "/playground/../../../../etc/passwd", ""), 307, ""},
		{"a hidden way out of the pages", request(http.MethodGet, "/playground/%2e%2e%2f%2e%2e%2fetc%2fpasswd", ""), 404, ""},
		{"a page with a zero byte", request(http.MethodGet, "/playground/a%00b", ""), 404, ""},
		{"a proxy's request", request(http.MethodGet, "http://169.254.169.254/latest/meta-data/", ""), 404, ""},
		{"a tunnel", request(http.MethodConnect, "169.254.169.254:80", ""), 405, ""},
		{"a trace", request(http.MethodTrace, "/graphql", ""), 405, "METHOD_NOT_ALLOWED"},
		{"a query by GET", request(http.MethodGet, "/graphql?query=%7Bviewer%7Bsubject%7D%7D", ""), 405, "METHOD_NOT_ALLOWED"},
		{"a mutation by GET", request(http.MethodGet, "/graphql?query=mutation%7BdeleteToken(input:%7Btoken:%7Bid:%22x%22%7D%7D)%7Berrors%7Bcode%7D%7D%7D", ""), 405, "METHOD_NOT_ALLOWED"},
		{"a query by PUT", request(http.MethodPut, "/graphql", plainQuery), 405, "METHOD_NOT_ALLOWED"},
		{"a query by DELETE", request(http.MethodDelete, "/graphql", plainQuery), 405, "METHOD_NOT_ALLOWED"},
		{"a query of a page of another site", posted(plainQuery, "Origin: https://evil.example"), 403, "FORBIDDEN"},
		{"a query of a page of no site", posted(plainQuery, "Origin: null"), 403, "FORBIDDEN"},
		{"a query of which a browser says that it is of another site", posted(plainQuery, "Sec-Fetch-Site: cross-site"), 403, "FORBIDDEN"},
	}
}

// hostileCredentials are those of nobody.
func hostileCredentials() []attack {
	wrong := "regtok_aaaaaaaa_" + strings.Repeat("b", 56)
	return []attack{
		{"no credential", posted(plainQuery, "Authorization:"), 401, "UNAUTHENTICATED"},
		{"a key that there is not", posted(plainQuery, "Authorization: Bearer "+wrong), 401, "UNAUTHENTICATED"},
		{"half a key", posted(plainQuery, "Authorization: Bearer regtok_"), 401, "UNAUTHENTICATED"},
		{"a key and more", posted(plainQuery, "Authorization: Bearer KEYx"), 401, "UNAUTHENTICATED"},
		{"the key in another scheme", posted(plainQuery, "Authorization: Basic KEY"), 401, "UNAUTHENTICATED"},
		{"the key without a scheme", posted(plainQuery, "Authorization: KEY"), 401, "UNAUTHENTICATED"},
		{"the key and another", posted(plainQuery, "Authorization: Bearer KEY\r\nAuthorization: Bearer "+wrong), 401, "UNAUTHENTICATED"},
		{"a key of 60 KB", posted(plainQuery, "Authorization: Bearer "+strings.Repeat("a", 60<<10)), 401, "UNAUTHENTICATED"},
		{"a key of bytes", posted(plainQuery, "Authorization: Bearer \xff\xfe\x80"), 401, "UNAUTHENTICATED"},
		{"a token that nobody signed", posted(plainQuery, "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."), 401, "UNAUTHENTICATED"},
		{"the key in the address", request(http.MethodPost, "/graphql?api_key=KEY", plainQuery, "Authorization:"), 400, "BAD_REQUEST"},
		{"figures without the permission", request(http.MethodGet, "/metrics", ""), 403, "FORBIDDEN"},
		{"figures without a credential", request(http.MethodGet, "/metrics", "", "Authorization:"), 401, "UNAUTHENTICATED"},
	}
}

// hostileBodies are no GraphQL request.
func hostileBodies() []attack {
	return []attack{
		{"a body of more than a megabyte", posted(`{"query":"` + strings.Repeat(" ", 1<<20) + `"}`), 413, "REQUEST_TOO_LARGE"},
		{"a body of more than a megabyte in chunks", posted("200000\r\n"+strings.Repeat(" ", 2<<20)+"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length:"), 413, "REQUEST_TOO_LARGE"},
		{"a body that is announced as a terabyte", posted(strings.Repeat(" ", 1<<20+1), "Content-Length: 1099511627776"), 413, "REQUEST_TOO_LARGE"},
		{"140,000 small objects", posted(`{"query":"{ viewer { subject } }","variables":{"a":[` + strings.Repeat(`{"":0},`, 140_000) + "0]}}"), 413, "REQUEST_TOO_LARGE"},
		{"100,000 parameters", posted(`{"query":"{ viewer { subject } }"` + many(100_000, `,"%d":0`) + "}"), 413, "REQUEST_TOO_LARGE"},
		{"text", posted(plainQuery, "Content-Type: text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a form", posted("query=%7Bviewer%7Bsubject%7D%7D", "Content-Type: application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a form with files", posted("--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n"+plainQuery+"\r\n--x--\r\n", "Content-Type: multipart/form-data; boundary=x"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a document by itself", posted("{ viewer { subject } }", "Content-Type: application/graphql"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"no type", posted(plainQuery, "Content-Type:"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"two types", posted(plainQuery, "Content-Type: application/json, text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"another charset", posted(plainQuery, "Content-Type: application/json; charset=utf-16"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"something compressed", posted("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "Content-Encoding: gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"an answer of no type that there is", posted(plainQuery, "Accept: image/png"), 406, "NOT_ACCEPTABLE"},
		{"nothing", posted(""), 400, "BAD_REQUEST"},
		{"null", posted("null"), 400, "BAD_REQUEST"},
		{"a number", posted("1e999"), 400, "BAD_REQUEST"},
		{"many operations at once", posted("[" + strings.Repeat(plainQuery+",", 1000) + plainQuery + "]"), 400, "BAD_REQUEST"},
		{"an empty array", posted("[]"), 400, "BAD_REQUEST"},
		{"half an object", posted(`{"query":"{ viewer {`), 400, "BAD_REQUEST"},
		{"an object and more", posted(plainQuery + plainQuery), 400, "BAD_REQUEST"},
		{"no UTF-8", posted("{\"query\":\"{ viewer { subject } } # \xff\xfe\"}"), 400, "BAD_REQUEST"},
		{"100,000 arrays in each other", posted(`{"query":"{ viewer { subject } }","variables":{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}}"), 413, "REQUEST_TOO_LARGE"},
		{"a query of another type", posted(`{"query":{"$ne":null}}`), 400, "BAD_REQUEST"},
		{"variables of another type", posted(`{"query":"{ viewer { subject } }","variables":[1]}`), 400, "BAD_REQUEST"},
		{"an operation's name of another type", posted(`{"query":"{ viewer { subject } }","operationName":{}}`), 400, "BAD_REQUEST"},
	}
}
