//go:build !race

package e2e

// See race_test.go.
const buildMode = "-race=false"
