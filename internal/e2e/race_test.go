//go:build race

package e2e

// The program under test is built as the tests are: with the race detector, whose findings fail the test.
const buildMode = "-race=true"
