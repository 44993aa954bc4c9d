// Package docs holds what is handed out of the documents in this folder: the program serves openapi.yaml, and the tests hold every answer
// against it (docstest).
package docs

import _ "embed" // puts openapi.yaml into the program

//go:embed openapi.yaml
var openAPI string

// OpenAPI is openapi.yaml: the account API, the operator's API and the callbacks, as an OpenAPI 3.0 document.
func OpenAPI() string { return openAPI }
